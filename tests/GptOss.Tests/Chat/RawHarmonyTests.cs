using System.Diagnostics;
using GptOss.Chat;
using GptOss.Tests.Tokenization;

namespace GptOss.Tests.Chat;

public sealed class RawHarmonyTests
{
    private static GptOssTokenizer Tokenizer => GptOssTokenizer.O200kHarmony;

    [Theory]
    [InlineData("<|start|>user<|message|>Hi<|end|>")]
    [InlineData("<|<|start|><|end|>|><|nobody|><|call|")]
    [InlineData("<|reserved_200013|><|a b c d e f g h i j k l m n o p q r s t u v w x y z|><|return|>")]
    [InlineData("<|")]
    [InlineData("")]
    public void Spellings_of_special_tokens_mean_these_and_all_else_is_text(string text) =>
        Assert.Equal(SpecialSpellings.Encode(Tokenizer, text), RawHarmony.Encode(text, Tokenizer, TestContext.Current.CancellationToken));

    [Theory]
    [InlineData("<|")]              // no end is anywhere
    [InlineData("<|a")]
    [InlineData("<|start")]
    public void Time_grows_with_the_length_of_the_text(string unit)
    {
        TimeSpan Time(int length, string end)
        {
            string text = string.Concat(Enumerable.Repeat(unit, length / unit.Length)) + end;
            long start = Stopwatch.GetTimestamp();
            RawHarmony.Encode(text, Tokenizer, TestContext.Current.CancellationToken);
            return Stopwatch.GetElapsedTime(start);
        }
        Time(4_000, "|>");
        TimeSpan few = Enumerable.Range(0, 3).Min(_ => Time(20_000, "|>")), many = Enumerable.Range(0, 3).Min(_ => Time(200_000, "|>"));
        Assert.True(many < 40 * few, $"Ten times the text took {many / few:F0} times as long.");     // 100 if quadratic
    }
}

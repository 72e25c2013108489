using System.Diagnostics;
using GptOss.Chat;
using GptOss.Tests.Tokenization;
using GptOss.Tokenization;

namespace GptOss.Tests.Chat;

public sealed class RawHarmonyTests
{
    private static Tokenizer Tokenizer => Tokenizer.O200kHarmony;

    [Theory]
    [InlineData("<|start|>user<|message|>Hi<|end|>")]
    [InlineData("<|<|start|><|end|>|><|nobody|><|call|")]
    [InlineData("<|reserved_200013|><|a b c d e f g h i j k l m n o p q r s t u v w x y z|><|return|>")]
    [InlineData("<|")]
    [InlineData("")]
    public void Spellings_of_special_tokens_mean_these_and_all_else_is_text(string text) =>
        Assert.Equal(
            SpecialSpellings.Encode(Tokenizer, text),
            RawHarmony.Encode(text, Tokenizer, TestContext.Current.CancellationToken)
        );

    [Theory]
    [InlineData("<|")] // no end is anywhere
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
        // The least of several: neighbours only add, and a quadratic time is a hundredfold each time.
        double ratio = double.MaxValue;
        for (int i = 0; i < 8 && ratio >= 40; i++)
            ratio = Math.Min(ratio, Time(200_000, "|>") / Time(20_000, "|>"));
        Assert.True(ratio < 40, $"Ten times the text took {ratio:F0} times as long.");
    }
}

using System.Diagnostics;
using GptOss.Chat;
using GptOss.Tests.Tokenization;
using GptOss.Tokenization;
using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>Harmony that a caller writes and reads himself, special tokens spelled out.</summary>
public sealed class RawHarmonyTests
{
    private static Tokenizer Tokenizer => Tokenizer.O200kHarmony;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("<|start|>user<|message|>Hi<|end|>")]
    [InlineData("<|<|start|><|end|>|><|nobody|><|call|")]
    [InlineData("<|reserved_200013|><|a b c d e f g h i j k l m n o p q r s t u v w x y z|><|return|>")]
    [InlineData("<|")]
    [InlineData("")]
    public void Spellings_of_special_tokens_mean_these_and_all_else_is_text(string text) =>
        Assert.Equal(SpecialSpellings.Encode(Tokenizer, text), RawHarmony.Encode(text, Tokenizer, Stop));

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
            RawHarmony.Encode(text, Tokenizer, Stop);
            return Stopwatch.GetElapsedTime(start);
        }
        Time(4_000, "|>");
        // The least of several: neighbours only add, and a quadratic time is a hundredfold each time.
        double ratio = double.MaxValue;
        for (int i = 0; i < 8 && ratio >= 40; i++)
            ratio = Math.Min(ratio, Time(200_000, "|>") / Time(20_000, "|>"));
        Assert.True(ratio < 40, $"Ten times the text took {ratio:F0} times as long.");
    }

    [Fact]
    public async Task Raw_harmony_stands_in_place_of_the_turn_and_the_answer_goes_on_from_it()
    {
        const string Raw = "<|start|>assistant<|channel|>final<|message|>Once upon";
        var source = new TokenScript(" a time.<|return|>");
        ChatResponse response = await source
            .Client()
            .GetResponseAsync("Hi", Options(new() { RawHarmonyText = Raw }), Stop);

        Assert.EndsWith("<|start|>user<|message|>Hi<|end|>" + Raw, source.Prompt());
        Assert.Equal(" a time.", response.Text);
    }

    [Fact]
    public async Task Raw_harmony_of_prompt_and_answer_comes_with_the_message_where_it_is_asked_for()
    {
        var source = new TokenScript(Greeting);
        ChatResponse response = await source
            .Client()
            .GetResponseAsync("Hi", Options(new() { IncludeRawHarmony = true }), Stop);

        Assert.Equal(source.Prompt(), response.Messages[0].AdditionalProperties!["harmony.prompt"]);
        Assert.EndsWith("<|start|>user<|message|>Hi<|end|>" + "<|start|>assistant", source.Prompt());
        Assert.Equal(Greeting, response.Messages[0].AdditionalProperties!["harmony.answer"]);
        Assert.Null((await source.Client().GetResponseAsync("Hi", Options(), Stop)).Messages[0].AdditionalProperties);
    }
}

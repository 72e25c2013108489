using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>What a stream tells beside the words: which are a preamble, which stop sequence has come.</summary>
public sealed class StreamMarksTests
{
    private const string Preamble =
        "<|channel|>commentary<|message|>Let me think.<|end|><|start|>assistant"
        + "<|channel|>final<|message|>It is sunny.<|return|>";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_piece_of_a_preamble_says_so_in_a_stream()
    {
        ChatOptions options = With(Weather(_ => ""));
        List<TextContent> texts = [];
        await foreach (
            ChatResponseUpdate update in new TokenScript(Preamble)
                .Client()
                .GetStreamingResponseAsync("Weather?", options, Stop)
        )
            texts.AddRange(update.Contents.OfType<TextContent>());

        ILookup<object?, string> byChannel = texts.ToLookup(
            text => text.AdditionalProperties?["harmony.channel"],
            text => text.Text
        );
        Assert.Equal("Let me think.", string.Concat(byChannel["commentary"]));
        Assert.Equal("\n\nIt is sunny.", string.Concat(byChannel[null]));
        Assert.True(byChannel["commentary"].Count() > 1);
    }

    [Fact]
    public async Task A_response_marks_none_and_a_mark_in_a_history_means_nothing()
    {
        ChatOptions options = With(Weather(_ => ""));
        ChatResponse response = await new TokenScript(Preamble).Client().GetResponseAsync("Weather?", options, Stop);
        Assert.Null(Assert.Single(response.Messages[0].Contents).AdditionalProperties);

        var marked = new TextContent("It is sunny.")
        {
            AdditionalProperties = new() { ["harmony.channel"] = "commentary" },
        };
        var source = new TokenScript(Greeting);
        await source
            .Client()
            .GetResponseAsync(
                [new(ChatRole.User, "Weather?"), new(ChatRole.Assistant, [marked]), new(ChatRole.User, "Thanks")],
                options,
                Stop
            );
        Assert.Contains("<|start|>assistant<|channel|>final<|message|>It is sunny.<|end|>", source.Prompt());
    }

    [Theory]
    [InlineData("sunny", "rain", "sunny")]
    [InlineData("rain", "is sunny", "is sunny")]
    [InlineData("is", "is sunny", "is")] // complete first
    [InlineData("is sunny", "sunny", "is sunny")] // complete at the same letter: the longest
    [InlineData("sunny", "is sunny", "is sunny")] // whatever their order
    [InlineData("rain", "snow", null)]
    public async Task The_last_update_names_the_stop_sequence_that_came(string one, string other, string? came)
    {
        ChatOptions options = Options();
        options.StopSequences = [one, other];
        List<ChatResponseUpdate> updates = await new TokenScript(Answer)
            .Client()
            .GetStreamingResponseAsync("Weather?", options, Stop)
            .ToListAsync(Stop);

        Assert.Equal(came, updates[^1].AdditionalProperties?["stop_sequence"]);
        Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
        Assert.All(updates.SkipLast(1), update => Assert.Null(update.AdditionalProperties));
    }
}

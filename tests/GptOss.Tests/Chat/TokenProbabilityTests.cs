using System.Text.Json;
using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>The log-probabilities that an answer carries.</summary>
public sealed class TokenProbabilityTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Log_probabilities_come_with_the_message()
    {
        var source = new TokenScript(Greeting) { Report = id => new(id, -0.5f, [new LikelyToken(id, -0.5f)]) };
        ChatResponse response = await source
            .Client()
            .GetResponseAsync("Hi", Options(new() { LogProbabilities = 1 }), Stop);

        IReadOnlyList<TokenProbability> list = TokenProbability.Of(response.Messages[0])!;
        Assert.Equal(response.Usage!.OutputTokenCount, list.Count);
        Assert.All(list, token => Assert.Equal((token.Token, -0.5f), (token.Best[0].Token, token.LogProbability)));
    }

    /// <summary>The tokens of an update are those of its text: no markers, no headers, none of others.</summary>
    [Fact]
    public async Task An_update_of_a_stream_has_those_of_its_own_text()
    {
        List<ChatResponseUpdate> updates = await Updates(Call, new() { LogProbabilities = 0, StreamCalls = true });

        Assert.All(updates.SkipLast(1), update => Assert.Equal(TextOf(update), Text(TokenProbability.Of(update))));
        Assert.Equal(
            """I need the weather.Let me look.{"city": "Lisbon"}""",
            string.Concat(updates.Select(update => Text(TokenProbability.Of(update))))
        );
        // The last update has no text. Its list is that of the message, markers included.
        Assert.Null(TokenProbability.Of(updates[^1]));
        Assert.Equal(Call, Text(TokenProbability.Of(updates.ToChatResponse().Messages[0])));
    }

    /// <summary>Without pieces the call has the tokens of its arguments.</summary>
    [Fact]
    public async Task A_whole_call_has_those_of_its_arguments()
    {
        List<ChatResponseUpdate> updates = await Updates(Call, new() { LogProbabilities = 0 });
        ChatResponseUpdate call = updates.Single(update => update.Contents is [FunctionCallContent]);
        Assert.Equal("""{"city": "Lisbon"}""", Text(TokenProbability.Of(call)));
    }

    [Fact]
    public async Task Text_that_was_held_back_comes_with_its_tokens_and_text_that_is_cut_without()
    {
        List<ChatResponseUpdate> updates = await Updates(
            "<|channel|>final<|message|>It is sun and 🦜 rain.<|return|>",
            new() { LogProbabilities = 0 },
            "sunny",
            " rain"
        );
        string given = "",
            tokens = "";
        foreach (ChatResponseUpdate update in updates)
        {
            given += TextOf(update);
            tokens += Text(TokenProbability.Of(update));
            Assert.StartsWith(given, tokens); // the "s" of " is" could begin "sunny", and comes with the next piece
        }
        Assert.Equal("It is sun and 🦜", given);
        Assert.Equal(given, tokens);
        // The tokens of the bird, which is no character before the last of them
        Assert.Contains(updates, update => TokenProbability.Of(update)?.Count > 1);
    }

    [Fact]
    public async Task Hidden_reasoning_gives_its_tokens_to_nobody()
    {
        ChatOptions options = Options(new() { LogProbabilities = 0 });
        options.Reasoning = new() { Output = ReasoningOutput.None };
        List<ChatResponseUpdate> updates = await Source(Greeting)
            .Client()
            .GetStreamingResponseAsync("Hi", options, Stop)
            .ToListAsync(Stop);
        Assert.Equal("Hello there!", string.Concat(updates.Select(update => Text(TokenProbability.Of(update)))));
    }

    private static async Task<List<ChatResponseUpdate>> Updates(
        string answer,
        GptOssRequestOptions own,
        params string[] stops
    )
    {
        ChatOptions options = Options(own);
        (options.Tools, options.StopSequences) = ([Weather(_ => "")], stops);
        return await Source(answer).Client().GetStreamingResponseAsync("Hi", options, Stop).ToListAsync(Stop);
    }

    private static TokenScript Source(string answer) =>
        new(answer) { IsFree = true, Report = id => new(id, -0.5f, []) };

    private static string Text(IReadOnlyList<TokenProbability>? tokens) =>
        TokenScript.Tokenizer.Decode((tokens ?? []).Select(token => token.Token));

    private static string TextOf(ChatResponseUpdate update) =>
        string.Concat(
            update.Contents.Select(content =>
                content switch
                {
                    TextContent text => text.Text,
                    TextReasoningContent text => text.Text,
                    { RawRepresentation: CallDelta piece } => piece.Delta,
                    _ => "",
                }
            )
        );

    [Fact]
    public void Two_are_equal_where_their_likely_tokens_are()
    {
        TokenProbability one = With(-0.5f, new(1, -0.5f), new(2, -1));
        Assert.Equal(one, With(-0.5f, new(1, -0.5f), new(2, -1)));
        Assert.Equal(one.GetHashCode(), With(-0.5f, new(1, -0.5f), new(2, -1)).GetHashCode());
        Assert.NotEqual(one, With(-0.5f, new(1, -0.5f), new(2, -2)));
        Assert.NotEqual(one, With(-0.5f, new LikelyToken(1, -0.5f)));
        Assert.NotEqual(one, With(-0.25f, new(1, -0.5f), new(2, -1)));

        static TokenProbability With(float own, params LikelyToken[] best) => new(1, own, best);
    }

    [Fact]
    public async Task Log_probabilities_survive_json_as_numbers_and_without_reflection()
    {
        var source = new TokenScript(Greeting)
        {
            Report = id => new(id, float.NegativeInfinity, [new LikelyToken(id, -0.5f)]),
        };
        ChatMessage live = (
            await source.Client().GetResponseAsync("Hi", Options(new() { LogProbabilities = 1 }), Stop)
        ).Messages[0];
        JsonElement value = Assert.IsType<JsonElement>(live.AdditionalProperties!["logprobs"]);
        Assert.All(value.EnumerateArray(), token =>
            Assert.Equal(JsonValueKind.Number, token.GetProperty("logProbability").ValueKind)
        );

        ChatMessage stored = Assert.Single(Stored(live));
        Assert.Equal(Flat(TokenProbability.Of(live)!), Flat(TokenProbability.Of(stored)!));
        Assert.Equal(float.MinValue, TokenProbability.Of(stored)![0].LogProbability);
        Assert.Equal(-0.5f, TokenProbability.Of(stored)![0].Best[0].LogProbability);
        Assert.Null(TokenProbability.Of(new ChatMessage(ChatRole.Assistant, "Hi")));
        Assert.Null(
            TokenProbability.Of(
                new ChatMessage(ChatRole.Assistant, "Hi")
                {
                    AdditionalProperties = new() { ["logprobs"] = JsonElement.Parse("{}") },
                }
            )
        );

        static IEnumerable<(int, float, int)> Flat(IReadOnlyList<TokenProbability> tokens) =>
            tokens.Select(token => (token.Token, token.LogProbability, token.Best[0].Token));
    }

    /// <summary>There and back, as somebody stores and reads a conversation.</summary>
    private static List<ChatMessage> Stored(ChatMessage message) =>
        JsonSerializer.Deserialize<List<ChatMessage>>(
            JsonSerializer.Serialize<List<ChatMessage>>([message], AIJsonUtilities.DefaultOptions),
            AIJsonUtilities.DefaultOptions
        )!;
}

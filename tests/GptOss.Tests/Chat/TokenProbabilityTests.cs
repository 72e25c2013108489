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

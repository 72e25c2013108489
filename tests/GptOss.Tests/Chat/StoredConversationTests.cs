using System.Text.Json;
using GptOss.Harmony;
using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>
/// A conversation that was stored as JSON gives the prompt that the live one gives, token by token, with another
/// client.
/// </summary>
public sealed class StoredConversationTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answers_of_every_shape_are_the_same_prompt_live_and_stored_and_continue_what_the_model_wrote()
    {
        int carried = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            (List<int> answer, bool isCall) = AnswerDraw.Draw(random);
            bool isHidden = random.Next(4) == 0;
            ChatOptions options = Asked(isHidden, hasForm: random.Next(4) == 0);
            TokenScript first = TokenScript.OfIds(answer);
            ChatResponse response = await first.Client().GetResponseAsync("Go", options, Stop);
            ChatMessage said = Assert.Single(response.Messages);
            carried += said.AdditionalProperties is null ? 0 : 1;
            List<ChatMessage> history = [new(ChatRole.User, "Go"), said];
            if (isCall)
                history.Add(
                    new(
                        ChatRole.Tool,
                        [new FunctionResultContent(said.Contents.OfType<FunctionCallContent>().Single().CallId, "done")]
                    )
                );
            else
                history.Add(new(ChatRole.User, "And?"));

            int[] live = await Prompt(history, options);
            int[] stored = await Prompt(Stored(history), options);

            Assert.True(live.SequenceEqual(stored), $"Seed {seed}:\n{Text(live)}\n{Text(stored)}");
            // Of the model's own words nothing is changed: the prompt goes on behind them.
            int[] expected = [.. first.Requests[0].Prompt, .. answer.SkipLast(1), isCall ? Special.Call : Special.End];
            Assert.True(
                expected.SequenceEqual(live.Take(expected.Length)),
                $"Seed {seed}:\n{Text(expected)}\n{Text(live)}"
            );
        }
        Assert.InRange(carried, 50, 390);
    }

    public static TheoryData<string> Contents => [.. SomeContents.OfEveryKind().Keys];

    [Theory]
    [MemberData(nameof(Contents))]
    public async Task Contents_of_every_kind_are_the_same_prompt_live_and_stored(string kind)
    {
        foreach (ChatRole role in new[] { ChatRole.System, ChatRole.User, ChatRole.Assistant, ChatRole.Tool })
        {
            AIContent content = SomeContents.OfEveryKind()[kind];
            if (
                role == ChatRole.User
                && content is DataContent or UriContent
                && kind.StartsWith("media", StringComparison.Ordinal)
            )
                continue; // refused: somebody wants it read
            List<ChatMessage> history =
            [
                new(ChatRole.User, "Go"),
                new(
                    ChatRole.Assistant,
                    [
                        new TextContent("Calling."),
                        new FunctionCallContent("1", "f", new Dictionary<string, object?> { ["a"] = 1 }),
                    ]
                ),
                new(ChatRole.Tool, [new FunctionResultContent("1", "one")]),
                new(role, [content]) { AuthorName = "Ada", MessageId = "m" },
                new(role, [new TextContent("before"), content, new TextContent("after")]),
                new(ChatRole.User, "Well?"),
            ];

            Assert.Equal(Text(await Prompt(history, Options())), Text(await Prompt(Stored(history), Options())));
        }
    }

    private static SpecialTokens Special { get; } = new(TokenScript.Tokenizer);

    private static string Text(IEnumerable<int> prompt) => TokenScript.Tokenizer.Decode(prompt);

    /// <summary>There and back, as somebody stores and reads a conversation.</summary>
    private static List<ChatMessage> Stored(List<ChatMessage> history) =>
        JsonSerializer.Deserialize<List<ChatMessage>>(
            JsonSerializer.Serialize(history, AIJsonUtilities.DefaultOptions),
            AIJsonUtilities.DefaultOptions
        )!;

    private static async Task<int[]> Prompt(List<ChatMessage> history, ChatOptions options)
    {
        TokenScript source = TokenScript.OfIds(TokenScript.Tokenizer.SpecialTokens["<|return|>"]);
        await source.Client().GetResponseAsync(history, options, Stop);
        return [.. source.Requests[0].Prompt];
    }

    private static ChatOptions Asked(bool isHidden, bool hasForm)
    {
        ChatOptions options = Options(new() { KeepReasoning = KeepReasoning.All });
        options.Tools = [AIFunctionFactory.Create((string city) => city, "get_weather")];
        options.Reasoning = new ReasoningOptions { Output = isHidden ? ReasoningOutput.None : ReasoningOutput.Full };
        options.ResponseFormat = hasForm ? ChatResponseFormat.Json : null;
        return options;
    }
}

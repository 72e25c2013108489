using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Chat;
using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>Histories as other libraries, stores and callers make them.</summary>
public sealed class ForeignHistoryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Results_of_calls_that_share_an_id_within_a_message_are_dealt_out_in_order()
    {
        foreach (string id in new[] { "", "1" })
        {
            string prompt = await Prompt(
                new(ChatRole.Assistant, [new FunctionCallContent(id, "f"), new FunctionCallContent(id, "g")]),
                new(ChatRole.Tool, [new FunctionResultContent(id, "one")]),
                new(ChatRole.Tool, [new FunctionResultContent(id, "two"), new FunctionResultContent(id, "three")])
            );

            Assert.EndsWith(
                "<|start|>functions.f to=assistant<|channel|>commentary<|message|>one<|end|>"
                    + "<|start|>assistant<|channel|>commentary to=functions.g <|constrain|>json<|message|>{}<|call|>"
                    + "<|start|>functions.g to=assistant<|channel|>commentary<|message|>two<|end|>"
                    + "<|start|>functions.g to=assistant<|channel|>commentary<|message|>three<|end|><|start|>assistant",
                prompt
            );
        }
    }

    [Fact]
    public async Task One_call_object_that_stands_in_a_history_twice_has_the_results_of_its_place()
    {
        var call = new FunctionCallContent("1", "f");
        string prompt = await Prompt(
            new(ChatRole.Assistant, [call]),
            new(ChatRole.Tool, [new FunctionResultContent("1", "one")]),
            new(ChatRole.Assistant, [call]),
            new(ChatRole.Tool, [new FunctionResultContent("1", "two")])
        );

        Assert.Contains("<|message|>one<|end|>", prompt);
        Assert.Equal(2, prompt.Split("<|message|>two<|end|>").Length);
    }

    [Fact]
    public async Task A_message_without_a_role_is_refused_by_its_number()
    {
        var error = await Assert.ThrowsAsync<NotSupportedException>(() => Prompt(new ChatMessage(default, "x")));
        Assert.StartsWith("Message 1 is of the role ''", error.Message);
    }

    public static TheoryData<string, object?> PartForms =>
        new()
        {
            { "node", JsonNode.Parse(Parts) },
            { "text", Parts },
            { "element of a text", JsonElement.Parse(JsonSerializer.Serialize(Parts)) },
            {
                "lists",
                new List<object?>
                {
                    new Dictionary<string, object?>
                    {
                        ["channel"] = "commentary",
                        ["in"] = "Text",
                        ["length"] = 5,
                    },
                }
            },
        };

    private const string Parts = """[{"channel":"commentary","in":"Text","length":5}]""";

    [Theory]
    [MemberData(nameof(PartForms), DisableDiscoveryEnumeration = true)]
    public async Task Parts_and_probabilities_are_read_in_whatever_form_a_store_gives_them_back(
        string form,
        object? parts
    )
    {
        var message = new ChatMessage(ChatRole.Assistant, "Hello")
        {
            AdditionalProperties = new() { ["harmony.parts"] = parts },
        };
        Assert.True(
            (await Prompt(message)).Contains("commentary<|message|>Hello<|end|>", StringComparison.Ordinal),
            form
        );

        const string Stored = """[{"token":17,"logProbability":-0.25}]""";
        message.AdditionalProperties["logprobs"] = parts is string ? Stored : JsonNode.Parse(Stored);
        Assert.Equal(17, Assert.Single(TokenProbability.Of(message)!).Token);
    }

    [Theory]
    [InlineData("[null]")]
    [InlineData("""[{"token":1,"logProbability":0,"best":[null]}]""")]
    [InlineData("\"text\"")]
    [InlineData("{}")]
    public void Probabilities_of_a_stranger_are_none(string stored)
    {
        var message = new ChatMessage(ChatRole.Assistant, "x")
        {
            AdditionalProperties = new() { ["logprobs"] = JsonElement.Parse(stored) },
        };
        Assert.Null(TokenProbability.Of(message));
    }

    [Theory]
    [InlineData("""[{"channel":"final","in":"Text"},{"channel":"final","in":"Text","length":5}]""")]
    [InlineData(
        """[{"channel":"final","in":"Text","length":5},{"channel":"analysis","in":"Nowhere","length":5,"words":"x"}]"""
    )]
    public async Task Parts_that_the_client_never_writes_are_left_alone(string parts)
    {
        var message = new ChatMessage(ChatRole.Assistant, "Hello")
        {
            AdditionalProperties = new() { ["harmony.parts"] = JsonElement.Parse(parts) },
        };
        Assert.EndsWith(
            "<|start|>assistant<|channel|>final<|message|>Hello<|end|><|start|>assistant",
            await PromptWith(new GptOssRequestOptions { KeepReasoning = KeepReasoning.All }, message)
        );
    }

    [Theory]
    [InlineData(false)] // all of one kind: one long text
    [InlineData(true)] // reasoning and text in turn: as many messages
    public async Task Time_grows_with_the_number_of_contents_and_not_with_its_square(bool inTurn)
    {
        await Seconds(2_000);
        double few = await Seconds(4_000),
            many = await Seconds(64_000);

        Assert.True(many < 16 * 6 * Math.Max(few, 0.01), $"{few:F3} s, then {many:F3} s for 16 times as many.");

        async Task<double> Seconds(int count)
        {
            var message = new ChatMessage(
                ChatRole.Assistant,
                [
                    .. Enumerable
                        .Range(0, count)
                        .Select(i =>
                            inTurn && i % 2 == 1 ? (AIContent)new TextReasoningContent("r") : new TextContent("word ")
                        ),
                ]
            );
            long start = Stopwatch.GetTimestamp();
            await Prompt(message);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    [Theory]
    [InlineData("utf-7")] // disabled in .NET
    [InlineData("windows-1252")]
    [InlineData("no-such-thing")]
    [InlineData("utf-8")]
    public async Task A_text_in_an_encoding_that_is_not_there_is_read_as_UTF_8(string charset) =>
        Assert.Contains(
            "<|message|>hello<|end|>",
            await Prompt(
                new ChatMessage(ChatRole.User, [new DataContent($"data:text/plain;charset={charset};base64,aGVsbG8=")])
            )
        );

    [Theory]
    [InlineData("application/x-yaml", true)]
    [InlineData("application/javascript", true)]
    [InlineData("application/x-ndjson", true)]
    [InlineData("application/toml", true)]
    [InlineData("application/xhtml+xml", true)]
    [InlineData("application/sql", true)]
    [InlineData("image/svg+xml", false)]
    [InlineData("application/pdf", false)]
    [InlineData("application/octet-stream", false)]
    public async Task Notations_that_people_write_by_hand_are_text(string type, bool isText)
    {
        var message = new ChatMessage(ChatRole.User, [new DataContent(Encoding.UTF8.GetBytes("hello"), type)]);
        if (isText)
            Assert.Contains("<|message|>hello<|end|>", await Prompt(message));
        else
            Assert.Contains(
                "as text.",
                (await Assert.ThrowsAsync<NotSupportedException>(() => Prompt(message))).Message
            );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_name_that_cannot_fit_is_refused_before_it_is_encoded(bool isAuthor)
    {
        string name = new('a', 3_000_000);
        ChatMessage[] history = isAuthor
            ? [new(ChatRole.User, "x") { AuthorName = name }]
            :
            [
                new(ChatRole.Assistant, [new FunctionCallContent("1", name)]),
                new(ChatRole.Tool, [new FunctionResultContent("1", "y")]),
            ];

        var error = await Assert.ThrowsAsync<ContextLengthException>(() =>
            new TokenScript(Greeting).Client().GetResponseAsync(history, Options(), Stop)
        );
        Assert.Contains("at least", error.Message);
    }

    [Fact]
    public async Task A_tool_of_a_strangers_class_needs_a_name_and_nothing_else()
    {
        var source = new TokenScript(Greeting);
        await source.Client().GetResponseAsync("Hi", new ChatOptions { Tools = [new BareTool("f")] }, Stop);
        Assert.Contains("type f = (_: any) => any;", source.Prompt());

        var error = await Assert.ThrowsAsync<ArgumentException>(() =>
            source.Client().GetResponseAsync("Hi", new ChatOptions { Tools = [new BareTool(null)] }, Stop)
        );
        Assert.Contains("(BareTool) without a name", error.Message);
    }

    private sealed class BareTool(string? name) : AIFunctionDeclaration
    {
        public override string Name => name!;

        public override string Description => null!;
    }

    private static Task<string> Prompt(params ChatMessage[] history) => PromptWith(new GptOssRequestOptions(), history);

    private static async Task<string> PromptWith(GptOssRequestOptions own, params ChatMessage[] history)
    {
        var source = new TokenScript(Greeting);
        using var client = new GptOssChatClient(
            new ChatSource(source, TokenScript.Tokenizer, "script", null, ContextLength: 2_000_000),
            null,
            ownsModel: false,
            null
        );
        await client.GetResponseAsync(history, Options(own), Stop);
        return source.Prompt();
    }
}

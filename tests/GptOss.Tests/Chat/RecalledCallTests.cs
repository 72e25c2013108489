using System.Text.Json;
using GptOss.Chat;
using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>
/// Clients of other protocols send a call back without the reasoning before it, and its arguments as their own JSON
/// writer has them. The model then finds what it wrote, to the token, by the call's id.
/// </summary>
public sealed class RecalledCallTests
{
    private const string Written =
        """{"city": "S\u00e3o Paulo", "days": [1, 2.0, 30], "units": {"wind": "kn", "t": "C"}}""";
    private const string Said =
        "<|channel|>analysis<|message|>I need the weather.<|end|><|start|>assistant"
        + "<|channel|>commentary<|message|>Let me look.<|end|><|start|>assistant"
        + "<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>"
        + Written
        + "<|call|>";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Written)]
    [InlineData("""{"city":"São Paulo","days":[1,2.0,30],"units":{"wind":"kn","t":"C"}}""")]
    [InlineData(
        "{\n  \"units\": {\n    \"t\": \"C\",\n    \"wind\": \"kn\"\n  },\n  \"days\": [\n    1,\n    2,\n    3e1\n  ],\n  \"city\": \"São Paulo\"\n}"
    )]
    public async Task A_call_whose_arguments_are_the_same_json_is_replayed_as_it_was_written(string given)
    {
        TokenScript source = await Ask(Back(given));

        // The second prompt goes on behind the last token of the first answer, so that all of it is found again.
        List<int> first = [.. source.Requests[0].Prompt, .. RawHarmony.Encode(Said, TokenScript.Tokenizer, Stop)];
        Assert.Equal(first, source.Requests[1].Prompt.Take(first.Count));
    }

    /// <summary>A caller who does not want to see the reasoning cannot give it back.</summary>
    [Fact]
    public async Task Reasoning_that_was_hidden_is_given_back_too()
    {
        TokenScript source = await Ask(
            Back("""{"days":[1,2,30],"units":{"wind":"kn","t":"C"},"city":"São Paulo"}"""),
            isHidden: true
        );
        Assert.Contains(Said, source.Prompt(1));
    }

    [Theory]
    [InlineData("""{"city":"São Paulo","days":[1,2,31],"units":{"wind":"kn","t":"C"}}""")]
    [InlineData("""{"city":"São Paulo","days":[2,1,30],"units":{"wind":"kn","t":"C"}}""")]
    [InlineData("""{"city":"São Paulo","days":[1,2,30]}""")]
    [InlineData("""{"city":"São Paulo","days":[1,2,"30"],"units":{"wind":"kn","t":"C"}}""")]
    [InlineData("{}")]
    public async Task A_call_whose_arguments_were_changed_is_taken_as_it_came(string given)
    {
        TokenScript source = await Ask(Back(given));
        Assert.DoesNotContain("I need the weather.", source.Prompt(1));
        Assert.Contains($"<|message|>{given}<|call|>", source.Prompt(1));
    }

    [Theory]
    [InlineData("Let me see.", "get_weather", "call_")] // other words
    [InlineData("Let me look.", "get_rain", "call_")] // another function
    [InlineData("Let me look.", "get_weather", "mine_")] // an id that was not given
    public async Task What_is_not_the_answer_that_was_given_is_taken_as_it_came(string text, string name, string id)
    {
        TokenScript source = await Ask(given =>
            [new TextContent(text), new FunctionCallContent(given.CallId.Replace("call_", id), name, given.Arguments)]
        );
        Assert.DoesNotContain("I need the weather.", source.Prompt(1));
        Assert.Contains(text, source.Prompt(1));
    }

    [Theory]
    [InlineData("one", "one", true, true)]
    [InlineData(null, null, true, true)]
    [InlineData("one", "two", true, false)]
    [InlineData("one", null, true, false)]
    [InlineData("one", "one", false, false)]
    public async Task It_is_found_within_its_scope_only_and_where_a_host_wants_it(
        string? scope,
        string? other,
        bool recalls,
        bool isFound
    )
    {
        TokenScript source = await Ask(Back(Written), Own(scope, recalls), Own(other, recalls));
        Assert.Equal(isFound, source.Prompt(1).Contains("I need the weather.", StringComparison.Ordinal));

        static GptOssRequestOptions Own(string? scope, bool recalls) =>
            new() { CacheScope = scope, RecallAnswers = recalls };
    }

    /// <summary>Nothing but the id tells the two answers apart: the later one counts.</summary>
    [Fact]
    public void An_id_that_is_given_twice_takes_no_more_memory_than_one()
    {
        var memory = new AnswerMemory(capacityBytes: 10_000);
        SpokenMessage[] spoken = [new("final", new string('x', 1000))];
        memory.Add("gptoss-1", [new TextContent("x")], spoken);
        long once = memory.Bytes;
        for (int i = 0; i < 1000; i++)
            memory.Add("gptoss-1", [new TextContent("y")], spoken);

        Assert.Equal(once, memory.Bytes);
        Assert.NotNull(memory.Find(new ChatMessage(ChatRole.Assistant, "y") { MessageId = "gptoss-1" }));
    }

    // The contents of a client that knows no reasoning.
    private static Func<FunctionCallContent, List<AIContent>> Back(string arguments) =>
        call =>
            [
                new TextContent("Let me look."),
                FunctionCallContent.CreateFromParsedArguments(arguments, call.CallId, call.Name, static text =>
                    JsonSerializer.Deserialize<Dictionary<string, object?>>(text)
                ),
            ];

    // A call, and what a client makes of it, with its result.
    private static async Task<TokenScript> Ask(
        Func<FunctionCallContent, List<AIContent>> back,
        GptOssRequestOptions? first = null,
        GptOssRequestOptions? second = null,
        bool isHidden = false
    )
    {
        var source = new TokenScript(Said, Answer);
        using GptOssChatClient client = source.Client();
        var question = new ChatMessage(ChatRole.User, "Weather?");
        ChatOptions options = Offered(first);
        options.Reasoning = isHidden ? new() { Output = ReasoningOutput.None } : null;
        ChatResponse response = await client.GetResponseAsync([question], options, Stop);
        Assert.Equal(isHidden, !response.Messages[0].Contents.Any(content => content is TextReasoningContent));
        FunctionCallContent call = response.Messages[0].Contents.OfType<FunctionCallContent>().Single();
        var given = new ChatMessage(ChatRole.Assistant, back(call));
        string id = given.Contents.OfType<FunctionCallContent>().Single().CallId;
        await client.GetResponseAsync(
            [question, given, new(ChatRole.Tool, [new FunctionResultContent(id, "sunny")])],
            Offered(second),
            Stop
        );
        return source;
    }

    private static ChatOptions Offered(GptOssRequestOptions? own)
    {
        ChatOptions options = Options(own ?? new() { RecallAnswers = true });
        options.Tools = [Weather(_ => "")];
        return options;
    }
}

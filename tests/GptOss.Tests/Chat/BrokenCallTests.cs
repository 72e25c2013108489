using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>A call that is not whole is never carried out, and the model gets to know.</summary>
public sealed class BrokenCallTests
{
    private const string Begin = "<|channel|>commentary to=functions.delete_files <|constrain|>json<|message|>";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(
        "<|channel|>analysis<|message|>Away with it.<|end|><|start|>assistant" + Begin + """{"folder": "a"}<|call|>"""
    )]
    [InlineData(Begin + "<|call|>")] // no arguments at all
    [InlineData(" to=functions.delete_files<|channel|>commentary json<|message|>{\"folder\":\"a\"}<|call|>")]
    [InlineData(Begin + """["{\"folder\":\"a\"}"]<|call|>""")]
    public async Task A_call_that_a_limit_cuts_anywhere_is_never_carried_out(string answer)
    {
        int tokens = TokenScript.Count(answer);
        for (int limit = 1; limit <= tokens; limit++)
        {
            var source = new TokenScript(answer, Answer);
            var files = new Files();
            ChatOptions options = files.Offered();
            options.MaxOutputTokens = limit;
            ChatResponse response = await source.Loop().GetResponseAsync("Go", options, Stop);

            bool isWhole = limit == tokens;
            Assert.Equal(isWhole ? 1 : 0, files.Deleted.Count);
            FunctionCallContent? call = response.Messages[0].Contents.OfType<FunctionCallContent>().SingleOrDefault();
            if (!isWhole)
            {
                Assert.Equal(ChatFinishReason.Length, response.FinishReason);
                Assert.True(
                    call is null or { InformationalOnly: true, Arguments: null, Exception: not null },
                    $"limit {limit}"
                );
            }
        }
    }

    public static TheoryData<string> NoJson =>
        [
            """{"folder": "Lisb""", // broken off
            "{",
            "}",
            "delete all", // no JSON at all
            "{'folder': 'a'}",
            "{\"folder\": \"a\",}",
            "{\"folder\": \"a\"} and more",
            "{\"folder\": \"a\"}{\"folder\": \"b\"}",
            "[1, 2]", // JSON, but no object
            "null",
            "true",
            "42",
            "\"folder\"",
            "{\"folder\": \"\\ud800\"}", // half of a surrogate pair
            "{\"folder\": \"a\nb\"}", // a line break within a string
            "{\"folder\": NaN}",
            "{\"folder\": \"a\" /* c */}",
        ];

    [Theory]
    [MemberData(nameof(NoJson))]
    public async Task Arguments_that_are_no_json_object_are_told_to_the_model_which_goes_on(string arguments)
    {
        var source = new TokenScript(Begin + arguments + "<|call|>", Begin + """{"folder":"a"}<|call|>""", Answer);
        var files = new Files();
        ChatResponse response = await source.Loop().GetResponseAsync("Go", files.Offered(), Stop);

        Assert.Equal(["a"], files.Deleted);
        Assert.Equal("It is sunny.", response.Messages[^1].Text);
        Assert.Single(response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>());
        Assert.StartsWith(
            source.Prompt(0)
                + Begin
                + arguments
                + "<|call|>"
                + "<|start|>functions.delete_files to=assistant<|channel|>commentary<|message|>Error: the arguments of this call are not a JSON object (",
            source.Prompt(1)
        );
        Assert.EndsWith("<|end|><|start|>assistant", source.Prompt(1));
        // In a later prompt the call that was not carried out is left out.
        Assert.DoesNotContain("Error", source.Prompt(2));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task After_so_many_tries_the_call_is_given_for_information_only(int repairs)
    {
        var source = new TokenScript(Begin + "oops<|call|>");
        var files = new Files();
        ChatOptions options = files.Offered(new() { RepairCalls = repairs });
        ChatResponse response = await source.Loop().GetResponseAsync("Go", options, Stop);

        Assert.Equal(repairs + 1, source.Requests.Count);
        Assert.Empty(files.Deleted);
        FunctionCallContent call = Assert.Single(response.Messages[^1].Contents.OfType<FunctionCallContent>());
        Assert.True(call is { InformationalOnly: true, Exception: not null, Name: "delete_files" });
        Assert.Equal("oops", call.RawRepresentation);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);

        // Given back, it is left out: it has no result.
        await source
            .Client()
            .GetResponseAsync([new(ChatRole.User, "Go"), .. response.Messages, new(ChatRole.User, "?")], options, Stop);
        Assert.DoesNotContain("oops", source.Prompt(repairs + 1));
    }

    [Fact]
    public void Two_tries_are_the_default_and_fewer_than_none_are_refused()
    {
        Assert.Equal(2, new GptOssRequestOptions().RepairCalls);
        Assert.Throws<ArgumentOutOfRangeException>("RepairCalls", () => new GptOssRequestOptions { RepairCalls = -1 });
    }

    [Theory]
    [InlineData("<|end|>")]
    [InlineData("<|return|>")]
    [InlineData("<|start|>")]
    [InlineData("<|endoftext|>")]
    public async Task Whatever_ended_the_broken_call_the_model_goes_on_behind_a_call(string end)
    {
        var source = new TokenScript(
            Begin + "oops" + end + (end is "<|end|>" or "<|start|>" ? "assistant<|return|>" : ""),
            Answer
        );
        ChatResponse response = await source.Client().GetResponseAsync("Go", new Files().Offered(), Stop);

        Assert.Equal("It is sunny.", response.Text);
        Assert.Contains("oops<|call|><|start|>functions.delete_files to=assistant", source.Prompt(1));
    }

    [Fact]
    public async Task One_answer_s_tokens_are_counted_over_all_tries_and_its_limit_holds_for_all()
    {
        string broken = Begin + "oops<|call|>";
        var source = new TokenScript(broken, Answer);
        ChatOptions options = new Files().Offered(new() { IncludeRawHarmony = true });
        options.MaxOutputTokens = TokenScript.Count(broken) + 2;
        ChatResponse response = await source.Client().GetResponseAsync("Go", options, Stop);

        Assert.Equal(2, source.Requests[1].MaxTokens);
        Assert.Equal(TokenScript.Count(broken) + 2, response.Usage!.OutputTokenCount);
        Assert.Equal(source.Requests[1].Prompt.Count - TokenScript.Count(broken), response.Usage.InputTokenCount);
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.StartsWith(
            broken + "<|start|>functions.delete_files to=assistant",
            (string)response.Messages[0].AdditionalProperties!["harmony.answer"]!
        );

        options.MaxOutputTokens = TokenScript.Count(broken);
        response = await source.Client().GetResponseAsync("Go", options, Stop);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason); // the script's last line is an answer
    }

    [Fact]
    public async Task Where_no_token_is_left_for_another_try_the_reason_is_the_limit()
    {
        string broken = Begin + "oops<|call|>";
        var source = new TokenScript(broken);
        ChatOptions options = new Files().Offered();
        options.MaxOutputTokens = TokenScript.Count(broken);
        ChatResponse response = await source.Client().GetResponseAsync("Go", options, Stop);

        Assert.Single(source.Requests);
        Assert.True(Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>()).InformationalOnly);
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
    }

    [Theory]
    [InlineData("functions.get_weather", "{\"city\":\"Lisbon\"}", false)]
    [InlineData("functions.get_weather", "{\"city\":\"Lisbon\"}", true)] // offered, but forbidden by the tool mode
    [InlineData("python", "print(1)", false)]
    [InlineData("browser.search", "{\"query\":\"x\"}", false)]
    public async Task A_call_where_no_function_is_offered_is_told_to_the_model_which_answers_in_words(
        string function,
        string arguments,
        bool isForbidden
    )
    {
        var source = new TokenScript($"<|channel|>commentary to={function}<|message|>{arguments}<|call|>", Answer);
        ChatOptions options = Options(new() { FreeCalls = true });
        if (isForbidden)
        {
            options.Tools = [Weather(_ => throw new InvalidOperationException("called"))];
            options.ToolMode = ChatToolMode.None;
        }
        ChatResponse response = await source.Loop().GetResponseAsync("Weather?", options, Stop);

        Assert.Equal("It is sunny.", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Contains(
            $"<|start|>{function} to=assistant<|channel|>commentary<|message|>Error: there is no function",
            source.Prompt(1)
        );
        Assert.Empty(response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>());
    }

    [Fact]
    public async Task A_name_beside_those_that_are_offered_is_the_function_loop_s_affair()
    {
        var source = new TokenScript("<|channel|>commentary to=functions.fly<|message|>{}<|call|>", Answer);
        ChatResponse response = await source.Loop().GetResponseAsync("Go", new Files().Offered(), Stop);

        Assert.Equal("fly", Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>()).Name);
        Assert.Contains(
            "<|start|>functions.fly to=assistant<|channel|>commentary<|message|>Error: Requested function \"fly\" not found.",
            source.Prompt(1)
        );
    }

    [Fact]
    public async Task What_was_not_carried_out_is_logged_by_name_without_its_words()
    {
        using var log = new Journal(LogLevel.Warning);
        var source = new TokenScript("<|channel|>commentary to=functions.secret<|message|>{\"password\":1}<|call|>");
        await source.Client(log).GetResponseAsync("Go", Options(new() { FreeCalls = true }), Stop);

        Assert.Equal(3, log.Lines.Count);
        Assert.All(log.Lines, line => Assert.Contains("'secret'", line));
        Assert.All(log.Lines, line => Assert.DoesNotContain("password", line));
    }

    [Fact]
    public async Task A_budget_of_reasoning_holds_over_all_tries()
    {
        string thought = "<|channel|>analysis<|message|>The user wants all files gone.<|end|><|start|>assistant";
        var source = new TokenScript(thought + Begin + "oops<|call|>", thought + Begin + """{"folder":"a"}<|call|>""");
        ChatResponse response = await source
            .Client()
            .GetResponseAsync("Go", new Files().Offered(new() { ReasoningBudget = 8 }), Stop);

        Assert.InRange(response.Usage!.ReasoningTokenCount!.Value, 1, 8);
    }

    /// <summary>A function whose parameters are all optional: the one that must not run by mistake.</summary>
    private sealed class Files
    {
        public List<string?> Deleted { get; } = [];

        public ChatOptions Offered(GptOssRequestOptions? own = null)
        {
            ChatOptions options = Options((own ?? new()) with { FreeCalls = true });
            options.Tools = [AIFunctionFactory.Create((string? folder = null) => Deleted.Add(folder), "delete_files")];
            return options;
        }
    }
}

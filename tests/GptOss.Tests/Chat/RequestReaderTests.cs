using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>What <see cref="ChatOptions"/> become.</summary>
public sealed class ChatRequestTests
{
    private const string Turn = "<|start|>assistant";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sampling_and_limits_are_taken_over()
    {
        var bias = new Dictionary<int, float> { [5] = -1 };
        ChatOptions options = Options(
            new()
            {
                MinP = 0.1f,
                RepetitionPenalty = 1.2f,
                LogitBias = bias,
                LogProbabilities = 2,
            }
        );
        options.Temperature = 0.5f;
        options.TopP = 0.9f;
        options.TopK = 40;
        options.FrequencyPenalty = 0.25f;
        options.PresencePenalty = -0.25f;
        options.Seed = -1;
        options.MaxOutputTokens = 100;
        TokenScript source = await Ask(options);

        Assert.Equal(
            new SamplingOptions
            {
                Temperature = 0.5f,
                TopP = 0.9f,
                TopK = 40,
                FrequencyPenalty = 0.25f,
                PresencePenalty = -0.25f,
                MinP = 0.1f,
                RepetitionPenalty = 1.2f,
                Seed = ulong.MaxValue,
            },
            source.Requests[0].Sampling with
            {
                LogitBias = null,
            }
        );
        Assert.Equal(bias, source.Requests[0].Sampling.LogitBias);
        Assert.Equal(100, source.Requests[0].MaxTokens);
        Assert.Equal(2, source.Requests[0].LogProbabilities);
        Assert.Equal([200002, 200012, 199999], source.Requests[0].StopTokens); // never 200007, <|end|>
    }

    [Fact]
    public async Task Without_options_the_models_defaults_hold()
    {
        var source = new TokenScript(Greeting);
        await source.Client().GetResponseAsync("Hi", cancellationToken: Stop);

        Assert.Equal(SamplingOptions.Default, source.Requests[0].Sampling);
        Assert.Equal(ModelOptions.Default.MaxOutputTokens, source.Requests[0].MaxTokens);
        Assert.Contains($"Current date: {TimeProvider.System.GetLocalNow():yyyy-MM-dd}", source.Prompt());
    }

    [Theory]
    [InlineData(null, "medium")]
    [InlineData(ReasoningEffort.Low, "low")]
    [InlineData(ReasoningEffort.Medium, "medium")]
    [InlineData(ReasoningEffort.High, "high")]
    [InlineData(ReasoningEffort.ExtraHigh, "high")]
    [InlineData(ReasoningEffort.None, "low")]
    public async Task Effort_is_told_to_the_model(ReasoningEffort? effort, string word)
    {
        ChatOptions options = Options();
        options.Reasoning = new ReasoningOptions { Effort = effort };
        TokenScript source = await Ask(options, effort == ReasoningEffort.None ? "Hello.<|return|>" : Greeting);

        Assert.Contains($"Current date: 2026-11-24\n\nReasoning: {word}\n\n", source.Prompt());
        Assert.EndsWith(effort == ReasoningEffort.None ? Turn + "<|channel|>final<|message|>" : Turn, source.Prompt());
    }

    [Fact]
    public async Task No_effort_leaves_the_choice_where_functions_are_offered()
    {
        ChatOptions options = Options();
        options.Reasoning = new ReasoningOptions { Effort = ReasoningEffort.None };
        options.Tools = [Weather(_ => "")];

        Assert.EndsWith(Turn, (await Ask(options)).Prompt());
    }

    [Fact]
    public async Task Text_after_a_begun_answer_is_the_answer()
    {
        ChatOptions options = Options();
        options.Reasoning = new ReasoningOptions { Effort = ReasoningEffort.None };
        ChatResponse response = await new TokenScript("Hello.<|return|>")
            .Client()
            .GetResponseAsync("Hi", options, Stop);

        Assert.Equal("Hello.", response.Text);
        Assert.Equal(0, response.Usage!.ReasoningTokenCount);
    }

    [Fact]
    public async Task Functions_are_shown_under_names_that_are_identifiers_and_called_under_their_own()
    {
        AIFunction function = AIFunctionFactory.Create((int count) => count, "count.the things", "Counts.");
        ChatOptions options = Options();
        options.Tools = [function, new HostedWebSearchTool()];
        var source = new TokenScript(
            """<|channel|>commentary to=functions.count_the_things <|constrain|>json<|message|>{"count":2}<|call|>"""
        );
        ChatResponse response = await source.Client().GetResponseAsync("Hi", options, Stop);

        Assert.Contains("// Counts.\ntype count_the_things = (_: {\ncount: number,\n}) => any;", source.Prompt());
        Assert.Contains("Calls to these tools must go to the commentary channel: 'functions'.", source.Prompt());
        Assert.Equal("count.the things", Assert.IsType<FunctionCallContent>(response.Messages[0].Contents[0]).Name);
    }

    [Fact]
    public async Task A_function_of_no_schema_has_no_parameters()
    {
        ChatOptions options = Options();
        options.Tools =
        [
            AIFunctionFactory.CreateDeclaration("where", null, System.Text.Json.JsonElement.Parse("null")),
        ];

        Assert.Contains("type where = () => any;", (await Ask(options)).Prompt());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_schema_too_deep_to_be_shown_is_cut_and_a_warning_names_its_tool(bool cleanSchemas)
    {
        using var log = new Journal(Microsoft.Extensions.Logging.LogLevel.Warning);
        string deep = string.Concat(Enumerable.Repeat("""{"type":"array","items":""", 60)) + "{}" + new string('}', 60);
        ChatOptions options = Options(new() { CleanSchemas = cleanSchemas });
        options.Tools =
        [
            AIFunctionFactory.CreateDeclaration("dig.down", "Digs.", System.Text.Json.JsonElement.Parse(deep)),
            Weather(_ => ""),
        ];
        var source = new TokenScript(Greeting);

        Assert.Equal("Hello there!", (await source.Client(log).GetResponseAsync("Hi", options, Stop)).Text);
        Assert.Contains("type dig_down = (_: any[]", source.Prompt());
        Assert.Contains(
            "The schema of the function 'dig_down' is nested more than 32 levels deep.",
            Assert.Single(log.Lines)
        );
    }

    [Fact]
    public async Task Where_calls_are_forbidden_no_function_is_shown()
    {
        ChatOptions options = Options();
        options.Tools = [Weather(_ => "")];
        options.ToolMode = ChatToolMode.None;

        Assert.DoesNotContain("get_weather", (await Ask(options)).Prompt());
    }

    [Theory]
    [InlineData("get_weather", 2, " to=functions.get_weather <|constrain|>json<|message|>")]
    [InlineData(null, 1, " to=functions.get_weather <|constrain|>json<|message|>")] // there is only one to call
    [InlineData(null, 2, " to=functions")] // the model goes on with the dot
    public async Task A_required_call_is_begun(string? name, int offered, string header)
    {
        ChatOptions options = Options();
        options.Tools =
        [
            .. new AITool[] { Weather(_ => ""), AIFunctionFactory.Create(() => 1, "other") }.Take(offered),
        ];
        options.ToolMode = name is null ? ChatToolMode.RequireAny : ChatToolMode.RequireSpecific(name);
        string rest = header.EndsWith("functions", StringComparison.Ordinal) ? ".get_weather<|message|>" : "";
        var source = new TokenScript(rest + """{"city":"Lisbon"}<|call|>""");
        ChatResponse response = await source.Client().GetResponseAsync("Hi", options, Stop);

        Assert.EndsWith(Turn + "<|channel|>commentary" + header, source.Prompt());
        var call = Assert.IsType<FunctionCallContent>(Assert.Single(response.Messages[0].Contents));
        Assert.Equal(("get_weather", "Lisbon"), (call.Name, call.Arguments!["city"]!.ToString()));
        Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
    }

    [Fact]
    public async Task Impossible_requests_are_refused_before_anything_is_made()
    {
        AITool weather = Weather(_ => "");
        var function = await Refused<InvalidOperationException>(
            new ChatOptions { Tools = [weather], ToolMode = ChatToolMode.RequireSpecific("fly") }
        );
        Assert.Contains("'fly'", function.Message);
        await Refused<InvalidOperationException>(new ChatOptions { ToolMode = ChatToolMode.RequireAny });
        await Refused<ArgumentOutOfRangeException>(new ChatOptions { MaxOutputTokens = 0 });
        await Refused<ArgumentOutOfRangeException>(new ChatOptions { Temperature = 3 });
        await Refused<ArgumentOutOfRangeException>(new ChatOptions { TopP = 0 });
        var twins = await Refused<ArgumentException>(new ChatOptions { Tools = [weather, Weather(_ => "")] });
        Assert.Contains("'get_weather'", twins.Message);
    }

    [Theory]
    [InlineData(1e-38f, null)] // makes logits infinite
    [InlineData(0f, null)]
    [InlineData(11f, null)]
    [InlineData(float.NaN, null)]
    [InlineData(null, 3.4e38f)]
    [InlineData(null, float.NaN)]
    [InlineData(null, float.PositiveInfinity)]
    public async Task Values_that_make_no_sense_are_refused_with_the_options_name(float? penalty, float? bias)
    {
        var own = new GptOssRequestOptions
        {
            RepetitionPenalty = penalty,
            LogitBias = bias is null ? null : new Dictionary<int, float> { [5] = bias.Value },
        };
        var error = await Refused<ArgumentOutOfRangeException>(Options(own));
        Assert.Contains(penalty is null ? "LogitBias" : "RepetitionPenalty", error.Message);
    }

    [Fact]
    public async Task Names_in_messages_hold_no_characters_that_act()
    {
        const string Evil = "a\nb\u202ec\u2028\u001b[31m\u200b\ud800";
        ChatOptions call = new() { Tools = [Weather(_ => "")], ToolMode = ChatToolMode.RequireSpecific(Evil) };
        string[] messages =
        [
            (await Refused<InvalidOperationException>(call)).Message,
            (
                await Assert.ThrowsAsync<NotSupportedException>(() =>
                    new TokenScript(Greeting)
                        .Client()
                        .GetResponseAsync([new ChatMessage(new ChatRole(Evil), "x")], cancellationToken: Stop)
                )
            ).Message,
        ];
        Assert.All(messages, message => Assert.Contains("a\\u000ab\\u202ec\\u2028\\u001b[31m\\u200b\\ud800", message));
    }

    [Fact]
    public async Task A_text_that_may_fit_is_counted_to_the_token()
    {
        var error = await Refused<ContextLengthException>(Options(), string.Concat(Enumerable.Repeat("x y ", 10_000)));
        Assert.InRange(error.PromptTokens, 20_000, 21_000);
    }

    [Fact]
    public async Task What_has_no_meaning_here_changes_neither_request_nor_response()
    {
        ChatOptions options = Options();
        options.ConversationId = "thread";
        options.AllowMultipleToolCalls = false;
        options.AdditionalProperties = new() { ["temperature"] = 0.1, ["max_length"] = 1 };
        var source = new TokenScript(Greeting);
        ChatResponse response = await source.Client().GetResponseAsync("Hi", options, Stop);

        Assert.Equal((await Ask(Options())).Prompt(), source.Prompt());
        Assert.Equal(
            (SamplingOptions.Default, ModelOptions.Default.MaxOutputTokens),
            (source.Requests[0].Sampling, source.Requests[0].MaxTokens)
        );
        Assert.Null(response.ConversationId); // with one, a function loop would no longer send the history
    }

    [Fact]
    public async Task A_form_of_json_is_shown_with_its_schema()
    {
        ChatOptions options = Options();
        options.ResponseFormat = ChatResponseFormat.Json;
        Assert.Contains(
            "# Response Formats\n\n## answer\n\n// A JSON object.\n{\"type\":\"object\"}",
            (await Ask(options)).Prompt()
        );
        options.ResponseFormat = ChatResponseFormat.Text;
        Assert.DoesNotContain("# Response Formats", (await Ask(options)).Prompt());
    }

    [Fact]
    public async Task Log_probabilities_come_with_the_message()
    {
        var source = new TokenScript(Greeting)
        {
            Report = id => new(id, -0.5f, [new GptOss.Sampling.TokenLogProbability(id, -0.5f)]),
        };
        ChatResponse response = await source
            .Client()
            .GetResponseAsync("Hi", Options(new() { LogProbabilities = 1 }), Stop);

        IReadOnlyList<TokenProbability> list = TokenProbability.Of(response.Messages[0])!;
        Assert.Equal(response.Usage!.OutputTokenCount, list.Count);
        Assert.All(list, token => Assert.Equal((token.Token, -0.5f), (token.Best[0].Token, token.LogProbability)));
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
        Assert.EndsWith("<|start|>user<|message|>Hi<|end|>" + Turn, source.Prompt());
        Assert.Equal(Greeting, response.Messages[0].AdditionalProperties!["harmony.answer"]);
        Assert.Null((await source.Client().GetResponseAsync("Hi", Options(), Stop)).Messages[0].AdditionalProperties);
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(2, "The user")]
    public async Task A_reasoning_budget_closes_the_reasoning_and_opens_the_answer(int budget, string kept)
    {
        // After the dictated header the script goes on where it was: with the rest of the reasoning, now an answer.
        var source = new TokenScript("<|channel|>analysis<|message|>The user greets.<|return|>");
        ChatResponse response = await source
            .Client()
            .GetResponseAsync("Hi", Options(new() { ReasoningBudget = budget }), Stop);

        Assert.Equal(
            kept,
            string.Concat(response.Messages[0].Contents.OfType<TextReasoningContent>().Select(r => r.Text))
        );
        Assert.Equal("The user greets."[kept.Length..], response.Text);
        Assert.Equal(budget, response.Usage!.ReasoningTokenCount);
    }

    [Fact]
    public async Task A_reasoning_within_its_budget_is_left_alone()
    {
        ChatResponse response = await new TokenScript(Greeting)
            .Client()
            .GetResponseAsync("Hi", Options(new() { ReasoningBudget = 5 }), Stop);

        Assert.Equal("Hello there!", response.Text);
    }

    private static async Task<TokenScript> Ask(ChatOptions options, string answer = Greeting)
    {
        var source = new TokenScript(answer);
        await source.Client().GetResponseAsync("Hi", options, Stop);
        return source;
    }

    private static async Task<T> Refused<T>(ChatOptions options, string text = "Hi")
        where T : Exception
    {
        var source = new TokenScript(Greeting);
        T error = await Assert.ThrowsAnyAsync<T>(() => source.Client().GetResponseAsync(text, options, Stop));
        Assert.Empty(source.Requests);
        return error;
    }
}

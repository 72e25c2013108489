using Microsoft.Extensions.AI;
using static GptOss.Tests.Chat.ChatScript;

namespace GptOss.Tests.Chat;

/// <summary>What <see cref="ChatOptions"/> become, and which of them are refused.</summary>
public sealed class RequestReaderTests
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
        Assert.EndsWith(Turn, source.Prompt());
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
    public async Task A_bias_that_forbids_every_token_is_refused_before_anything_is_made()
    {
        Dictionary<int, float> bias = Enumerable
            .Range(0, TokenScript.Tokenizer.VocabularySize)
            .ToDictionary(id => id, _ => float.NegativeInfinity);
        var refusal = await Refused<ArgumentException>(Options(new GptOssRequestOptions { LogitBias = bias }));
        Assert.Equal("options", refusal.ParamName);
        Assert.Contains("LogitBias", refusal.Message);
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
        Assert.Equal(4096, error.ContextLength);
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
            (await Ask(options, "<|channel|>final<|message|>{}<|return|>")).Prompt()
        );
        options.ResponseFormat = ChatResponseFormat.Text;
        Assert.DoesNotContain("# Response Formats", (await Ask(options)).Prompt());
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

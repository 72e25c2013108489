using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Chat;

/// <summary>The tiny model in a real function loop. Its card gives what it can: a lower rate is a fault of rendering, parsing or arithmetic.</summary>
public sealed class TinyModelChatTests : IAsyncLifetime
{
    private GptOssChatClient _client = null!;

    public async ValueTask InitializeAsync() => _client = await GptOssChatClient.LoadAsync(TinyGptOss.Folder);

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    [Trait("speed", "slow")]
    public async Task Calls_answers_and_sums_are_as_exact_as_the_model()
    {
        using var questions = JsonDocument.Parse(File.ReadAllBytes(Repository.Vector("tiny-model", "questions.json")));
        int calls = 0, rightCalls = 0, rightAnswers = 0, sums = 0, rightSums = 0;
        foreach (JsonElement question in questions.RootElement.EnumerateArray())
        {
            string text = question.GetProperty("question").GetString()!, answer = question.GetProperty("answer").GetString()!;
            ChatOptions options = Options(question.GetProperty("effort").GetString()!);
            if (question.GetProperty("kind").GetString() != "tool")
            {
                sums++;
                if ((await _client.GetResponseAsync(text, options, TestContext.Current.CancellationToken)).Text == answer) rightSums++;
                continue;
            }

            calls++;
            var offered = question.GetProperty("tools").EnumerateArray()
                .Select(tool => new ScriptedFunction(tool, question.GetProperty("result").GetString()!)).ToList();
            options.Tools = [.. offered];
            IChatClient loop = _client.AsBuilder().UseFunctionInvocation().Build();
            ChatResponse response = await loop.GetResponseAsync(text, options, TestContext.Current.CancellationToken);

            JsonElement expected = question.GetProperty("call");
            ScriptedFunction? called = offered.SingleOrDefault(function => function.Calls.Count == 1);
            bool isExact = called is not null && offered.Sum(function => function.Calls.Count) == 1
                && called.Name == expected.GetProperty("name").GetString()
                && JsonNode.DeepEquals(called.Calls[0], JsonNode.Parse(expected.GetProperty("arguments").GetRawText()));
            if (!isExact) continue;
            rightCalls++;
            if (response.Messages[^1].Text == answer) rightAnswers++;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"calls {rightCalls} of {calls}, answers {rightAnswers} of {rightCalls}, sums {rightSums} of {sums}");
        Assert.Equal((150, 50), (calls, sums));
        Assert.InRange(rightCalls, 143, 150);
        Assert.InRange(rightAnswers, rightCalls * 99 / 100, rightCalls);
        Assert.InRange(rightSums, 48, 50);
    }

    private static ChatOptions Options(string effort) => new()
    {
        Temperature = 0,
        Reasoning = new ReasoningOptions
        {
            Effort = effort switch { "low" => ReasoningEffort.Low, "high" => ReasoningEffort.High, _ => ReasoningEffort.Medium },
        },
        RawRepresentationFactory = _ => new GptOssRequestOptions { CurrentDate = new DateOnly(2026, 11, 24) },
    };

    /// <summary>A function with the schema of a question, which notes its arguments and returns the question's result.</summary>
    private sealed class ScriptedFunction(JsonElement tool, string result) : AIFunction
    {
        public List<JsonNode?> Calls { get; } = [];

        public override string Name => tool.GetProperty("name").GetString()!;

        public override string Description => tool.GetProperty("description").GetString() ?? "";

        public override JsonElement JsonSchema => tool.GetProperty("parameters");

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            Calls.Add(JsonSerializer.SerializeToNode(arguments.ToDictionary(pair => pair.Key, pair => pair.Value)));
            return ValueTask.FromResult<object?>(result);
        }
    }
}

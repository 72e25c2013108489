using System.Text.Json;
using GptOss.Generation;
using GptOss.Tests.Generation;
using GptOss.Tests.Tokenization;

namespace GptOss.Tests;

/// <summary>
/// What the tiny model says, token by token: its training code and a float64 reference agree on all of these
/// (vectors/tiny-model). The smallest margin between first and second choice is 0.02, so an error that moves a logit by
/// more shows here.
/// </summary>
public sealed class GoldenAnswersTests : IAsyncLifetime
{
    private GptOssModel _model = null!;

    public async ValueTask InitializeAsync() => _model = await GptOssModel.LoadAsync(TinyGptOss.Folder);

    public ValueTask DisposeAsync() => _model.DisposeAsync();

    [Fact]
    [Trait("speed", "slow")]
    public async Task The_tiny_model_gives_all_29_golden_answers()
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Repository.Vector("tiny-model", "golden.json")));
        int compared = 0;
        foreach (JsonElement entry in golden.RootElement.EnumerateArray())
        {
            List<int> prompt = SpecialSpellings.Encode(
                _model.Tokenizer.Inner,
                entry.GetProperty("prompt").GetString()!
            );
            Assert.Equal(Ids(entry.GetProperty("prompt_tokens")), prompt);

            var answer = new List<int>();
            await foreach (
                int token in _model.Generate(
                    prompt,
                    SamplingOptions.Greedy,
                    cancellationToken: TestContext.Current.CancellationToken
                )
            )
                answer.Add(token);
            Assert.Equal(Ids(entry.GetProperty("output_tokens")), answer);
            compared++;
        }
        Assert.Equal(29, compared);
    }

    [Fact]
    [Trait("speed", "slow")]
    public async Task Guessed_tokens_change_none_of_them_greedy_or_sampled()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Repository.Vector("tiny-model", "golden.json")));
        int guessed = 0,
            right = 0;
        foreach (JsonElement entry in golden.RootElement.EnumerateArray())
        {
            int[] prompt = Ids(entry.GetProperty("prompt_tokens")),
                expected = Ids(entry.GetProperty("output_tokens"));
            Assert.Equal(expected, await Guessing(prompt, SamplingOptions.Greedy));
            for (ulong seed = 1; seed <= 2; seed++)
            {
                var sampled = new SamplingOptions { Seed = seed, TopP = 0.95f };
                List<int> plain = [];
                await foreach (int token in _model.Generate(prompt, sampled, maxTokens: 60, cancellationToken: stop))
                    plain.Add(token);
                Assert.Equal(plain, await Guessing(prompt, sampled, maxTokens: 60));
            }
        }
        Figure.Tell($"{right} of {guessed} guesses were right");
        Assert.InRange(right, 1, guessed);

        // A scheduler that has measured no pass of several rows guesses at the first opportunity, on any machine.
        async Task<int[]> Guessing(int[] prompt, SamplingOptions sampling, int? maxTokens = null)
        {
            using var scheduler = new Scheduler(_model.Engine, ModelOptions.Default);
            using Sequence sequence = scheduler.Submit(
                new GenerationRequest
                {
                    Prompt = prompt,
                    Sampling = sampling,
                    MaxTokens = maxTokens,
                    StopTokens = [.. _model.StopTokens],
                    PromptLookup = true,
                },
                stop
            );
            Answer answer = await Answer.Of(sequence, stop);
            guessed += sequence.Telemetry.GuessedTokens;
            right += sequence.Telemetry.RightTokens;
            return answer.Ids;
        }
    }

    private static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];
}

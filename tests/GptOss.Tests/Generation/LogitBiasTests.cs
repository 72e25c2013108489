using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>A bias that forbids every token is refused; every other one gives an answer.</summary>
public sealed class LogitBiasTests : IDisposable
{
    private const int Vocabulary = 512;
    private readonly LoadedModel _model = LoadedModel.Random(new TinyShape { VocabSize = Vocabulary }, seed: 1);
    private readonly Scheduler _scheduler;

    public LogitBiasTests() => _scheduler = new Scheduler(_model.Engine, ModelOptions.Default);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void A_bias_that_forbids_every_token_is_refused_with_the_request()
    {
        Dictionary<int, float> bias = Forbidding(Enumerable.Range(0, Vocabulary));
        bias[Vocabulary] = 1; // an id that the model does not have leaves nothing to choose
        bias[Vocabulary + 1] = 1;

        var refused = Assert.Throws<ArgumentException>(() =>
            _scheduler.Submit(Request(new SamplingOptions { LogitBias = bias }), Stop)
        );

        Assert.Equal(
            "LogitBias should leave at least one token that may be chosen, but it forbids all 512 of "
                + "the vocabulary. Give one of them a value above negative infinity. (Parameter 'request')",
            refused.Message
        );
    }

    [Fact]
    public async Task A_bias_that_leaves_one_token_gives_that_token()
    {
        Dictionary<int, float> bias = Forbidding(Enumerable.Range(0, Vocabulary).Where(token => token != 17));
        bias[Vocabulary] = float.NegativeInfinity; // as many entries as the vocabulary has tokens
        int[] answer = await Answer(new SamplingOptions { LogitBias = bias });
        Assert.Equal(Enumerable.Repeat(17, 8), answer);
    }

    /// <summary>
    /// Only negative infinity forbids: a penalty multiplies the logit of a low bias, and it stays finite.
    /// </summary>
    [Theory]
    [InlineData(float.MinValue, 10f)]
    [InlineData(-1e38f, 10f)]
    [InlineData(float.MinValue, 1f)]
    [InlineData(-1e38f, 0.1f)]
    public async Task A_token_with_a_low_bias_is_chosen_where_all_others_are_forbidden(float low, float repetition)
    {
        Dictionary<int, float> bias = Forbidding(Enumerable.Range(0, Vocabulary).Where(token => token != 17));
        bias[17] = low;
        int[] answer = await Answer(
            new SamplingOptions
            {
                LogitBias = bias,
                RepetitionPenalty = repetition,
                FrequencyPenalty = 2,
                PresencePenalty = 2,
            }
        );
        Assert.Equal(Enumerable.Repeat(17, 8), answer);
    }

    [Fact]
    public async Task Log_probabilities_are_the_model_s_own_whatever_the_bias_forbids()
    {
        GeneratedToken free = (await Tokens(SamplingOptions.Greedy))[0];
        Dictionary<int, float> bias = Forbidding(Enumerable.Range(0, Vocabulary).Where(token => token != 17));

        GeneratedToken bound = (await Tokens(SamplingOptions.Greedy with { LogitBias = bias }))[0];

        Assert.Equal(17, bound.Id);
        Assert.Equal(free.Best, bound.Best);
        Assert.InRange(bound.LogProbability!.Value, -100f, free.LogProbability!.Value);
    }

    public void Dispose()
    {
        _model.Engine.Close();
        _scheduler.Dispose();
        _model.Dispose();
    }

    private static Dictionary<int, float> Forbidding(IEnumerable<int> tokens) =>
        tokens.ToDictionary(token => token, _ => float.NegativeInfinity);

    private static GenerationRequest Request(SamplingOptions sampling) =>
        new()
        {
            Prompt = [1, 2, 17],
            Sampling = sampling with { Seed = 1 },
            MaxTokens = 8,
            LogProbabilities = 5,
        };

    private async Task<int[]> Answer(SamplingOptions sampling) =>
        [.. (await Tokens(sampling)).Select(token => token.Id)];

    private async Task<GeneratedToken[]> Tokens(SamplingOptions sampling)
    {
        using Sequence sequence = _scheduler.Submit(Request(sampling), Stop);
        return await sequence.ReadAsync(Stop).ToArrayAsync(Stop);
    }
}

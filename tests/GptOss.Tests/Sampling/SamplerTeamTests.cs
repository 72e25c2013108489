using GptOss.Kernels;
using GptOss.Sampling;
using GptOss.Tests.Kernels;
using GptOss.Threading;

namespace GptOss.Tests.Sampling;

public sealed class SamplerTeamTests
{
    private const int Vocabulary = 300,
        Count = 16;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Each_row_gets_the_token_that_one_sampler_would_choose(int workers)
    {
        using var team = new WorkerTeam(workers);
        var samplers = new SamplerTeam(team);
        var alone = new Sampler();
        for (int round = 0; round < 20; round++)
        {
            float[] logits = [.. Sample.Floats(Count * Vocabulary, seed: round).Select(value => 6 * value)];
            TokenChoice[] choices = [.. Enumerable.Range(0, Count).Select(row => Choice(row, round))];
            int[] expected =
            [
                .. choices.Select(
                    (choice, row) => alone.Next(logits.AsSpan(row * Vocabulary, Vocabulary).ToArray(), choice)
                ),
            ];

            samplers.Choose(new Rows(logits, Vocabulary), choices);

            Assert.Equal(expected, choices.Select(choice => choice.Token));
            Assert.All(choices, choice => Assert.Null(choice.Fault));
        }
    }

    [Fact]
    public void Probabilities_are_those_before_bias_and_penalties()
    {
        using var team = new WorkerTeam(2);
        float[] logits = Sample.Floats(2 * Vocabulary, seed: 3);
        var probabilities = new LogProbabilities();
        probabilities.Take(logits.AsSpan(Vocabulary));
        LikelyToken[] best = probabilities.Best(4);
        var forced = SamplingOptions.Greedy with { LogitBias = new Dictionary<int, float> { [7] = 100 } };
        TokenChoice[] choices =
        [
            new() { Options = forced, Seed = 1 },
            new()
            {
                Options = forced,
                Seed = 1,
                Row = 1,
                LogProbabilities = 4,
            },
        ];

        new SamplerTeam(team).Choose(new Rows(logits, Vocabulary), choices);

        Assert.Null(choices[0].Likely);
        Assert.Equal(7, choices[1].Token);
        Assert.Equal(probabilities.Of(7), choices[1].LogProbability);
        Assert.Equal(best, choices[1].Likely);
    }

    [Fact]
    public void A_row_that_is_damaged_or_forbidden_fails_alone()
    {
        using var team = new WorkerTeam(2);
        float[] logits = Sample.Floats(3 * Vocabulary, seed: 4);
        logits[5] = float.NaN;
        var forbidden = SamplingOptions.Greedy with
        {
            LogitBias = Enumerable.Range(0, Vocabulary).ToDictionary(id => id, _ => float.NegativeInfinity),
        };
        TokenChoice[] choices =
        [
            new() { Options = SamplingOptions.Greedy, Seed = 1 },
            new()
            {
                Options = forbidden,
                Seed = 1,
                Row = 1,
            },
            new()
            {
                Options = SamplingOptions.Greedy,
                Seed = 1,
                Row = 2,
            },
        ];

        new SamplerTeam(team).Choose(new Rows(logits, Vocabulary), choices);

        Assert.Equal((true, -1, null), (choices[0].IsDamaged, choices[0].Token, choices[0].Fault));
        Assert.Equal((true, -1, null), (choices[1].IsForbidden, choices[1].Token, choices[1].Fault));
        float[] last = logits[(2 * Vocabulary)..];
        Assert.Equal(Array.IndexOf(last, last.Max()), choices[2].Token);
    }

    private static TokenChoice Choice(int row, int round) =>
        new()
        {
            Options = SamplingOptions.Default with
            {
                Temperature = row % 4 / 2f,
                TopP = row % 3 == 0 ? 0.8f : 1,
                RepetitionPenalty = row % 2 == 0 ? 1.3f : 1,
            },
            Seed = (ulong)row,
            Row = row,
            Position = (ulong)round,
            History = row % 2 == 0 ? new TokenHistory([1, 2, row]) : null,
        };
}

// Over 300 lines: each step of choosing a token, in the order of the steps, on the same logits.
using GptOss.Sampling;
using GptOss.Tests.Kernels;

namespace GptOss.Tests.Sampling;

public sealed class SamplerTests
{
    private const int Vocabulary = 300;
    private readonly Sampler _sampler = new();

    /// <summary>Spread like a model's: some likely tokens, a long tail.</summary>
    private static float[] Logits(int seed) => [.. Sample.Floats(Vocabulary, seed).Select(value => 6 * value)];

    [Fact]
    public void Greedy_takes_the_most_likely_token_and_of_equals_the_lowest_id()
    {
        float[] logits = Logits(1);
        foreach (int at in (int[])[7, 120, 299])
            logits[at] = 50;
        Assert.Equal(7, Next(logits, SamplingOptions.Greedy, 0));
        logits[7] = float.NegativeInfinity;
        Assert.Equal(120, Next(logits, SamplingOptions.Greedy, 0));
        Assert.Equal(0, Next([-0f, 0f], SamplingOptions.Greedy with { }, 0) & ~1); // either zero is a best token
    }

    public static TheoryData<float, int?, float, float> Choices =>
        new()
        {
            { 1f, null, 1f, 0f },
            { 0.7f, null, 1f, 0f },
            { 2f, null, 1f, 0f },
            { 1f, 5, 1f, 0f },
            { 1f, 1, 1f, 0f },
            { 1f, Vocabulary, 1f, 0f },
            { 1f, 100_000, 1f, 0f }, // more than there are
            { 1f, null, 0.9f, 0f },
            { 1f, null, 0.3f, 0f },
            { 1f, null, 1e-30f, 0f }, // keeps the best token
            { 0.8f, 40, 0.95f, 0f }, // top-p of what top-k left
            { 1f, null, 1f, 0.05f },
            { 1f, null, 1f, 1f }, // the best and its equals
            { 1.3f, 50, 0.9f, 0.02f },
        };

    [Theory, MemberData(nameof(Choices))]
    public void Each_token_comes_as_often_as_the_definition_says(float temperature, int? topK, float topP, float minP)
    {
        const int Draws = 10_000;
        var options = new SamplingOptions
        {
            Temperature = temperature,
            TopK = topK,
            TopP = topP,
            MinP = minP,
        };
        float[] logits = Logits(2);
        double[] expected = Reference(logits, options);
        var counts = new int[Vocabulary];
        for (int position = 0; position < Draws; position++)
            counts[Next(_sampler, [.. logits], options, 5, (ulong)position)]++;

        // Pearson's χ², the tokens expected less than five times thrown together.
        double chiSquare = 0,
            rareExpected = 0;
        int classes = 0,
            rare = 0;
        for (int token = 0; token < Vocabulary; token++)
        {
            double wanted = Draws * expected[token];
            if (wanted == 0)
                Assert.Equal(0, counts[token]);
            if (wanted < 5)
            {
                (rareExpected, rare) = (rareExpected + wanted, rare + counts[token]);
                continue;
            }
            chiSquare += (counts[token] - wanted) * (counts[token] - wanted) / wanted;
            classes++;
        }
        if (rareExpected >= 5)
        {
            chiSquare += (rare - rareExpected) * (rare - rareExpected) / rareExpected;
            classes++;
        }
        // Mean n, deviation √2n: four of them are passed once in 10⁴ seeds at least, and this seed is fixed.
        int freedom = classes - 1;
        Assert.InRange(chiSquare, 0, freedom + 4 * Math.Sqrt(2 * freedom) + 1e-9);
    }

    [Fact]
    public void Draws_follow_seed_and_position_alone()
    {
        var options = new SamplingOptions { TopP = 0.95f };
        int[] Run(Sampler sampler, ulong seed, IEnumerable<int> positions) =>
            [.. positions.Select(position => Next(sampler, Logits(position), options, seed, (ulong)position))];

        int[] forward = Run(_sampler, 9, Enumerable.Range(0, 200));
        Assert.Equal(forward, Run(new Sampler(), 9, Enumerable.Range(0, 200)));
        Assert.Equal(forward.Reverse(), Run(_sampler, 9, Enumerable.Range(0, 200).Reverse()));
        Assert.NotEqual(forward, Run(_sampler, 10, Enumerable.Range(0, 200)));
    }

    [Theory]
    [InlineData(1e-45f)] // the smallest float32: its reciprocal is infinite
    [InlineData(1e-20f)]
    public void A_tiny_temperature_is_greedy(float temperature)
    {
        var options = new SamplingOptions { Temperature = temperature };
        for (int seed = 0; seed < 20; seed++)
            Assert.Equal(Next(Logits(seed), SamplingOptions.Greedy, 1), Next(Logits(seed), options, (ulong)seed));
    }

    [Fact]
    public void Logits_far_apart_and_far_from_zero_are_no_trouble()
    {
        Assert.Equal(1, Next([-3e38f, 3e38f, 0], new SamplingOptions(), 1));
        Assert.Equal(1, Next([-3e38f, -2e38f, -3e38f], new SamplingOptions { TopP = 0.5f, TopK = 2 }, 1));
        Assert.Equal(
            0,
            Next(
                [4],
                new SamplingOptions
                {
                    TopK = 3,
                    TopP = 0.1f,
                    MinP = 1,
                },
                1
            )
        );
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_logit_that_is_not_finite_is_seen_wherever_it_is(float value)
    {
        foreach (int at in (int[])[0, 1, 17, 298, 299])
        {
            float[] logits = Logits(1);
            Assert.True(Sampler.CanBeSampled(logits));
            logits[at] = value;
            Assert.False(Sampler.CanBeSampled(logits));
        }
    }

    [Fact]
    public void Uniform_numbers_lie_in_the_unit_interval_evenly_and_neighbours_have_nothing_in_common()
    {
        const int Count = 100_000;
        for (ulong seed = 0; seed < 3; seed++)
        {
            double[] u = [.. Enumerable.Range(0, Count).Select(position => Sampler.Uniform(seed, (ulong)position))];
            double[] other =
            [
                .. Enumerable.Range(0, Count).Select(position => Sampler.Uniform(seed + 1, (ulong)position)),
            ];
            Assert.All(u, value => Assert.InRange(value, 0, Math.BitDecrement(1.0)));
            // Deviations of a mean of n: √(1/12n) and, for the product of two centred ones, 1/(12√n); five of them.
            Assert.Equal(0.5, u.Average(), 5 * Math.Sqrt(1 / (12.0 * Count)));
            double product = 5 / (12 * Math.Sqrt(Count));
            Assert.Equal(0, u.Zip(u.Skip(1), (a, b) => (a - 0.5) * (b - 0.5)).Average(), product);
            Assert.Equal(0, u.Zip(other, (a, b) => (a - 0.5) * (b - 0.5)).Average(), product);
            Assert.Equal(Count, u.Distinct().Count());
        }
        Assert.InRange(Sampler.Uniform(ulong.MaxValue, ulong.MaxValue), 0, 1);
    }

    [Fact]
    public void Bias_and_penalties_come_before_everything_else()
    {
        float[] logits = Logits(3);
        var bias = new Dictionary<int, float>
        {
            [11] = 100,
            [12] = float.NegativeInfinity,
            [100_000] = 5,
        };
        Assert.Equal(11, Next(logits, new SamplingOptions { Temperature = 0, LogitBias = bias }, 1));
        logits[12] = 1000;
        Assert.NotEqual(12, Next(logits, new SamplingOptions { LogitBias = bias }, 1));

        var history = new TokenHistory([5]);
        history.Add(6);
        history.Add(6);
        float[] flat = [.. new float[5], 3, 3, 2.5f];
        int Choose(SamplingOptions options) => Next(_sampler, [.. flat], options, 1, 1, history);
        Assert.Equal(5, Choose(SamplingOptions.Greedy));
        Assert.Equal(7, Choose(SamplingOptions.Greedy with { RepetitionPenalty = 2 })); // 5 and 6 become 1.5
        Assert.Equal(5, Choose(SamplingOptions.Greedy with { PresencePenalty = 2 })); // the prompt's 5 is not meant
        flat[5] = 0;
        Assert.Equal(6, Choose(SamplingOptions.Greedy with { PresencePenalty = 0.4f })); // 2.6
        Assert.Equal(7, Choose(SamplingOptions.Greedy with { FrequencyPenalty = 0.4f })); // twice: 2.2
    }

    /// <summary>Biases and logits at the ends of float32, and the strongest penalties.</summary>
    [Fact]
    public void A_token_that_is_not_forbidden_is_always_found()
    {
        const int Few = 12;
        float[] biases = [float.NegativeInfinity, float.NegativeInfinity, float.MinValue, -1e38f, 0, 10_000];
        float[] spreads = [6, 1e30f, 3e38f];
        var random = new Random(1);
        for (int run = 0; run < 3000; run++)
        {
            var bias = Enumerable.Range(0, Few).ToDictionary(token => token, _ => Any(biases));
            bias[random.Next(Few)] = Any(biases[2..]);
            Assert.False(Penalties.ForbidsEverything(bias, Few));
            var options = new SamplingOptions
            {
                LogitBias = bias,
                Temperature = Any([0, 1e-45f, 1, 2]),
                TopK = Any([(int?)null, 1, 5]),
                TopP = Any([1e-30f, 0.5f, 1]),
                MinP = Any([0, 0.1f, 1]),
                RepetitionPenalty = Any([0.1f, 1, 10]),
                FrequencyPenalty = Any([-2f, 0, 2]),
                PresencePenalty = Any([-2f, 0, 2]),
            };
            var history = new TokenHistory(Enumerable.Range(0, random.Next(Few)));
            for (int token = 0; token < 20; token++)
                history.Add(random.Next(Few));
            float spread = Any(spreads);
            float[] logits = [.. Enumerable.Range(0, Few).Select(_ => spread * (2 * random.NextSingle() - 1))];

            int chosen = Next(_sampler, logits, options, 1, (ulong)run, history);

            Assert.False(float.IsNegativeInfinity(bias[chosen]), $"run {run} chose the forbidden token {chosen}");
            Assert.Equal(
                Enumerable.Range(0, Few).Where(token => float.IsNegativeInfinity(bias[token])),
                Enumerable.Range(0, Few).Where(token => !float.IsFinite(logits[token]))
            );
        }

        T Any<T>(T[] values) => values[random.Next(values.Length)];
    }

    [Theory]
    [InlineData(3, 3, 0, true)]
    [InlineData(3, 2, 1, false)] // the id beyond the vocabulary is not the third token
    [InlineData(3, 2, 0, false)]
    [InlineData(3, 3, 5, true)]
    [InlineData(1, 1, 0, true)]
    public void Everything_is_forbidden_where_each_id_of_the_vocabulary_is(
        int vocabulary,
        int forbidden,
        int beyond,
        bool expected
    )
    {
        var bias = Enumerable
            .Range(0, forbidden)
            .Concat(Enumerable.Range(vocabulary, beyond))
            .ToDictionary(token => token, _ => float.NegativeInfinity);
        Assert.Equal(expected, Penalties.ForbidsEverything(bias, vocabulary));
        Assert.False(Penalties.ForbidsEverything(null, vocabulary));
        bias[0] = float.MinValue;
        Assert.False(Penalties.ForbidsEverything(bias, vocabulary));
    }

    [Fact]
    public void Log_probabilities_are_those_of_the_whole_vocabulary()
    {
        float[] logits = Logits(4);
        double logSum = Math.Log(logits.Sum(logit => Math.Exp(logit)));
        var probabilities = new LogProbabilities();
        probabilities.Take(Logits(5)); // a place before, of which nothing must be left
        probabilities.Take(logits);

        LikelyToken[] best = probabilities.Best(20);

        // One rounding of a number near 10, and those of the exponentials.
        Assert.All(logits.Index(), logit => Assert.Equal(logit.Item - logSum, probabilities.Of(logit.Index), 1e-5));
        int[] order = [.. Enumerable.Range(0, Vocabulary).OrderByDescending(token => logits[token]).Take(20)];
        Assert.Equal(order, best.Select(token => token.Token));
        Assert.All(best, token => Assert.Equal(probabilities.Of(token.Token), token.LogProbability));
        Assert.Empty(probabilities.Best(0));
        Assert.Equal(Vocabulary, probabilities.Best(1000).Length);
    }

    [Fact]
    public void Log_probabilities_stay_those_of_the_logits_that_were_taken()
    {
        float[] logits = Logits(4);
        var probabilities = new LogProbabilities();
        probabilities.Take(logits);
        LikelyToken[] before = probabilities.Best(5);
        logits.AsSpan().Fill(float.NegativeInfinity);
        Assert.Equal(before, probabilities.Best(5));
    }

    [Fact]
    public void Each_form_of_a_mask_gives_the_same_token()
    {
        var random = new Random(11);
        for (int run = 0; run < 3_000; run++)
        {
            SamplingOptions options = new()
            {
                Temperature = random.Next(4) == 0 ? 0 : random.Next(1, 4) / 2f,
                TopK = random.Next(3) == 0 ? random.Next(1, Vocabulary + 2) : null,
                TopP = random.Next(3) == 0 ? 1 : random.Next(1, 20) / 20f,
                MinP = random.Next(3) == 0 ? 0.05f : 0,
                FrequencyPenalty = random.Next(3) == 0 ? 0.5f : 0,
                RepetitionPenalty = random.Next(3) == 0 ? 1.5f : 1,
                LogitBias = random.Next(3) == 0 ? new Dictionary<int, float> { [random.Next(Vocabulary)] = 2 } : null,
            };
            var bits = new ulong[TokenMask.Words(Vocabulary)];
            for (int i = random.Next(1, Vocabulary); i >= 0; i--)
                bits[0] |= 1UL << random.Next(Vocabulary);
            TokenMask mask = TokenMask.Of(bits, Vocabulary);
            var history = new TokenHistory([1, 2]);
            history.Add(random.Next(Vocabulary));
            float[] logits = [.. Enumerable.Range(0, Vocabulary).Select(_ => 8 * random.NextSingle())];

            int[] chosen =
            [
                .. Enum.GetValues<TokenMaskForm>()
                    .Select(form => Next(_sampler, [.. logits], options, (ulong)run, 1, history, mask.As(form))),
            ];

            Assert.True(mask.Allows(chosen[0]));
            Assert.Equal([chosen[0], chosen[0]], chosen[1..]);
        }
    }

    [Fact]
    public void A_bias_against_every_allowed_token_leaves_none()
    {
        TokenMask mask = TokenMask.Of([0b110], Vocabulary);
        var against = new Dictionary<int, float> { [1] = float.NegativeInfinity, [2] = float.NegativeInfinity };
        foreach (TokenMaskForm form in Enum.GetValues<TokenMaskForm>())
            Assert.Equal(
                Sampler.None,
                Next(_sampler, Logits(1), new() { LogitBias = against }, 1, 1, allowed: mask.As(form))
            );
    }

    [Fact]
    public void Penalties_spare_the_tokens_that_are_spared()
    {
        var history = new TokenHistory([]);
        history.Add(0);
        float[] logits = [3, 2.9f];
        var choice = new TokenChoice
        {
            Options = SamplingOptions.Greedy with { FrequencyPenalty = 1, RepetitionPenalty = 2 },
            Seed = 1,
            History = history,
        };
        Assert.Equal(1, _sampler.Next([.. logits], choice));
        choice.Spared = TokenMask.Of([0b01], 2);
        Assert.Equal(0, _sampler.Next([.. logits], choice));
    }

    private int Next(float[] logits, SamplingOptions options, ulong seed) =>
        Next(_sampler, [.. logits], options, seed, 3);

    private static int Next(
        Sampler sampler,
        float[] logits,
        SamplingOptions options,
        ulong seed,
        ulong position,
        TokenHistory? history = null,
        TokenMask? allowed = null
    ) =>
        sampler.Next(
            logits,
            new TokenChoice
            {
                Options = options,
                Seed = seed,
                Position = position,
                History = history,
                Allowed = allowed,
            }
        );

    /// <summary>The probability of every token: sort, cut, renormalise, in float64.</summary>
    private static double[] Reference(float[] logits, SamplingOptions options)
    {
        double[] weights = [.. logits.Select(logit => Math.Exp((logit - (double)logits.Max()) / options.Temperature))];
        List<int> kept = [.. Enumerable.Range(0, logits.Length).OrderByDescending(token => logits[token])];
        kept = [.. kept.Take(options.TopK ?? kept.Count)];
        double total = kept.Sum(token => weights[token]),
            held = 0;
        int count = 0;
        while (count < kept.Count && (held < options.TopP * total || count == 0))
            held += weights[kept[count++]];
        kept =
        [
            .. kept.Take(options.TopP == 1 ? kept.Count : count)
                .Where((token, i) => i == 0 || weights[token] >= options.MinP),
        ];
        double rest = kept.Sum(token => weights[token]);
        var probabilities = new double[logits.Length];
        foreach (int token in kept)
            probabilities[token] = weights[token] / rest;
        return probabilities;
    }
}

using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class TopKTests
{
    [Theory]
    [InlineData(32, 4)] // 20b
    [InlineData(128, 4)] // 120b
    [InlineData(4, 4)] // all of them
    [InlineData(5, 1)]
    public void The_largest_are_chosen_best_first_with_the_softmax_over_them_alone(int experts, int k)
    {
        for (int seed = 0; seed < 50; seed++)
        {
            float[] scores = [.. Sample.Floats(experts, seed).Select(v => 8 * v)];
            var (chosen, weights) = Choose(scores, k);

            int[] expected = [.. Enumerable.Range(0, experts).OrderByDescending(i => scores[i]).Take(k)];
            Assert.Equal(expected, chosen);
            double sum = expected.Sum(i => Math.Exp(scores[i]));
            // A rounded difference of at most 16 in the exponent (2⁻²⁰), Exp's own 2e-7 above and below, and the sum.
            for (int i = 0; i < k; i++)
                Assert.Equal(1, weights[i] / (Math.Exp(scores[expected[i]]) / sum), tolerance: 2e-6);
            Assert.Equal(1, weights.Sum(w => (double)w), tolerance: 4 * Math.ScaleB(1, -24)); // each weight rounds once
        }
    }

    [Fact]
    public void Of_equal_scores_the_lower_index_comes_first()
    {
        Assert.Equal([1, 3, 4, 0], Choose([1, 5, 1, 5, 5, 1], 4).Chosen);
        Assert.Equal([0, 1, 2, 3], Choose(new float[32], 4).Chosen);
        Assert.Equal([0, 1], Choose([-0f, 0f], 2).Chosen);
        Assert.All(Choose(new float[32], 4).Weights, weight => Assert.Equal(0.25f, weight));
    }

    [Theory]
    [InlineData(0)] // the first is taken before anything is compared
    [InlineData(2)]
    [InlineData(5)]
    public void NaN_among_the_scores_is_chosen_first_and_makes_the_weights_NaN(int at)
    {
        float[] scores = [1, 2, 3, 4, 5, 6];
        scores[at] = float.NaN;
        var (chosen, weights) = Choose(scores, 4);
        AssertValid(chosen, 6);
        Assert.Equal(at, chosen[0]);
        Assert.All(weights, weight => Assert.True(float.IsNaN(weight)));
    }

    [Fact]
    public void Scores_that_are_all_NaN_or_minus_infinite_leave_the_indices_in_range_and_distinct()
    {
        AssertValid(Choose([.. Enumerable.Repeat(float.NaN, 6)], 4).Chosen, 6);
        AssertValid(Choose([.. Enumerable.Repeat(float.NegativeInfinity, 6)], 4).Chosen, 6);
    }

    [Fact]
    public void A_score_of_minus_infinity_weighs_nothing()
    {
        var (chosen, weights) = Choose([float.NegativeInfinity, 3, float.NegativeInfinity], 2);
        Assert.Equal([1, 0], chosen);
        Assert.Equal([1f, 0f], weights);
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => TopK.Softmax(new float[3], new int[4], new float[4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => TopK.Softmax(new float[8], new int[4], new float[3]));
    }

    private static (int[] Chosen, float[] Weights) Choose(float[] scores, int k)
    {
        var chosen = new int[k];
        var weights = new float[k];
        TopK.Softmax(scores, chosen, weights);
        return (chosen, weights);
    }

    private static void AssertValid(int[] chosen, int experts)
    {
        Assert.All(chosen, expert => Assert.InRange(expert, 0, experts - 1));
        Assert.Equal(chosen.Length, chosen.Distinct().Count());
    }
}

using GptOss.Kernels;
using GptOss.Model;
using GptOss.Tests.Kernels;

namespace GptOss.Tests.Model;

public sealed class RoutingTests
{
    [Theory]
    [InlineData(1, 8, 4)]
    [InlineData(50, 8, 1)]
    [InlineData(50, 8, 8)] // every expert has every row
    [InlineData(3, 64, 2)] // most experts have none
    public void Each_choice_of_a_row_is_found_under_its_expert(int rows, int experts, int k)
    {
        float[] scores = Sample.Floats(rows * experts, seed: rows);
        var routing = new Routing();
        routing.Choose(new Rows(Sample.Floats(99 * experts, seed: 9), experts), 1); // what was before must not show

        var mixed = new float[rows, experts];
        int last = -1;
        foreach (Expert expert in routing.Choose(new Rows(scores, experts), k).ByExpert)
        {
            Assert.True(expert.Index > last && expert.Count > 0);
            last = expert.Index;
            float[] sums = new float[rows],
                y = Enumerable.Repeat(1f, expert.Count).ToArray();
            expert.AddTo(new Rows(sums, 1), new Rows(y, 1));
            for (int row = 0; row < rows; row++)
                mixed[row, expert.Index] = sums[row];
            float[] numbers = [.. Enumerable.Range(0, rows).Select(row => (float)row)],
                gathered = new float[expert.Count];
            expert.Gather(new Rows(numbers, 1), new Rows(gathered, 1));
            Assert.Equal(gathered.Order(), gathered);
        }

        for (int row = 0; row < rows; row++)
        {
            double[] mine = [.. scores[(row * experts)..((row + 1) * experts)].Select(score => (double)score)];
            int[] best = [.. Enumerable.Range(0, experts).OrderByDescending(expert => mine[expert]).Take(k)];
            double sum = best.Sum(expert => Math.Exp(mine[expert]));
            for (int expert = 0; expert < experts; expert++)
            {
                double expected = best.Contains(expert) ? Math.Exp(mine[expert]) / sum : 0;
                Assert.Equal(expected, mixed[row, expert], 1e-6); // a few roundings of numbers up to 1
            }
        }
    }
}

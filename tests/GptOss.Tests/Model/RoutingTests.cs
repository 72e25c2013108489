using GptOss.Kernels;
using GptOss.Model;
using GptOss.Tests.Kernels;
using GptOss.Threading;

namespace GptOss.Tests.Model;

public sealed class RoutingTests
{
    [Theory]
    [InlineData(1, 8, 4)]
    [InlineData(300, 4, 2)] // enough rows for both workers
    [InlineData(50, 8, 1)]
    [InlineData(50, 8, 8)] // every expert has every row
    [InlineData(3, 64, 2)] // most experts have none
    public void Each_choice_of_a_row_is_found_under_its_expert(int rows, int experts, int k)
    {
        float[] scores = Sample.Floats(rows * experts, seed: rows);
        using var team = new WorkerTeam(2, processors: 2);
        var routing = new Routing();
        routing.Choose(new Rows(Sample.Floats(99 * experts, seed: 9), experts), 1); // what was before must not show

        var mixed = new float[rows, experts];
        int last = -1;
        Rows numbers = Columns(rows, row => row);
        foreach (ExpertGroup group in routing.Choose(new Rows(scores, experts), k).InGroups)
        {
            float[] left = new float[rows];
            Rows sums = Columns(rows, _ => 0);
            Rows gathered = group.Gather(numbers, Columns(group.Count, _ => 0), team);
            int at = 0;
            foreach (Expert expert in group)
            {
                Assert.True(expert.Index > last && expert.Count > 0);
                last = expert.Index;
                Assert.Equal(expert.Rows.ToArray().Order(), expert.Rows.ToArray());
                for (int i = 0; i < expert.Count; i++, at++)
                {
                    Assert.Equal(numbers[expert.Rows[i]], gathered[at]);
                    mixed[expert.Rows[i], expert.Index] = expert.Weights[i];
                    left[expert.Rows[i]] += expert.Weights[i];
                }
            }
            Assert.Equal(group.Count, at);
            group.AddTo(sums, Columns(at, _ => 1), team);
            for (int row = 0; row < rows; row++)
                Assert.All(sums[row].ToArray(), sum => Assert.Equal(left[row], sum));
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

    [Fact]
    public void Experts_with_few_rows_run_together_and_one_with_many_runs_alone()
    {
        // Every row chooses expert 1, and a third of the rows each expert 0, 2 or 5: 30, 90, 30 and 30 rows.
        const int Count = 90,
            Experts = 6;
        var scores = new Rows(new float[Count * Experts], Experts);
        for (int row = 0; row < Count; row++)
            (
                scores[row][1],
                scores[row][
                    row % 3 == 0 ? 0
                    : row % 3 == 1 ? 2
                    : 5
                ]
            ) = (2, 1);
        List<string> groups = [];

        foreach (ExpertGroup group in new Routing().Choose(scores, 2).InGroups)
        {
            List<int> members = [];
            foreach (Expert expert in group)
                members.Add(expert.Index);
            groups.Add($"{string.Join('+', members)}: {group.Count}");
        }

        Assert.Equal(["0: 30", "1: 90", "2+5: 60"], groups);
    }

    // Rows of 600 equal numbers, ten strips of columns, in memory that does not move under the workers.
    private static Rows Columns(int rows, Func<int, float> value)
    {
        const int Width = 600;
        float[] values = GC.AllocateArray<float>(rows * Width, pinned: true);
        for (int i = 0; i < values.Length; i++)
            values[i] = value(i / Width);
        return new Rows(values, Width);
    }
}

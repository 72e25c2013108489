using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class PageAttentionTests
{
    [Theory]
    [InlineData(64, 0, 1)] // one position
    [InlineData(64, 0, 64)] // one whole page
    [InlineData(64, 0, 200)] // three pages and a part
    [InlineData(64, 70, 198)] // a window that begins and ends inside pages
    [InlineData(64, 127, 129)] // a window across a border
    [InlineData(80, 5, 150)] // a register's worth past 64
    [InlineData(8, 5, 150)] // less than a register
    [InlineData(72, 5, 150)] // neither of 64 nor of 16
    [InlineData(128, 5, 150)] // two times 64
    public void A_window_agrees_with_a_float64_softmax_with_sink(int headDim, int from, int to)
    {
        foreach (int queries in (int[])[1, 8])
        {
            AttentionHead head = AttentionHead.Random(headDim, positions: 256, seed: headDim + from + to, queries);
            AttentionState state = head.WithSink(0.7f);

            head.Fold(from, to, state);

            AssertAgrees(head, from, to, 0.7f, state);
        }
    }

    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(192)]
    public void Merged_splits_agree_with_a_float64_softmax_with_sink(int cut)
    {
        AttentionHead head = AttentionHead.Random(headDim: 64, positions: 256, seed: cut, queries: 3);
        AttentionState first = head.Fresh(),
            second = head.Fresh(),
            state = head.WithSink(2);
        head.Fold(3, cut, first);
        head.Fold(cut, 250, second);

        state.Merge(first);
        state.Merge(second);

        AssertAgrees(head, 3, 250, 2, state);
    }

    [Fact]
    public void Merging_a_state_that_saw_nothing_changes_no_bit()
    {
        AttentionHead head = AttentionHead.Random(headDim: 64, positions: 64, seed: 1, queries: 2);
        AttentionState state = head.Fresh();
        head.Fold(0, 64, state);
        float[] before = Floats(state);

        state.Merge(head.Fresh());

        Sample.AssertSameBits(before, Floats(state), "2 queries × 64");
    }

    [Fact]
    public void Merging_into_a_state_that_saw_nothing_gives_the_other()
    {
        AttentionHead head = AttentionHead.Random(headDim: 64, positions: 64, seed: 1, queries: 2);
        AttentionState other = head.Fresh(),
            state = head.Fresh();
        head.Fold(0, 64, other);

        state.Merge(other);

        Sample.AssertSameBits(Floats(other), Floats(state), "2 queries × 64");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(64)]
    public void A_page_without_visible_positions_changes_no_bit(int at)
    {
        AttentionHead head = AttentionHead.Random(headDim: 64, positions: 64, seed: 1, queries: 2);
        foreach (int seen in (int[])[0, 64])
        {
            AttentionState state = head.Fresh();
            head.Fold(0, seen, state);
            float[] before = Floats(state);
            PageAttention.Fold(head.QueryRows, head.KeyPages[0], head.ValuePages[0], at, at, state);
            Sample.AssertSameBits(before, Floats(state), $"2 queries × 64, after {seen} positions");
        }
    }

    [Fact]
    public void What_lies_at_positions_that_are_not_visible_changes_no_bit()
    {
        AttentionHead head = AttentionHead.Random(headDim: 72, positions: 64, seed: 1, queries: 5);
        AttentionState clean = head.Fresh(),
            soiled = head.Fresh();
        head.Fold(10, 41, clean);
        for (int j = 0; j < 64; j++)
            if (j is < 10 or >= 41)
                head.Spoil(j);

        head.Fold(10, 41, soiled);

        Sample.AssertSameBits(Floats(clean), Floats(soiled), "5 queries × 72");
    }

    [Fact]
    public void A_visible_score_that_is_no_number_makes_the_result_none()
    {
        AttentionHead head = AttentionHead.Random(headDim: 16, positions: 64, seed: 1);
        AttentionState state = head.WithSink(0);
        head.Spoil(20);

        head.Fold(0, 64, state);

        Assert.Equal(float.NaN, state.Sums[0]);
    }

    [Fact]
    public void Scores_far_apart_neither_overflow_nor_lose_the_winner()
    {
        AttentionHead head = AttentionHead.Random(headDim: 16, positions: 128, seed: 1);
        head.Queries.AsSpan().Fill(1000f);
        AttentionState state = head.WithSink(-1e4f);

        head.Fold(0, 128, state);

        AssertAgrees(head, 0, 128, -1e4f, state);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(72)]
    [InlineData(8)]
    public void Queries_of_one_call_give_the_bits_of_one_call_each(int headDim)
    {
        for (int queries = 1; queries <= 17; queries++) // two groups of eight and one more; quads and all remainders
        {
            AttentionHead head = AttentionHead.Random(headDim, positions: 256, seed: queries, queries);
            AttentionState together = head.WithSink(0.7f),
                single = head.WithSink(0.7f);

            head.Fold(30, 201, together, ahead: true);
            for (int q = 0; q < queries; q++)
                head.Only(q).Fold(30, 201, single.Slice(q, 1));

            Sample.AssertSameBits(Floats(single), Floats(together), $"{queries} queries × {headDim}");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsWith), new[] { 8, 20, 64, 72 }, MemberType = typeof(Registers))]
    public void Every_width_gives_the_bits_of_the_definition(int width, int headDim)
    {
        const int Queries = 5; // four that share a tile, and one
        AttentionHead head = AttentionHead.Random(headDim, positions: 256, seed: headDim, Queries);
        // Sinks below the scores, among them and above; single positions, a part of a page, parts and wholes of pages
        foreach (float sink in (float[])[-9, 0.1f, 9])
        foreach ((int from, int to) in ((int, int)[])[(0, 1), (63, 64), (5, 38), (0, 64), (30, 201), (0, 256)])
        {
            AttentionState state = head.Fresh(),
                total = head.WithSink(sink);
            head.Fold(from, to, state, width);
            total.Merge(state);

            for (int q = 0; q < Queries; q++)
            {
                float[] result = total.Values[q].ToArray();
                float sum = total.Sums[q];
                Sample.AssertSameBits(
                    head.Only(q).Defined(from, to, sink),
                    Array.ConvertAll(result, value => value / sum),
                    $"{Queries} queries × {headDim}, {from} to {to}, sink {sink}, query {q}"
                );
            }
        }
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Fold();
        Assert.Throws<ArgumentOutOfRangeException>(() => Fold(keys: 15 * 64));
        Assert.Throws<ArgumentOutOfRangeException>(() => Fold(values: 17 * 64));
        Assert.Throws<ArgumentOutOfRangeException>(() => Fold(state: 15));
        Assert.Throws<ArgumentOutOfRangeException>(() => Fold(states: 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Fold(to: 65));
        Assert.Throws<ArgumentOutOfRangeException>(() => Fold(from: -1));

        static void Fold(
            int keys = 16 * 64,
            int values = 16 * 64,
            int state = 16,
            int states = 2,
            int from = 0,
            int to = 64
        )
        {
            AttentionState folded = AttentionState.In(new float[states * AttentionState.Floats(state)], state);
            PageAttention.Fold(new Rows(new float[2 * 16], 16), new float[keys], new float[values], from, to, folded);
        }
    }

    private static float[] Floats(AttentionState state) => [.. state.Maxima, .. state.Sums, .. state.Values.Values];

    private static void AssertAgrees(AttentionHead head, int from, int to, float sink, AttentionState state)
    {
        for (int q = 0; q < head.Count; q++)
        {
            (double[] expected, double magnitude, double error) = head.Only(q).Softmax(from, to, sink);
            for (int i = 0; i < expected.Length; i++)
                Sample.AssertClose(
                    expected[i],
                    state.Values[q][i] / state.Sums[q],
                    error * magnitude,
                    $"{head.Count} queries × {head.HeadDim}, {from} to {to}, query {q}, value {i}"
                );
        }
    }
}

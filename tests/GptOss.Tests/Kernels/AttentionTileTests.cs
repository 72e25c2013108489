using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class AttentionTileTests
{
    [Theory]
    [InlineData(64, 0, 1)]       // one position
    [InlineData(64, 0, 64)]      // one whole tile
    [InlineData(64, 0, 200)]     // three tiles and a part
    [InlineData(64, 70, 198)]    // a window that begins and ends inside tiles
    [InlineData(64, 127, 129)]   // a window across a border
    [InlineData(80, 5, 150)]     // a register's worth past 64
    [InlineData(8, 5, 150)]      // less than a register
    [InlineData(72, 5, 150)]     // neither of 64 nor of 16
    [InlineData(128, 5, 150)]    // two times 64
    public void A_window_agrees_with_a_float64_softmax_with_sink(int headDim, int from, int to)
    {
        Head head = Head.Random(headDim, positions: 256, seed: headDim + from + to);
        const float sink = 0.7f;
        var values = new float[headDim];
        var state = new AttentionState(values) { Maximum = sink, Sum = 1 };

        head.Fold(from, to, ref state);

        AssertAgrees(head, from, to, sink, state);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(192)]
    public void Merged_segments_agree_with_a_float64_softmax_with_sink(int cut)
    {
        Head head = Head.Random(headDim: 64, positions: 256, seed: cut);
        float[] first = new float[64], second = new float[64], whole = new float[64];
        var a = new AttentionState(first);
        var b = new AttentionState(second);
        var state = new AttentionState(whole) { Maximum = 2f, Sum = 1 };
        head.Fold(3, cut, ref a);
        head.Fold(cut, 250, ref b);

        state.Merge(a);
        state.Merge(b);

        AssertAgrees(head, 3, 250, 2f, state);
    }

    [Fact]
    public void Merging_a_state_that_saw_nothing_changes_no_bit()
    {
        Head head = Head.Random(headDim: 64, positions: 64, seed: 1);
        var values = new float[64];
        var state = new AttentionState(values);
        head.Fold(0, 64, ref state);
        (float maximum, float sum, float[] before) = (state.Maximum, state.Sum, [.. values]);

        state.Merge(new AttentionState(new float[64]));

        Sample.AssertSameBits([maximum, sum, .. before], [state.Maximum, state.Sum, .. values]);
    }

    [Fact]
    public void Merging_into_a_state_that_saw_nothing_gives_the_other()
    {
        Head head = Head.Random(headDim: 64, positions: 64, seed: 1);
        float[] values = new float[64], others = new float[64];
        var other = new AttentionState(others);
        head.Fold(0, 64, ref other);

        var state = new AttentionState(values);
        state.Merge(other);

        Sample.AssertSameBits([other.Maximum, other.Sum, .. others], [state.Maximum, state.Sum, .. values]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(64)]
    public void A_tile_without_visible_positions_changes_no_bit(int at)
    {
        Head head = Head.Random(headDim: 64, positions: 64, seed: 1);
        float[] fresh = new float[64], used = new float[64];
        var state = new AttentionState(fresh);
        AttentionTile.Fold(head.Query, head.Keys(0), head.Values(0), at, at, ref state);
        Sample.AssertSameBits([float.NegativeInfinity, 0f, .. new float[64]], [state.Maximum, state.Sum, .. fresh], "fresh");

        state = new AttentionState(used);
        head.Fold(0, 64, ref state);
        (float maximum, float sum, float[] before) = (state.Maximum, state.Sum, [.. used]);
        AttentionTile.Fold(head.Query, head.Keys(0), head.Values(0), at, at, ref state);
        Sample.AssertSameBits([maximum, sum, .. before], [state.Maximum, state.Sum, .. used], "used");
    }

    [Fact]
    public void What_lies_at_positions_that_are_not_visible_changes_no_bit()
    {
        Head head = Head.Random(headDim: 72, positions: 64, seed: 1);
        float[] clean = new float[72], soiled = new float[72];
        var state = new AttentionState(clean);
        head.Fold(10, 41, ref state);
        (float maximum, float sum) = (state.Maximum, state.Sum);
        for (int j = 0; j < 64; j++)
            if (j is < 10 or >= 41)
                head.Spoil(j);

        state = new AttentionState(soiled);
        head.Fold(10, 41, ref state);

        Sample.AssertSameBits([maximum, sum, .. clean], [state.Maximum, state.Sum, .. soiled]);
    }

    [Fact]
    public void Scores_far_apart_neither_overflow_nor_lose_the_winner()
    {
        var head = Head.Random(headDim: 16, positions: 128, seed: 1);
        head.Query.AsSpan().Fill(1000f);
        var values = new float[16];
        var state = new AttentionState(values) { Maximum = -1e4f, Sum = 1 };

        head.Fold(0, 128, ref state);

        AssertAgrees(head, 0, 128, -1e4f, state);
    }

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Every_width_gives_the_bits_of_the_stated_order(int width)
    {
        foreach (int headDim in (int[])[1, 8, 16, 64, 72, 80, 128, 130])
            foreach ((int from, int to) in ((int, int)[])[(0, 64), (0, 1), (63, 64), (5, 38)])
            {
                Head head = Head.Random(headDim, positions: 64, seed: headDim);
                float[] scores = new float[64], expected = new float[64], result = Sample.Floats(headDim, seed: 1);
                for (int j = 0; j < 64; j++)
                    for (int d = 0; d < headDim; d++)
                        expected[j] = MathF.FusedMultiplyAdd(head.Keys(0)[d * 64 + j], head.Query[d], expected[j]);
                Widths.Run(width, new AttentionTile.ScoreKernel(head.Query, head.Keys(0), scores));
                Sample.AssertSameBits(expected, scores, $"scores, headDim {headDim}");

                float[] lanes = new float[16], weights = new float[64];
                for (int j = 0; j < 64; j++)
                {
                    weights[j] = j >= from && j < to ? Exp.Of(scores[j] - 3f) : 0;
                    lanes[j % 16] += weights[j];
                }
                for (int half = 8; half > 0; half /= 2)
                    for (int i = 0; i < half; i++)
                        lanes[i] += lanes[i + half];
                float sum = 1.25f;
                Widths.Run(width, new AttentionTile.WeightKernel(scores, 3f, from, to, 0.3f, ref sum));
                Sample.AssertSameBits([1.25f * 0.3f + lanes[0], .. weights], [sum, .. scores], $"weights, {from} to {to}");

                var mixed = new float[headDim];
                for (int i = 0; i < headDim; i++)
                {
                    mixed[i] = result[i] * 0.3f;
                    for (int j = from; j < to; j++)
                        mixed[i] = MathF.FusedMultiplyAdd(weights[j], head.Values(0)[j * headDim + i], mixed[i]);
                }
                Widths.Run(width, new AttentionTile.ValueKernel(scores, head.Values(0), from, to, 0.3f, result));
                Sample.AssertSameBits(mixed, result, $"values, headDim {headDim}, {from} to {to}");
            }
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Fold();
        Assert.Throws<ArgumentOutOfRangeException>(() => Fold(keys: 15 * 64));
        Assert.Throws<ArgumentOutOfRangeException>(() => Fold(values: 17 * 64));
        Assert.Throws<ArgumentOutOfRangeException>(() => Fold(state: 15));
        Assert.Throws<ArgumentOutOfRangeException>(() => Fold(to: 65));
        Assert.Throws<ArgumentOutOfRangeException>(() => Fold(from: -1));

        static void Fold(int keys = 16 * 64, int values = 16 * 64, int state = 16, int from = 0, int to = 64)
        {
            var folded = new AttentionState(new float[state]);
            AttentionTile.Fold(new float[16], new float[keys], new float[values], from, to, ref folded);
        }
    }

    private static void AssertAgrees(Head head, int from, int to, float sink, AttentionState state)
    {
        (double[] expected, double magnitude, double error) = head.Softmax(from, to, sink);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], state.Values[i] / state.Sum, tolerance: error * magnitude);
    }

    /// <summary>One query with its keys and values, by position.</summary>
    private sealed record Head(float[] Query, float[][] KeyTiles, float[][] ValueTiles)
    {
        public static Head Random(int headDim, int positions, int seed)
        {
            int tiles = positions / 64;
            return new(Sample.Floats(headDim, seed),
                [.. Enumerable.Range(1, tiles).Select(tile => Sample.Floats(headDim * 64, 100 * seed + tile))],
                [.. Enumerable.Range(1, tiles).Select(tile => Sample.Floats(headDim * 64, 7000 + 100 * seed + tile))]);
        }

        public float[] Keys(int tile) => KeyTiles[tile];
        public float[] Values(int tile) => ValueTiles[tile];

        public void Spoil(int position)
        {
            for (int d = 0; d < Query.Length; d++)
            {
                KeyTiles[0][d * 64 + position] = float.NaN;
                ValueTiles[0][position * Query.Length + d] = float.PositiveInfinity;
            }
        }

        public void Fold(int from, int to, ref AttentionState state)
        {
            for (int tile = from / 64; 64 * tile < to; tile++)
                AttentionTile.Fold(Query, KeyTiles[tile], ValueTiles[tile],
                    Math.Max(from - 64 * tile, 0), Math.Min(to - 64 * tile, 64), ref state);
        }

        /// <summary>Σ e^s v / (e^sink + Σ e^s), its largest possible size, and the relative error that float32 may make.</summary>
        public (double[] Result, double Magnitude, double Error) Softmax(int from, int to, double sink)
        {
            int headDim = Query.Length;
            var scores = new double[to];
            double scoreError = 0;
            for (int p = from; p < to; p++)
            {
                double size = 0;
                for (int d = 0; d < headDim; d++)
                {
                    double product = (double)Query[d] * KeyTiles[p / 64][d * 64 + p % 64];
                    scores[p] += product;
                    size += Math.Abs(product);
                }
                scoreError = Math.Max(scoreError, Math.ScaleB(size * headDim, -24));
            }
            double maximum = Math.Max(sink, scores[from..].Max()), sum = Math.Exp(sink - maximum), magnitude = 0;
            var result = new double[headDim];
            for (int p = from; p < to; p++)
            {
                double weight = Math.Exp(scores[p] - maximum);
                sum += weight;
                for (int i = 0; i < headDim; i++)
                {
                    double value = ValueTiles[p / 64][p % 64 * headDim + i];
                    result[i] += weight * value;
                    magnitude = Math.Max(magnitude, Math.Abs(value));
                }
            }
            for (int i = 0; i < headDim; i++) result[i] /= sum;
            // An error in a score is a relative one of its weight, above and below the line; Exp adds 2e-7 for the weight
            // and for each correction, of which there is one a tile; each position rounds once.
            double error = 2 * (scoreError + (2 + to / 64) * 2e-7) + Math.ScaleB(to - from + 10, -24);
            return (result, magnitude, error);
        }
    }
}

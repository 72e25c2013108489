using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>Streaming softmax attention of queries that see the same positions over one tile of 64 of them.</summary>
/// <remarks>
/// Order of the sums, for each query by itself: a score is Σ q[d] · k[d] by fused multiply-add, d ascending. The
/// exponentials of position j go to lane j mod 16, j ascending, then the tree. The values are added by fused
/// multiply-add, j ascending. Positions that are not visible take no part.
/// </remarks>
internal static class PageAttention
{
    public const int Positions = 64;

    /// <summary>
    /// Queries whose scores are kept at a time: the eight heads that share a key/value head in gpt-oss.
    /// </summary>
    private const int Group = 8;

    /// <param name="queries">[queries, headDim], already multiplied by 1/√headDim.</param>
    /// <param name="keys">[headDim, 64]: position by position side by side, so that a score is a lane.</param>
    /// <param name="values">[64, headDim].</param>
    /// <param name="from">First visible position of the tile.</param>
    /// <param name="to">End of the visible positions of the tile.</param>
    /// <param name="state">The queries' state over the positions before.</param>
    /// <param name="nextKeys">The next tile's keys as they are stored, fetched from memory on the way; may be
    /// empty.</param>
    /// <param name="nextValues">The next tile's values, alike.</param>
    public static void Fold(
        Rows queries,
        ReadOnlySpan<float> keys,
        ReadOnlySpan<float> values,
        int from,
        int to,
        AttentionState state,
        ReadOnlySpan<byte> nextKeys = default,
        ReadOnlySpan<byte> nextValues = default
    )
    {
        int headDim = queries.Width;
        ArgumentOutOfRangeException.ThrowIfNotEqual(keys.Length, headDim * Positions);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, headDim * Positions);
        ArgumentOutOfRangeException.ThrowIfNotEqual(state.Values.Width, headDim);
        ArgumentOutOfRangeException.ThrowIfNotEqual(state.Values.Count, queries.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(to, Positions);
        if (from >= to)
            return; // before any visible position the maximum is -∞, and -∞ − -∞ is no number

        Span<float> scores = stackalloc float[Group * Positions];
        for (int first = 0; first < queries.Count; first += Group)
        {
            int count = Math.Min(Group, queries.Count - first);
            var group = new Rows(queries.Values.Slice(first * headDim, count * headDim), headDim);
            var weights = new Rows(scores[..(count * Positions)], Positions);
            AttentionState mine = state.Slice(first, count);
            weights.Values.Clear();
            PageProduct.Add(group, keys, weights, 0, headDim, nextKeys);
            Lanes.Run(new WeighScores(weights, from, to, mine));
            PageProduct.Add(weights, values, mine.Values, from, to, nextValues);
            nextKeys = nextValues = default;
        }
    }

    /// <summary>
    /// Turns scores into e^(score − maximum), 0 where not visible, with the maximum of these and all before; corrects
    /// sum and values to a maximum that has grown, and adds the exponentials to the sum.
    /// </summary>
    internal readonly ref struct WeighScores(Rows scores, int from, int to, AttentionState state) : ILaneKernel
    {
        private readonly Rows _scores = scores;
        private readonly int _from = from;
        private readonly int _to = to;
        private readonly AttentionState _state = state;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            for (int q = 0; q < _scores.Count; q++)
            {
                Span<float> scores = _scores[q];
                if (_to - _from < Positions)
                {
                    scores[.._from].Fill(float.NegativeInfinity);
                    scores[_to..].Fill(float.NegativeInfinity);
                }
                ref float s = ref MemoryMarshal.GetReference(scores);
                T s0 = T.Load(in s, 0),
                    s1 = T.Load(in s, 16),
                    s2 = T.Load(in s, 32),
                    s3 = T.Load(in s, 48);
                float before = _state.Maxima[q];
                T most = Larger(Larger(Larger(Larger(T.Create(before), s0), s1), s2), s3);
                float maximum = T.Max(most);
                if (maximum > before)
                    Correct(q, maximum, Exp.Of(before - maximum));

                T m = T.Create(maximum);
                s0 = Exp.Of(s0 - m);
                s1 = Exp.Of(s1 - m);
                s2 = Exp.Of(s2 - m);
                s3 = Exp.Of(s3 - m);
                T.Store(s0, ref s, 0);
                T.Store(s1, ref s, 16);
                T.Store(s2, ref s, 32);
                T.Store(s3, ref s, 48);
                _state.Sums[q] += T.Sum(s0 + s1 + s2 + s3);
            }
        }

        // A score that is no number is never the larger one; it makes its weight, the sum and the result no number.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static T Larger<T>(T so, T score)
            where T : struct, ILanes<T> => T.WhereLess(so, score, score, so);

        private void Correct(int query, float maximum, float correction)
        {
            _state.Maxima[query] = maximum;
            _state.Sums[query] *= correction;
            Span<float> values = _state.Values[query];
            for (int i = 0; i < values.Length; i++)
                values[i] *= correction;
        }
    }
}

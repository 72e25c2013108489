using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels;

/// <summary>
/// Softmax attention of queries over one page: the keys and values of 64 positions of one head. The attention over
/// all positions is computed page by page, and an <see cref="AttentionState"/> carries it from page to page.
/// </summary>
/// <remarks>
/// Order of the sums, for each query by itself: a score is Σ q[d] · k[d] by fused multiply-add, d ascending. The
/// exponential of position j is added to lane j mod 16, j ascending, and the sixteen lanes are added by the tree of
/// <see cref="ILanes{TSelf}.Sum"/>. The values are added by fused multiply-add, j ascending. Positions that are not
/// visible take no part.
/// </remarks>
// Bound: Fold checks keys, values, positions and state; scores have 64 floats for each query.
internal static class PageAttention
{
    /// <summary>Number of positions of a page.</summary>
    public const int Positions = 64;

    /// <summary>
    /// Number of queries whose scores are kept at a time: the eight heads that share a key/value head in gpt-oss.
    /// </summary>
    private const int Group = 8;

    /// <summary>Adds the visible positions of one page to the state of the queries.</summary>
    /// <param name="queries">The queries, [queries, headDim], already multiplied by 1/√headDim.</param>
    /// <param name="keys">
    /// Keys of the page, [headDim, 64]. The positions lie side by side, so that each score is a lane.
    /// </param>
    /// <param name="values">Values of the page, [64, headDim].</param>
    /// <param name="from">First visible position of the page.</param>
    /// <param name="to">End of the visible positions of the page.</param>
    /// <param name="state">State of the queries over the earlier positions.</param>
    /// <param name="nextKeys">
    /// Stored keys of the next page. They are fetched into the cache while this page is computed; may be empty.
    /// </param>
    /// <param name="nextValues">
    /// Stored values of the next page. They are fetched into the cache while this page is computed; may be empty.
    /// </param>
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
            return; // without a visible position the maximum can be −∞, and −∞ − −∞ is NaN

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
    /// Turns the scores of one page into weights e^(score − maximum), where the maximum is over these and all earlier
    /// scores; a position that is not visible gets weight 0. Where the maximum has grown, the sum and the values of
    /// the state are scaled down to it first. Then the weights are added to the sum.
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

        // A score that is NaN is never the larger one, but it makes its own weight, the sum and the result NaN.
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

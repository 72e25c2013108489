using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>A query's attention so far: the running maximum, the sum of e^(score − maximum), and the values weighted alike.</summary>
/// <remarks>The result is Values / Sum. A learned sink is a state of its own: maximum = sink, sum = 1, values zero.</remarks>
internal ref struct AttentionState(Span<float> values)
{
    public float Maximum = float.NegativeInfinity;
    public float Sum;

    /// <summary>[headDim].</summary>
    public readonly Span<float> Values = values;

    /// <summary>Takes in the state of later positions.</summary>
    public void Merge(in AttentionState later)
    {
        if (later.Sum == 0) return;
        float maximum = later.Maximum > Maximum ? later.Maximum : Maximum;
        float mine = Exp.Of(Maximum - maximum), theirs = Exp.Of(later.Maximum - maximum);
        Sum = Sum * mine + later.Sum * theirs;
        for (int i = 0; i < Values.Length; i++) Values[i] = Values[i] * mine + later.Values[i] * theirs;
        Maximum = maximum;
    }
}

/// <summary>Streaming softmax attention of one query over one tile of 64 positions.</summary>
/// <remarks>
/// Order of the sums: a score is Σ q[d] · k[d] by fused multiply-add, d ascending. The exponentials of position j go to lane
/// j mod 16, j ascending, then the tree. The values are added by fused multiply-add, j ascending. Positions that are not
/// visible take no part.
/// </remarks>
internal static class AttentionTile
{
    public const int Positions = 64;

    /// <param name="query">[headDim], already multiplied by 1/√headDim.</param>
    /// <param name="keys">[headDim, 64]: position by position side by side, so that a score is a lane.</param>
    /// <param name="values">[64, headDim].</param>
    /// <param name="from">First visible position of the tile.</param>
    /// <param name="to">End of the visible positions of the tile.</param>
    /// <param name="state">The query's state over the positions before.</param>
    public static void Fold(
        ReadOnlySpan<float> query, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, int from, int to,
        ref AttentionState state)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(keys.Length, query.Length * Positions);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, query.Length * Positions);
        ArgumentOutOfRangeException.ThrowIfNotEqual(state.Values.Length, query.Length);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(to, Positions);
        if (from >= to) return;   // before any visible position the maximum is -∞, and -∞ − -∞ is no number

        Span<float> scores = stackalloc float[Positions];
        Lanes.Run(new ScoreKernel(query, keys, scores));

        float maximum = state.Maximum;
        for (int j = from; j < to; j++)
            if (scores[j] > maximum)
                maximum = scores[j];
        float correction = maximum > state.Maximum ? Exp.Of(state.Maximum - maximum) : 1;
        state.Maximum = maximum;

        Lanes.Run(new WeightKernel(scores, maximum, from, to, correction, ref state.Sum));
        Lanes.Run(new ValueKernel(scores, values, from, to, correction, state.Values));
    }

    internal readonly ref struct ScoreKernel(ReadOnlySpan<float> query, ReadOnlySpan<float> keys, Span<float> scores)
        : ILaneKernel
    {
        private readonly ReadOnlySpan<float> _query = query;
        private readonly ReadOnlySpan<float> _keys = keys;
        private readonly Span<float> _scores = scores;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>() where T : struct, ILanes<T>
        {
            ref readonly float k = ref MemoryMarshal.GetReference(_keys);
            T s0 = T.Zero, s1 = T.Zero, s2 = T.Zero, s3 = T.Zero;
            for (int d = 0; d < _query.Length; d++)
            {
                T q = T.Create(_query[d]);
                nuint at = (nuint)d * Positions;
                s0 = T.MultiplyAdd(T.Load(in k, at), q, s0);
                s1 = T.MultiplyAdd(T.Load(in k, at + 16), q, s1);
                s2 = T.MultiplyAdd(T.Load(in k, at + 32), q, s2);
                s3 = T.MultiplyAdd(T.Load(in k, at + 48), q, s3);
            }
            ref float s = ref MemoryMarshal.GetReference(_scores);
            T.Store(s0, ref s, 0);
            T.Store(s1, ref s, 16);
            T.Store(s2, ref s, 32);
            T.Store(s3, ref s, 48);
        }
    }

    /// <summary>Turns scores into e^(score − maximum), 0 where not visible, and adds them to the corrected sum.</summary>
    internal readonly ref struct WeightKernel(
        Span<float> scores, float maximum, int from, int to, float correction, ref float sum) : ILaneKernel
    {
        private readonly Span<float> _scores = scores;
        private readonly float _maximum = maximum;
        private readonly int _from = from;
        private readonly int _to = to;
        private readonly float _correction = correction;
        private readonly ref float _sum = ref sum;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>() where T : struct, ILanes<T>
        {
            _scores[.._from].Fill(float.NegativeInfinity);
            _scores[_to..].Fill(float.NegativeInfinity);
            ref float s = ref MemoryMarshal.GetReference(_scores);
            T maximum = T.Create(_maximum), sum = T.Zero;
            for (nuint j = 0; j < Positions; j += Lanes.Count)
            {
                T weight = Exp.Of(T.Load(in s, j) - maximum);
                T.Store(weight, ref s, j);
                sum += weight;
            }
            _sum = _sum * _correction + T.Sum(sum);
        }
    }

    internal readonly ref struct ValueKernel(
        ReadOnlySpan<float> weights, ReadOnlySpan<float> values, int from, int to, float correction, Span<float> result)
        : ILaneKernel
    {
        private readonly ReadOnlySpan<float> _weights = weights;
        private readonly ReadOnlySpan<float> _values = values;
        private readonly int _from = from;
        private readonly int _to = to;
        private readonly float _correction = correction;
        private readonly Span<float> _result = result;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>() where T : struct, ILanes<T>
        {
            nuint headDim = (nuint)_result.Length, i = 0;
            ref readonly float v = ref MemoryMarshal.GetReference(_values);
            ref float y = ref MemoryMarshal.GetReference(_result);
            T correction = T.Create(_correction);
            for (; i + 4 * Lanes.Count <= headDim; i += 4 * Lanes.Count)   // 64 values: gpt-oss's whole head
            {
                T a = T.Load(in y, i) * correction, b = T.Load(in y, i + 16) * correction;
                T c = T.Load(in y, i + 32) * correction, d = T.Load(in y, i + 48) * correction;
                for (int j = _from; j < _to; j++)
                {
                    T weight = T.Create(_weights[j]);
                    nuint at = (nuint)j * headDim + i;
                    a = T.MultiplyAdd(weight, T.Load(in v, at), a);
                    b = T.MultiplyAdd(weight, T.Load(in v, at + 16), b);
                    c = T.MultiplyAdd(weight, T.Load(in v, at + 32), c);
                    d = T.MultiplyAdd(weight, T.Load(in v, at + 48), d);
                }
                T.Store(a, ref y, i);
                T.Store(b, ref y, i + 16);
                T.Store(c, ref y, i + 32);
                T.Store(d, ref y, i + 48);
            }
            for (; i < headDim; i++)
            {
                float sum = _result[(int)i] * _correction;
                for (int j = _from; j < _to; j++)
                    sum = MathF.FusedMultiplyAdd(_weights[j], _values[(int)((nuint)j * headDim + i)], sum);
                _result[(int)i] = sum;
            }
        }
    }
}

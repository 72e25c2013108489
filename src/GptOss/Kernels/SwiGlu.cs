using System.Runtime.CompilerServices;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels;

/// <summary>
/// The activation function between the two matrices of an expert. Each pair of inputs, a gate g and a linear part l,
/// gives one output: <c>y = g · σ(α g) · (l + 1)</c> with <c>g = min(u[2i], limit)</c>,
/// <c>l = clamp(u[2i+1], ±limit)</c>.
/// </summary>
/// <remarks>
/// u: [2 · intermediate], gates and linear parts alternating; y: [intermediate]. The gate is clamped from above only; α
/// is 1.702. Where u is infinite, which only damaged weights cause, y is NaN and not the clamped value, so that the
/// damage is noticed. Source: swiglu in openai/gpt-oss, gpt_oss/torch/model.py.
/// </remarks>
internal static class SwiGlu
{
    /// <summary>Applies the function to one token's row at the widest registers.</summary>
    public static void Row(ReadOnlySpan<float> u, float limit, Span<float> y, float alpha = 1.702f)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(u.Length, 2 * y.Length);
        Lanes.Run(new ApplySwiGlu(u, limit, y, alpha));
    }

    /// <summary>Separates gates from linear parts and combines them, sixteen pairs at a time.</summary>
    internal readonly ref struct ApplySwiGlu(ReadOnlySpan<float> u, float limit, Span<float> y, float alpha)
        : ILaneKernel
    {
        private readonly ReadOnlySpan<float> _u = u;
        private readonly float _limit = limit;
        private readonly Span<float> _y = y;
        private readonly float _alpha = alpha;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            Span<float> gates = stackalloc float[Lanes.Count],
                linears = stackalloc float[Lanes.Count];
            gates.Clear();
            linears.Clear();
            T limit = T.Create(_limit),
                minusLimit = T.Create(-_limit),
                one = T.Create(1f);
            for (int i = 0; i < _y.Length; i += Lanes.Count)
            {
                int count = Math.Min(Lanes.Count, _y.Length - i);
                for (int j = 0; j < count; j++)
                {
                    gates[j] = _u[2 * (i + j)];
                    linears[j] = _u[2 * (i + j) + 1];
                }
                T gate = T.Load(in gates[0], 0),
                    linear = T.Load(in linears[0], 0);
                T fault = gate * T.Zero + linear * T.Zero; // zero, or NaN where an input is not finite
                gate = T.WhereLess(limit, gate, limit, gate);
                linear = T.WhereLess(limit, linear, limit, linear);
                linear = T.WhereLess(linear, minusLimit, minusLimit, linear);
                T result = gate / (one + Exp.Of(gate * T.Create(-_alpha))) * (linear + one) + fault;
                if (count == Lanes.Count)
                    T.Store(result, ref _y[i], 0);
                else
                    Lanes.StorePartial(result, _y.Slice(i, count));
            }
        }
    }
}

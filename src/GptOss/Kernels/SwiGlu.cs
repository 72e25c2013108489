using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels;

/// <summary>
/// The activation function between the two matrices of an expert. Each pair of inputs, a gate g and a linear part l,
/// gives one output: <c>y = g · σ(α g) · (l + 1)</c> with <c>g = min(u[2i], limit)</c>,
/// <c>l = clamp(u[2i+1], ±limit)</c>.
/// </summary>
/// <remarks>
/// u: [2 · intermediate], gates and linear parts alternating, or two arrays of [intermediate]; y: [intermediate]. The
/// gate is clamped from above only; α
/// is 1.702. Where u is infinite, which only damaged weights cause, y is NaN and not the clamped value, so that the
/// damage is noticed. Source: swiglu in openai/gpt-oss, gpt_oss/torch/model.py.
/// </remarks>
internal static class SwiGlu
{
    /// <summary>Applies the function to one token's row at the widest registers.</summary>
    /// <param name="u">Gates and linear parts alternating; or the gates alone.</param>
    /// <param name="linear">The linear parts where u has the gates alone; else empty.</param>
    /// <param name="limit">The largest gate, and the largest magnitude of a linear part.</param>
    /// <param name="y">Receives the results, [intermediate].</param>
    /// <param name="alpha">The factor of the gate within the sigmoid.</param>
    public static void Row(
        ReadOnlySpan<float> u,
        ReadOnlySpan<float> linear,
        float limit,
        Span<float> y,
        float alpha = 1.702f
    )
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(u.Length + linear.Length, 2 * y.Length);
        if (!linear.IsEmpty)
            ArgumentOutOfRangeException.ThrowIfNotEqual(linear.Length, y.Length);
        Lanes.Run(new ApplySwiGlu(u, linear, limit, y, alpha));
    }

    /// <summary>Applies the function to a row in which gates and linear parts alternate.</summary>
    public static void Row(ReadOnlySpan<float> u, float limit, Span<float> y, float alpha = 1.702f) =>
        Row(u, default, limit, y, alpha);

    /// <summary>Separates some gates from linear parts, then combines them, sixteen pairs at a time.</summary>
    internal readonly ref struct ApplySwiGlu(
        ReadOnlySpan<float> u,
        ReadOnlySpan<float> linear,
        float limit,
        Span<float> y,
        float alpha
    ) : ILaneKernel
    {
        // Pairs that are separated before they are combined: the stores of both parts are then over when the parts are
        // loaded, and all of it stays in the first-level cache.
        private const int Block = 16 * Lanes.Count;

        private readonly ReadOnlySpan<float> _u = u;
        private readonly ReadOnlySpan<float> _linear = linear;
        private readonly float _limit = limit;
        private readonly Span<float> _y = y;
        private readonly float _alpha = alpha;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            Span<float> gates = stackalloc float[Block],
                linears = stackalloc float[Block];
            gates.Clear();
            linears.Clear();
            T limit = T.Create(_limit),
                minusLimit = T.Create(-_limit),
                minusAlpha = T.Create(-_alpha),
                one = T.Create(1f);
            for (int start = 0; start < _y.Length; start += Block)
            {
                Span<float> y = _y.Slice(start, Math.Min(Block, _y.Length - start));
                if (_linear.IsEmpty)
                    Separate<T>(_u.Slice(2 * start, 2 * y.Length), gates, linears);
                else
                {
                    _u.Slice(start, y.Length).CopyTo(gates);
                    _linear.Slice(start, y.Length).CopyTo(linears);
                }
                for (int i = 0; i < y.Length; i += Lanes.Count)
                {
                    T gate = T.Load(in gates[i], 0),
                        linear = T.Load(in linears[i], 0);
                    T fault = gate * T.Zero + linear * T.Zero; // zero, or NaN where an input is not finite
                    gate = T.WhereLess(limit, gate, limit, gate);
                    linear = T.WhereLess(limit, linear, limit, linear);
                    linear = T.WhereLess(linear, minusLimit, minusLimit, linear);
                    T result = gate / (one + Exp.Of(gate * minusAlpha)) * (linear + one) + fault;
                    if (i + Lanes.Count <= y.Length)
                        T.Store(result, ref y[i], 0);
                    else
                        Lanes.StorePartial(result, y[i..]);
                }
            }
        }
    }

    // A pair as one number of 64 bits has the gate in its lower half, so that narrowing to 32 bits picks gates, and
    // linear parts after a shift. That is one instruction or two at every width.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Separate<T>(ReadOnlySpan<float> u, Span<float> gates, Span<float> linears)
        where T : struct, ILanes<T>
    {
        ReadOnlySpan<ulong> pairs = MemoryMarshal.Cast<float, ulong>(u);
        int i = 0;
        if (typeof(T) == typeof(Lanes512))
            for (; i + Vector512<uint>.Count <= pairs.Length; i += Vector512<uint>.Count)
            {
                Vector512<ulong> first = Vector512.Create(pairs[i..]),
                    second = Vector512.Create(pairs[(i + Vector512<ulong>.Count)..]);
                Vector512.Narrow(first, second).AsSingle().CopyTo(gates[i..]);
                Vector512.Narrow(first >>> 32, second >>> 32).AsSingle().CopyTo(linears[i..]);
            }
        else if (typeof(T) != typeof(Lanes1))
            for (; i + Vector128<uint>.Count <= pairs.Length; i += Vector128<uint>.Count)
            {
                Vector128<ulong> first = Vector128.Create(pairs[i..]),
                    second = Vector128.Create(pairs[(i + Vector128<ulong>.Count)..]);
                Vector128.Narrow(first, second).AsSingle().CopyTo(gates[i..]);
                Vector128.Narrow(first >>> 32, second >>> 32).AsSingle().CopyTo(linears[i..]);
            }
        for (; i < pairs.Length; i++)
            (gates[i], linears[i]) = (u[2 * i], u[2 * i + 1]);
    }
}

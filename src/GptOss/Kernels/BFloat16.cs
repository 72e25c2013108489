using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>
/// Multiplies bfloat16 matrices, stored output by output, by the activations of some tokens:
/// <c>y[t, o] = Σₖ w[o, k] · x[t, k] + bias[o]</c>. It also widens bfloat16 numbers to float32.
/// </summary>
/// <remarks>
/// w: [outputs, inputs] bfloat16; x: [tokens, inputs] float32; y: [tokens, outputs] float32. Order of the sum: product
/// k is added to lane k mod 16 by fused multiply-add, k ascending, the inputs padded with zeros to a multiple of 16;
/// then the lanes are added by the tree of <see cref="ILanes{TSelf}.Sum"/>; then the bias is added. All paths of this
/// class give the same bits.
/// </remarks>
internal static class BFloat16
{
    /// <summary>
    /// Number of outputs whose weights stay in the second-level cache while all tokens pass: 64 × 2,880 weights are 369
    /// KB.
    /// </summary>
    private const int CachedOutputs = 64;

    /// <summary>The float32 with these upper bits: a bfloat16 as a float.</summary>
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>Widens every value to float32, exactly.</summary>
    public static void Widen(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, source.Length);
        for (int i = 0; i < source.Length; i++)
            destination[i] = ToSingle(source[i]);
    }

    /// <summary>The definition of one output without its bias; tests compare every faster path with it.</summary>
    internal static float DotScalar(ReadOnlySpan<ushort> weights, ReadOnlySpan<float> x)
    {
        Span<float> lanes = stackalloc float[Lanes.Count];
        lanes.Clear();
        int padded = (x.Length + Lanes.Count - 1) / Lanes.Count * Lanes.Count;
        for (int k = 0; k < padded; k++)
        {
            float w = k < x.Length ? ToSingle(weights[k]) : 0,
                v = k < x.Length ? x[k] : 0;
            lanes[k % Lanes.Count] = MathF.FusedMultiplyAdd(w, v, lanes[k % Lanes.Count]);
        }
        return Lanes1.Sum(Lanes1.Load(in lanes[0], 0));
    }

    /// <summary>Computes a range of outputs for every token.</summary>
    /// <param name="weights">Weights of the range, [outputs of the range, inputs].</param>
    /// <param name="bias">Bias of the range, [outputs of the range], or empty for no bias.</param>
    /// <param name="x">Activations of the tokens, [tokens, inputs].</param>
    /// <param name="y">Receives output o of the range at [t, first + o]; its shape is [tokens, outputs].</param>
    /// <param name="first">Index of the first output of the range in <paramref name="y"/>.</param>
    public static void Multiply(ReadOnlySpan<ushort> weights, ReadOnlySpan<float> bias, Rows x, Rows y, int first)
    {
        int outputs = weights.Length / x.Width;
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, outputs * x.Width);
        if (!bias.IsEmpty)
            ArgumentOutOfRangeException.ThrowIfNotEqual(bias.Length, outputs);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + outputs, y.Width);
        Lanes.Run(new MultiplyBFloat16(weights, bias, x, y, first));
    }

    /// <summary>
    /// Computes a range of outputs: few tokens one output at a time, many tokens in tiles of 2 × 2 or 4 × 4 outputs and
    /// tokens whose sums stay in registers.
    /// </summary>
    internal readonly ref struct MultiplyBFloat16(
        ReadOnlySpan<ushort> weights,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first
    ) : ILaneKernel
    {
        private readonly ReadOnlySpan<ushort> _weights = weights;
        private readonly ReadOnlySpan<float> _bias = bias;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _first = first;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int side = T.Registers == 1 ? 4 : 2; // tile whose sums stay in registers: 16 sums at 512 bits, 4 at 256
            int outputs = _weights.Length / _x.Width,
                tokens = _x.Count,
                tiled = tokens & -side;
            Span<float> sums = stackalloc float[side * side * Lanes.Count];
            for (int begin = 0; begin < outputs; begin += CachedOutputs)
            {
                int end = Math.Min(begin + CachedOutputs, outputs),
                    tiles = begin + ((end - begin) & -side);
                for (int t = 0; t < tiled; t += side)
                {
                    for (int r = begin; r < tiles; r += side)
                    {
                        if (T.Registers == 1)
                            Tile<T>(r, t, sums);
                        else
                            SmallTile<T>(r, t, sums);
                    }
                    for (int r = tiles; r < end; r++)
                    for (int i = 0; i < side; i++)
                        One<T>(r, t + i);
                }
                for (int r = begin; r < end; r++)
                for (int t = tiled; t < tokens; t++)
                    One<T>(r, t);
            }
        }

        // Memory is read fastest one weight row at a time, in the order of addresses (docs/decisions/0002).
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void One<T>(int output, int token)
            where T : struct, ILanes<T>
        {
            int inputs = _x.Width;
            nuint full = (nuint)inputs & ~(nuint)(Lanes.Count - 1);
            ReadOnlySpan<ushort> weights = _weights.Slice(output * inputs, inputs);
            ReadOnlySpan<float> token0 = _x[token];
            ref readonly ushort w = ref MemoryMarshal.GetReference(weights);
            ref readonly float x = ref MemoryMarshal.GetReference(token0);
            T sum = T.Zero;
            nuint k = 0;
            for (; k + 2 * Lanes.Count <= full; k += 2 * Lanes.Count) // 64 bytes of weights need one prefetch
            {
                Prefetch.ReadFar(in w, k + Prefetch.FarBytes / sizeof(ushort));
                sum = T.MultiplyAdd(T.LoadBFloat16(in w, k), T.Load(in x, k), sum);
                sum = T.MultiplyAdd(T.LoadBFloat16(in w, k + Lanes.Count), T.Load(in x, k + Lanes.Count), sum);
            }
            for (; k < full; k += Lanes.Count)
                sum = T.MultiplyAdd(T.LoadBFloat16(in w, k), T.Load(in x, k), sum);
            if (k < (nuint)inputs)
                sum = AddTail(sum, weights, token0, (int)k);
            Put(output, token, T.Sum(sum));
        }

        // Four outputs and four tokens share their loads: sixteen chains of fused multiply-adds hide each other's
        // latency.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Tile<T>(int output, int token, Span<float> sums)
            where T : struct, ILanes<T>
        {
            int inputs = _x.Width;
            nuint full = (nuint)inputs & ~(nuint)(Lanes.Count - 1),
                stride = (nuint)inputs;
            ref readonly ushort w = ref MemoryMarshal.GetReference(_weights.Slice(output * inputs, 4 * inputs));
            ref readonly float x = ref MemoryMarshal.GetReference(_x.Values.Slice(token * inputs, 4 * inputs));
            T s00 = T.Zero,
                s01 = T.Zero,
                s02 = T.Zero,
                s03 = T.Zero,
                s10 = T.Zero,
                s11 = T.Zero,
                s12 = T.Zero,
                s13 = T.Zero;
            T s20 = T.Zero,
                s21 = T.Zero,
                s22 = T.Zero,
                s23 = T.Zero,
                s30 = T.Zero,
                s31 = T.Zero,
                s32 = T.Zero,
                s33 = T.Zero;
            for (nuint k = 0; k < full; k += Lanes.Count)
            {
                T w0 = T.LoadBFloat16(in w, k),
                    w1 = T.LoadBFloat16(in w, k + stride);
                T w2 = T.LoadBFloat16(in w, k + 2 * stride),
                    w3 = T.LoadBFloat16(in w, k + 3 * stride);
                T v = T.Load(in x, k);
                s00 = T.MultiplyAdd(w0, v, s00);
                s10 = T.MultiplyAdd(w1, v, s10);
                s20 = T.MultiplyAdd(w2, v, s20);
                s30 = T.MultiplyAdd(w3, v, s30);
                v = T.Load(in x, k + stride);
                s01 = T.MultiplyAdd(w0, v, s01);
                s11 = T.MultiplyAdd(w1, v, s11);
                s21 = T.MultiplyAdd(w2, v, s21);
                s31 = T.MultiplyAdd(w3, v, s31);
                v = T.Load(in x, k + 2 * stride);
                s02 = T.MultiplyAdd(w0, v, s02);
                s12 = T.MultiplyAdd(w1, v, s12);
                s22 = T.MultiplyAdd(w2, v, s22);
                s32 = T.MultiplyAdd(w3, v, s32);
                v = T.Load(in x, k + 3 * stride);
                s03 = T.MultiplyAdd(w0, v, s03);
                s13 = T.MultiplyAdd(w1, v, s13);
                s23 = T.MultiplyAdd(w2, v, s23);
                s33 = T.MultiplyAdd(w3, v, s33);
            }
            // Sums that lived across a call would be kept in memory during the loop too, so they are stored here.
            ref float s = ref MemoryMarshal.GetReference(sums);
            T.Store(s00, ref s, 0);
            T.Store(s10, ref s, 16);
            T.Store(s20, ref s, 32);
            T.Store(s30, ref s, 48);
            T.Store(s01, ref s, 64);
            T.Store(s11, ref s, 80);
            T.Store(s21, ref s, 96);
            T.Store(s31, ref s, 112);
            T.Store(s02, ref s, 128);
            T.Store(s12, ref s, 144);
            T.Store(s22, ref s, 160);
            T.Store(s32, ref s, 176);
            T.Store(s03, ref s, 192);
            T.Store(s13, ref s, 208);
            T.Store(s23, ref s, 224);
            T.Store(s33, ref s, 240);
            Finish<T>(output, token, 4, (int)full, sums);
        }

        // Two outputs and two tokens: at 256 bits their sums take eight registers.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void SmallTile<T>(int output, int token, Span<float> sums)
            where T : struct, ILanes<T>
        {
            int inputs = _x.Width;
            nuint full = (nuint)inputs & ~(nuint)(Lanes.Count - 1),
                stride = (nuint)inputs;
            ref readonly ushort w = ref MemoryMarshal.GetReference(_weights.Slice(output * inputs, 2 * inputs));
            ref readonly float x = ref MemoryMarshal.GetReference(_x.Values.Slice(token * inputs, 2 * inputs));
            T s00 = T.Zero,
                s01 = T.Zero,
                s10 = T.Zero,
                s11 = T.Zero;
            for (nuint k = 0; k < full; k += Lanes.Count)
            {
                T w0 = T.LoadBFloat16(in w, k),
                    w1 = T.LoadBFloat16(in w, k + stride),
                    v = T.Load(in x, k);
                s00 = T.MultiplyAdd(w0, v, s00);
                s10 = T.MultiplyAdd(w1, v, s10);
                v = T.Load(in x, k + stride);
                s01 = T.MultiplyAdd(w0, v, s01);
                s11 = T.MultiplyAdd(w1, v, s11);
            }
            ref float s = ref MemoryMarshal.GetReference(sums);
            T.Store(s00, ref s, 0);
            T.Store(s10, ref s, 16);
            T.Store(s01, ref s, 32);
            T.Store(s11, ref s, 48);
            Finish<T>(output, token, 2, (int)full, sums);
        }

        private void Finish<T>(int output, int token, int side, int full, ReadOnlySpan<float> sums)
            where T : struct, ILanes<T>
        {
            int inputs = _x.Width;
            for (int i = 0; i < side * side; i++)
            {
                int o = output + i % side,
                    t = token + i / side;
                T sum = T.Load(in sums[i * Lanes.Count], 0);
                if (full < inputs)
                    sum = AddTail(sum, _weights.Slice(o * inputs, inputs), _x[t], full);
                Put(o, t, T.Sum(sum));
            }
        }

        private static T AddTail<T>(T sum, ReadOnlySpan<ushort> w, ReadOnlySpan<float> x, int k)
            where T : struct, ILanes<T> =>
            T.MultiplyAdd(
                Lanes.LoadPartialBFloat16<T>(w[k..], w.Length - k),
                Lanes.LoadPartial<T>(x[k..], x.Length - k),
                sum
            );

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Put(int output, int token, float sum) =>
            _y.Values[token * _y.Width + _first + output] = _bias.IsEmpty ? sum : sum + _bias[output];
    }
}

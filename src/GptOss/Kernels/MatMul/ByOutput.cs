// Over 300 lines: the tiles of both sizes, one for each width of registers, lie beside the definition of the sum.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.Formats;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.MatMul;

/// <summary>
/// Matrices of numbers, stored output by output: <c>y[t, o] = Σₖ w[o, k] · x[t, k]</c>.
/// </summary>
/// <remarks>
/// w: [outputs, inputs] in the format of the numbers; x: [tokens, inputs] float32; y: [tokens, outputs] float32. Order
/// of the sum: product k is added to lane k mod 16 by fused multiply-add, k ascending, the inputs padded with zeros to
/// a multiple of 16; then the lanes are added by the tree of <see cref="ILanes{TSelf}.Sum"/>. All paths give the same
/// bits, and so do the same values in another format of numbers.
/// </remarks>
// Bound: the span's Multiply and Widen check weights, rows and range; a kernel reads sixteen inputs only where a row
// has them, and the rest one by one.
internal readonly unsafe struct ByOutput<TNumbers> : IMatrixFormat
    where TNumbers : struct, INumberFormat
{
    /// <summary>
    /// Number of outputs whose weights stay in the second-level cache while all tokens pass: 64 × 2,880 weights of two
    /// bytes are 369 KB.
    /// </summary>
    private const int CachedOutputs = 64;

    /// <summary>Whole tiles of every size.</summary>
    public static int UnitOutputs => 12;

    /// <exception cref="ArgumentOutOfRangeException">The inputs are no whole number of blocks.</exception>
    public static long Bytes(int outputs, int inputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(inputs % TNumbers.BlockValues, 0);
        return (long)outputs * (inputs / TNumbers.BlockValues) * TNumbers.BlockBytes;
    }

    public static int PermutedWidth(int inputs) => 0;

    public static void Permute(ReadOnlySpan<float> x, Span<float> permuted, int tokens) => x.CopyTo(permuted);

    /// <summary>
    /// Most tokens for which the weights of an output are decoded again for each token, if they share scales.
    /// </summary>
    private const int FewTokens = 2;

    public static int ScratchFloats(int inputs, int tokens) => IsWidened(tokens) ? UnitOutputs * inputs : 0;

    public static void Multiply(in StoredWeights w, int first, int count, Rows x, Rows y, Span<float> scratch)
    {
        if (!IsWidened(x.Count))
        {
            Multiply(new(w.Data + Bytes(first, w.Inputs), checked((int)Bytes(count, w.Inputs))), x, y, first);
            return;
        }
        // Decoding a value costs more than multiplying it, so that many tokens share rows that were decoded once.
        for (int from = first; from < first + count; from += UnitOutputs)
        {
            int outputs = Math.Min(UnitOutputs, first + count - from);
            Span<float> strip = scratch[..(outputs * w.Inputs)];
            for (int i = 0; i < outputs; i++)
                Widen(in w, from + i, strip.Slice(i * w.Inputs, w.Inputs));
            ByOutput<Float32>.Multiply(MemoryMarshal.AsBytes(strip), x, y, from);
        }
    }

    private static bool IsWidened(int tokens) => TNumbers.BlockValues > 1 && tokens > FewTokens;

    public static void Widen(in StoredWeights w, int output, Span<float> row) =>
        Widen(new(w.Data + Bytes(output, w.Inputs), (int)Bytes(1, w.Inputs)), row);

    /// <summary>Gives every number of a row as float32, without rounding.</summary>
    public static void Widen(ReadOnlySpan<byte> source, Span<float> row)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.Length, (int)Bytes(1, row.Length));
        Lanes.Run(new WidenNumbers(source, row));
    }

    /// <summary>The definition of one output; tests compare every faster path with it.</summary>
    internal static float DotScalar(ReadOnlySpan<byte> weights, ReadOnlySpan<float> x)
    {
        Span<float> lanes = stackalloc float[Lanes.Count];
        lanes.Clear();
        int padded = (x.Length + Lanes.Count - 1) / Lanes.Count * Lanes.Count;
        for (int k = 0; k < padded; k++)
        {
            float w = k < x.Length ? TNumbers.Value(weights, k) : 0,
                v = k < x.Length ? x[k] : 0;
            lanes[k % Lanes.Count] = MathF.FusedMultiplyAdd(w, v, lanes[k % Lanes.Count]);
        }
        return Lanes1.Sum(Lanes1.Load(in lanes[0], 0));
    }

    /// <summary>Computes a range of outputs for every token.</summary>
    /// <param name="weights">Weights of the range, [outputs of the range, inputs].</param>
    /// <param name="x">Activations of the tokens, [tokens, inputs].</param>
    /// <param name="y">Receives output o of the range at [t, first + o]; its shape is [tokens, outputs].</param>
    /// <param name="first">Index of the first output of the range in <paramref name="y"/>.</param>
    public static void Multiply(ReadOnlySpan<byte> weights, Rows x, Rows y, int first)
    {
        int outputs = weights.Length / (int)Bytes(1, x.Width);
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, (int)Bytes(outputs, x.Width));
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, y.Width - outputs);
        Lanes.Run(new MultiplyByOutput(weights, outputs, x, y, first));
    }

    /// <summary>Widens the numbers of a row, sixteen at a time.</summary>
    internal readonly ref struct WidenNumbers(ReadOnlySpan<byte> source, Span<float> row) : ILaneKernel
    {
        private readonly ReadOnlySpan<byte> _source = source;
        private readonly Span<float> _row = row;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int full = _row.Length & ~(Lanes.Count - 1);
            ref readonly byte source = ref MemoryMarshal.GetReference(_source);
            ref float row = ref MemoryMarshal.GetReference(_row);
            nuint at = 0;
            for (; at + 2 * Lanes.Count <= (nuint)full; at += 2 * Lanes.Count)
            {
                TNumbers.LoadPair(in source, at, out T first, out T second);
                T.Store(first, ref row, at);
                T.Store(second, ref row, at + Lanes.Count);
            }
            if (at < (nuint)full)
                T.Store(TNumbers.Load<T>(in source, at), ref row, at);
            for (int k = full; k < _row.Length; k++)
                _row[k] = TNumbers.Value(_source, k);
        }
    }

    /// <summary>
    /// Computes a range of outputs: few tokens one output at a time, many tokens in tiles of 2 × 2 or 4 × 4 outputs and
    /// tokens whose sums stay in registers.
    /// </summary>
    internal readonly ref struct MultiplyByOutput(ReadOnlySpan<byte> weights, int outputs, Rows x, Rows y, int first)
        : ILaneKernel
    {
        private readonly ReadOnlySpan<byte> _weights = weights;
        private readonly int _outputs = outputs;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _first = first;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int side = T.Registers == 1 ? 4 : 2; // tile whose sums stay in registers: 16 sums at 512 bits, 4 at 256
            int outputs = _outputs,
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
            ReadOnlySpan<byte> weights = Weights(output, 1);
            ReadOnlySpan<float> token0 = _x[token];
            ref readonly byte w = ref MemoryMarshal.GetReference(weights);
            ref readonly float x = ref MemoryMarshal.GetReference(token0);
            T sum = T.Zero;
            nuint k = 0;
            nuint bytes = (nuint)(2 * Lanes.Count * TNumbers.BlockBytes / TNumbers.BlockValues),
                ahead = Prefetch.FarBytes;
            for (; k + 2 * Lanes.Count <= full; k += 2 * Lanes.Count, ahead += bytes)
            {
                Prefetch.ReadFar(in w, ahead);
                if (bytes > 64)
                    Prefetch.ReadFar(in w, ahead + 64);
                TNumbers.LoadPair(in w, k, out T first, out T second);
                sum = T.MultiplyAdd(first, T.Load(in x, k), sum);
                sum = T.MultiplyAdd(second, T.Load(in x, k + Lanes.Count), sum);
            }
            for (; k < full; k += Lanes.Count)
                sum = T.MultiplyAdd(TNumbers.Load<T>(in w, k), T.Load(in x, k), sum);
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
            ref readonly byte w0 = ref MemoryMarshal.GetReference(Weights(output, 4));
            ref readonly byte w1 = ref Unsafe.Add(ref Unsafe.AsRef(in w0), 1 * (nint)Bytes(1, inputs)),
                w2 = ref Unsafe.Add(ref Unsafe.AsRef(in w0), 2 * (nint)Bytes(1, inputs)),
                w3 = ref Unsafe.Add(ref Unsafe.AsRef(in w0), 3 * (nint)Bytes(1, inputs));
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
                T a = TNumbers.Load<T>(in w0, k),
                    b = TNumbers.Load<T>(in w1, k),
                    c = TNumbers.Load<T>(in w2, k),
                    d = TNumbers.Load<T>(in w3, k);
                T v = T.Load(in x, k);
                s00 = T.MultiplyAdd(a, v, s00);
                s10 = T.MultiplyAdd(b, v, s10);
                s20 = T.MultiplyAdd(c, v, s20);
                s30 = T.MultiplyAdd(d, v, s30);
                v = T.Load(in x, k + stride);
                s01 = T.MultiplyAdd(a, v, s01);
                s11 = T.MultiplyAdd(b, v, s11);
                s21 = T.MultiplyAdd(c, v, s21);
                s31 = T.MultiplyAdd(d, v, s31);
                v = T.Load(in x, k + 2 * stride);
                s02 = T.MultiplyAdd(a, v, s02);
                s12 = T.MultiplyAdd(b, v, s12);
                s22 = T.MultiplyAdd(c, v, s22);
                s32 = T.MultiplyAdd(d, v, s32);
                v = T.Load(in x, k + 3 * stride);
                s03 = T.MultiplyAdd(a, v, s03);
                s13 = T.MultiplyAdd(b, v, s13);
                s23 = T.MultiplyAdd(c, v, s23);
                s33 = T.MultiplyAdd(d, v, s33);
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
            ref readonly byte w0 = ref MemoryMarshal.GetReference(Weights(output, 2));
            ref readonly byte w1 = ref Unsafe.Add(ref Unsafe.AsRef(in w0), 1 * (nint)Bytes(1, inputs));
            ref readonly float x = ref MemoryMarshal.GetReference(_x.Values.Slice(token * inputs, 2 * inputs));
            T s00 = T.Zero,
                s01 = T.Zero,
                s10 = T.Zero,
                s11 = T.Zero;
            for (nuint k = 0; k < full; k += Lanes.Count)
            {
                T a = TNumbers.Load<T>(in w0, k),
                    b = TNumbers.Load<T>(in w1, k),
                    v = T.Load(in x, k);
                s00 = T.MultiplyAdd(a, v, s00);
                s10 = T.MultiplyAdd(b, v, s10);
                v = T.Load(in x, k + stride);
                s01 = T.MultiplyAdd(a, v, s01);
                s11 = T.MultiplyAdd(b, v, s11);
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
                    sum = AddTail(sum, Weights(o, 1), _x[t], full);
                Put(o, t, T.Sum(sum));
            }
        }

        // The weights of some neighbouring outputs.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private ReadOnlySpan<byte> Weights(int output, int count) =>
            _weights.Slice((int)Bytes(output, _x.Width), (int)Bytes(count, _x.Width));

        private static T AddTail<T>(T sum, ReadOnlySpan<byte> weights, ReadOnlySpan<float> x, int k)
            where T : struct, ILanes<T>
        {
            Span<float> padded = stackalloc float[Lanes.Count];
            padded.Clear();
            for (int i = k; i < x.Length; i++)
                padded[i - k] = TNumbers.Value(weights, i);
            return T.MultiplyAdd(T.Load(in padded[0], 0), Lanes.LoadPartial<T>(x[k..], x.Length - k), sum);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Put(int output, int token, float sum) => _y.Values[token * _y.Width + _first + output] = sum;
    }
}

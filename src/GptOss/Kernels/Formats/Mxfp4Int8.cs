// Over 300 lines: one format; its products for few tokens and for many share the tables and the definition.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>
/// The fast precision of MXFP4 matrices: quantises activations to 8-bit integers and multiplies them by MXFP4 weights,
/// <c>y[t, o] = Σ_b (Σ 2w · q) · (2^(s − 127) · scale / 2)</c>, b over the blocks of the inputs.
/// </summary>
/// <remarks>
/// Twice an E2M1 value is an integer of at most 12 in magnitude, so the inner sum of a block is exact. The outer sum
/// has the order of <see cref="Int8Panel"/>, with the blocks padded with zeros to a multiple of sixteen.
/// </remarks>
internal readonly struct Mxfp4Int8 : IMatrixFormat
{
    /// <summary>Added to 2w, because the 8-bit instructions of x86 want one factor without a sign.</summary>
    public const int Offset = 12;

    private const int StepBlocks = Int8Row.LaneBlocks;
    private const int StepBytes = StepBlocks * Mxfp4.BlockBytes;

    /// <summary>
    /// Fewest tokens for which decoding strips is faster than multiplying one weight row after the other, measured at
    /// 512 bits.
    /// </summary>
    public const int StripTokens = 5;

    /// <summary>Twice the value of each code, for lookup by a byte shuffle.</summary>
    public static Vector128<sbyte> SignedTable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((sbyte)0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
    }

    /// <summary>Twice the value of each code plus <see cref="Offset"/>, for lookup by a byte shuffle.</summary>
    public static Vector128<byte> OffsetTable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0);
    }

    private static ReadOnlySpan<sbyte> TwiceTable => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    /// <summary>Twice the value of a code, 0 to 15.</summary>
    public static int Twice(int code) => TwiceTable[code];

    /// <summary>The weight rows of a strip.</summary>
    public static int UnitOutputs => Int8Panel.Rows;

    public static long Bytes(int outputs, int inputs) => Mxfp4.Bytes(outputs, inputs);

    public static int PermutedWidth(int inputs) => Int8Row.Width(inputs);

    /// <summary>
    /// Floats of a strip, if there are enough tokens to decode one, and behind it room for the scale bytes of its rows.
    /// </summary>
    public static int ScratchFloats(int inputs, int tokens) =>
        tokens < StripTokens
            ? 0
            : (int)(Int8Panel.Bytes<SingleScales>(inputs) / sizeof(float))
                + Int8Panel.Rows / sizeof(float) * (inputs / Mxfp4.BlockValues);

    public static void Multiply(in StoredWeights w, int first, int count, Rows x, Rows y, Span<float> scratch) =>
        Multiply<Mxfp4Apart>(in w, first, count, x, y, scratch);

    /// <summary>The product of every kind of blocks.</summary>
    internal static void Multiply<TBlocks>(
        in StoredWeights w,
        int first,
        int count,
        Rows x,
        Rows y,
        Span<float> scratch
    )
        where TBlocks : struct, IMxfp4Blocks
    {
        (ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> scales) = Mxfp4.Range<TBlocks>(in w, first, count);
        Multiply<TBlocks>(blocks, scales, w.Inputs, x, y, first, scratch);
    }

    public static void Widen(in StoredWeights w, int output, Span<float> row) => Mxfp4.Widen(in w, output, row);

    /// <summary>The definition of one output; tests compare every faster path with it.</summary>
    internal static float DotScalar(ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> scales, ReadOnlySpan<float> x)
    {
        Span<float> lanes = stackalloc float[Lanes.Count];
        lanes.Clear();
        Span<sbyte> q = stackalloc sbyte[Int8Row.BlockValues];
        for (int b = 0; b < scales.Length; b++)
        {
            float scale = Int8Row.QuantizeScalar(x.Slice(b * Int8Row.BlockValues, Int8Row.BlockValues), q);
            int sum = 0;
            for (int k = 0; k < q.Length; k++)
                sum += Twice(blocks[b * Mxfp4.BlockBytes + k / 2] >> (k % 2 * 4) & 0xF) * q[k];
            ref float lane = ref lanes[Int8Row.Lane(b)];
            lane = MathF.FusedMultiplyAdd(sum, Mxfp4.Scale(scales[b]) * (scale * 0.5f), lane);
        }
        return Lanes1.Sum(Lanes1.Load(in lanes[0], 0));
    }

    /// <summary>Quantises one token's activations for a product of the given number of tokens.</summary>
    /// <param name="x">Activations of the token, [inputs].</param>
    /// <param name="permuted">Receives the quantised activations, [<see cref="Int8Row.Width"/>].</param>
    /// <param name="tokens">Number of tokens of the product.</param>
    public static void Permute(ReadOnlySpan<float> x, Span<float> permuted, int tokens) =>
        Permute<Mxfp4Apart>(x, permuted, tokens);

    /// <summary>Quantises one token's activations for every kind of blocks.</summary>
    internal static void Permute<TBlocks>(ReadOnlySpan<float> x, Span<float> permuted, int tokens)
        where TBlocks : struct, IMxfp4Blocks
    {
        if (tokens < StripTokens)
            Int8Row.ToBlockOrder(x, permuted, Offset, 0.5f, TBlocks.IsInHalves);
        else
            Dots.RunSmall(new QuantizeForMxfp4Strips(x, permuted));
    }

    /// <summary>Computes a range of outputs for every token.</summary>
    /// <param name="blocks">Codes of the range, [outputs of the range, inputs / 32, 16].</param>
    /// <param name="scales">Scales of the range, [outputs of the range, inputs / 32].</param>
    /// <param name="inputs">Number of inputs of the matrix.</param>
    /// <param name="x">Activations from <see cref="Permute"/>, [tokens, <see cref="Int8Row.Width"/>].</param>
    /// <param name="y">Receives output o of the range at [t, first + o]; its shape is [tokens, outputs].</param>
    /// <param name="first">Index of the first output of the range in <paramref name="y"/>.</param>
    /// <param name="scratch">Working memory of at least <see cref="ScratchFloats"/> floats.</param>
    public static void Multiply(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        int inputs,
        Rows x,
        Rows y,
        int first,
        Span<float> scratch
    ) => Multiply<Mxfp4Apart>(blocks, scales, inputs, x, y, first, scratch);

    private static void Multiply<TBlocks>(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        int inputs,
        Rows x,
        Rows y,
        int first,
        Span<float> scratch
    )
        where TBlocks : struct, IMxfp4Blocks
    {
        int outputs = Mxfp4.Outputs<TBlocks>(blocks, scales, inputs, x, y, first);
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Width, Int8Row.Width(inputs));
        ArgumentOutOfRangeException.ThrowIfLessThan(scratch.Length, ScratchFloats(inputs, x.Count));
        if (x.Count < StripTokens)
            Lanes.Run(new MultiplyMxfp4RowsByInt8<TBlocks>(blocks, scales, outputs, x, y, first));
        else
            Dots.RunSmall(new MultiplyMxfp4StripsByInt8<TBlocks>(blocks, scales, outputs, x, y, first, scratch));
    }

    /// <summary>
    /// Quantises one token's activations for strips of MXFP4 weights: chooses the integer registers for small weights,
    /// and lets <see cref="Int8Row.QuantizeToLaneOrder{TDots}"/> write what they read.
    /// </summary>
    internal readonly ref struct QuantizeForMxfp4Strips(ReadOnlySpan<float> x, Span<float> row) : IDotsKernel
    {
        private readonly ReadOnlySpan<float> _x = x;
        private readonly Span<float> _row = row;

        public void Run<T>()
            where T : struct, IDots<T> => Int8Row.ToLaneOrder<T>(_x, _row, Offset, 0.5f);
    }

    /// <summary>Multiplies one weight row after the other by few tokens, in block order.</summary>
    internal readonly ref struct MultiplyMxfp4RowsByInt8<TBlocks>(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        int outputs,
        Rows x,
        Rows y,
        int first
    ) : ILaneKernel
        where TBlocks : struct, IMxfp4Blocks
    {
        private readonly ReadOnlySpan<byte> _blocks = blocks;
        private readonly ReadOnlySpan<byte> _scales = scales;
        private readonly int _outputs = outputs;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _first = first;
        private readonly int _inputBlocks = outputs == 0 ? 0 : blocks.Length / TBlocks.BlockBytes / outputs;

        // Sixteen bytes from byte 16 − n on keep the scales of the last n blocks of an output and clear those behind
        // them.
        // csharpier-ignore
        private static ReadOnlySpan<byte> Masks =>
            [
                255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            ];

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            // Where the last step of a weight row would read past the end of the range, it is read from a copy, and so
            // are blocks with the scales among them.
            int outputs = _outputs,
                rest = _inputBlocks % StepBlocks;
            int apart =
                rest == 0 ? 0
                : TBlocks.HasScales ? outputs
                : Math.Min(outputs, (StepBlocks - rest + _inputBlocks - 1) / _inputBlocks);
            Span<byte> copy = stackalloc byte[StepBytes + StepBlocks];
            copy.Clear();
            for (int o = 0; o < outputs; o++)
            {
                int last = (o + 1) * _inputBlocks - rest;
                scoped ReadOnlySpan<byte> lastBlocks = copy,
                    lastScales = copy[StepBytes..];
                if (o < outputs - apart)
                {
                    lastBlocks = _blocks[(last * TBlocks.BlockBytes)..];
                    lastScales = TBlocks.HasScales ? default : _scales[last..];
                }
                else
                    for (int i = 0; i < rest; i++)
                    {
                        Mxfp4Blocks<TBlocks>.AsStored(_blocks, last + i).CopyTo(copy[(i * Mxfp4.BlockBytes)..]);
                        copy[StepBytes + i] = Mxfp4Blocks<TBlocks>.Scale(_blocks, _scales, last + i);
                    }
                int t = 0;
                for (; t + 2 <= _x.Count; t += 2)
                    Multiply<T, TwoTokens>(o, t, rest, lastBlocks, lastScales);
                if (t < _x.Count)
                    Multiply<T, OneToken>(o, t, rest, lastBlocks, lastScales);
            }
        }

        // Memory is read fastest one weight row at a time, in the order of addresses (docs/decisions/0002). Two tokens
        // share what is decoded.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Multiply<T, TTokens>(
            int output,
            int token,
            int rest,
            scoped ReadOnlySpan<byte> lastBlocks,
            scoped ReadOnlySpan<byte> lastScales
        )
            where T : struct, ILanes<T>
            where TTokens : struct, ITokens
        {
            int inputs = _inputBlocks * Int8Row.BlockValues;
            nuint full = (nuint)(_inputBlocks / StepBlocks),
                scalesAt = (nuint)Int8Row.ScalesAt(inputs),
                offsetsAt = (nuint)Int8Row.OffsetsAt(inputs);
            ref readonly byte b = ref MemoryMarshal.GetReference(
                _blocks[(output * _inputBlocks * TBlocks.BlockBytes)..]
            );
            ref readonly byte s = ref MemoryMarshal.GetReference(
                TBlocks.HasScales ? default : _scales[(output * _inputBlocks)..]
            );
            ref readonly byte x0 = ref MemoryMarshal.GetReference(MemoryMarshal.AsBytes(_x[token])),
                x1 = ref MemoryMarshal.GetReference(MemoryMarshal.AsBytes(_x[token + TTokens.Count - 1]));
            T sum0 = T.Zero,
                sum1 = T.Zero;
            nuint step = 0;
            for (; step < full; step++)
            {
                nuint at = step * (nuint)(StepBlocks * TBlocks.BlockBytes);
                Prefetch.Read(in b, at + Prefetch.NearBytes);
                Prefetch.Read(in b, at + Prefetch.NearBytes + 64);
                Prefetch.Read(in b, at + Prefetch.NearBytes + 128);
                Prefetch.Read(in b, at + Prefetch.NearBytes + 192);
                if (TBlocks.HasScales)
                    Prefetch.Read(in b, at + Prefetch.NearBytes + 256);
                ref readonly byte blocks = ref Unsafe.Add(ref Unsafe.AsRef(in b), at);
                T scales = Mxfp4BlockSums.Scales<T, TBlocks>(in blocks, in s, step * StepBlocks);
                sum0 = AddStep<T, TBlocks>(sum0, in blocks, scales, in x0, step, scalesAt, offsetsAt);
                if (TTokens.Count == 2)
                    sum1 = AddStep<T, TBlocks>(sum1, in blocks, scales, in x1, step, scalesAt, offsetsAt);
            }
            if (rest > 0)
            {
                ref readonly byte last = ref MemoryMarshal.GetReference(lastBlocks);
                Vector128<byte> mask = Vector128.LoadUnsafe(
                    in MemoryMarshal.GetReference(Masks),
                    (nuint)(StepBlocks - rest)
                );
                T scales = Mxfp4BlockSums.Scales<T>(
                    Vector128.LoadUnsafe(in MemoryMarshal.GetReference(lastScales)) & mask
                );
                sum0 = AddStep<T, Mxfp4Apart>(sum0, in last, scales, in x0, step, scalesAt, offsetsAt);
                if (TTokens.Count == 2)
                    sum1 = AddStep<T, Mxfp4Apart>(sum1, in last, scales, in x1, step, scalesAt, offsetsAt);
            }
            _y.Values[token * _y.Width + _first + output] = T.Sum(sum0);
            if (TTokens.Count == 2)
                _y.Values[(token + 1) * _y.Width + _first + output] = T.Sum(sum1);
        }

        // Adds the products of sixteen blocks of weights with those of a token.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static T AddStep<T, TStored>(
            T sum,
            ref readonly byte blocks,
            T scales,
            ref readonly byte x,
            nuint step,
            nuint scalesAt,
            nuint offsetsAt
        )
            where T : struct, ILanes<T>
            where TStored : struct, IMxfp4Blocks
        {
            nuint four = step * StepBlocks * sizeof(float);
            ref readonly int offsets = ref Unsafe.As<byte, int>(
                ref Unsafe.Add(ref Unsafe.AsRef(in x), offsetsAt + four)
            );
            ref readonly float xScales = ref Unsafe.As<byte, float>(
                ref Unsafe.Add(ref Unsafe.AsRef(in x), scalesAt + four)
            );
            T sums = Mxfp4BlockSums.Sums<T, TStored>(in blocks, in x, 2 * step * StepBytes, in offsets);
            return T.MultiplyAdd(sums, scales * T.Load(in xScales, 0), sum);
        }

        /// <summary>Number of tokens, as a type, so that the compiler leaves out the second.</summary>
        private interface ITokens
        {
            static abstract int Count { get; }
        }

        private readonly struct OneToken : ITokens
        {
            public static int Count => 1;
        }

        private readonly struct TwoTokens : ITokens
        {
            public static int Count => 2;
        }
    }

    /// <summary>
    /// Decodes one strip of 32 outputs after the other and multiplies it by many tokens, in lane order.
    /// </summary>
    internal readonly ref struct MultiplyMxfp4StripsByInt8<TBlocks>(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        int outputs,
        Rows x,
        Rows y,
        int first,
        Span<float> scratch
    ) : IDotsKernel
        where TBlocks : struct, IMxfp4Blocks
    {
        private readonly ReadOnlySpan<byte> _blocks = blocks;
        private readonly ReadOnlySpan<byte> _scales = scales;
        private readonly int _outputs = outputs;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _first = first;
        private readonly Span<float> _scratch = scratch;

        public void Run<T>()
            where T : struct, IDots<T>
        {
            if (_outputs == 0)
                return;
            int rowBytes = _blocks.Length / _outputs,
                inputBlocks = rowBytes / TBlocks.BlockBytes,
                inputs = inputBlocks * Int8Row.BlockValues,
                stripBytes = (int)Int8Panel.Bytes<SingleScales>(inputs);
            Span<byte> strip = MemoryMarshal.AsBytes(_scratch)[..stripBytes],
                copy = MemoryMarshal.AsBytes(_scratch)[stripBytes..];
            for (int output = 0; output < _outputs; output += Int8Panel.Rows)
            {
                int count = Math.Min(Int8Panel.Rows, _outputs - output);
                Mxfp4Strip.Decode<T, TBlocks>(
                    _blocks.Slice(output * rowBytes, count * rowBytes),
                    Scales(output * inputBlocks, count * inputBlocks, copy),
                    inputBlocks,
                    T.IsUnsigned ? OffsetTable : SignedTable.AsByte(),
                    strip
                );
                ReadOnlySpan<byte> next = _blocks[((output + count) * rowBytes)..];
                next = next[..Math.Min(next.Length, Int8Panel.Rows * rowBytes)];
                Int8Panel.Multiply<T, SingleScales>(strip, inputs, _x, _y, _first + output, count, next);
            }
        }

        // The scales of some neighbouring blocks side by side, which they are in files that keep them apart.
        private ReadOnlySpan<byte> Scales(int first, int count, Span<byte> copy)
        {
            if (!TBlocks.HasScales)
                return _scales.Slice(first, count);
            ReadOnlySpan<byte> blocks = _blocks.Slice(first * TBlocks.BlockBytes, count * TBlocks.BlockBytes);
            Span<byte> scales = copy[..count];
            for (int i = 0; i < scales.Length; i++)
                scales[i] = blocks[i * TBlocks.BlockBytes];
            return scales;
        }
    }
}

/// <summary>
/// Multiplies sixteen MXFP4 blocks of one weight row by quantised activations in block order (<see cref="Int8Row"/>),
/// at each width of registers: lane 4 · (b mod 4) + b / 4 receives what belongs to block b.
/// </summary>
internal static class Mxfp4BlockSums
{
    /// <summary>The exact Σ 2w · q of each block.</summary>
    /// <param name="blocks">The first byte of the sixteen blocks.</param>
    /// <param name="x">Memory of the activations in block order: 512 bytes are read.</param>
    /// <param name="at">First byte that is read of <paramref name="x"/>.</param>
    /// <param name="offsets">12 · Σq of the sixteen blocks, in the order of the lanes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sums<T, TBlocks>(ref readonly byte blocks, ref readonly byte x, nuint at, ref readonly int offsets)
        where T : struct, ILanes<T>
        where TBlocks : struct, IMxfp4Blocks
    {
        if (typeof(T) == typeof(Lanes512))
            return Unsafe.BitCast<Lanes512, T>(Sums512<TBlocks>(in blocks, in x, at, in offsets));
        if (typeof(T) == typeof(Lanes256))
            return Unsafe.BitCast<Lanes256, T>(Sums256<TBlocks>(in blocks, in x, at, in offsets));
        if (typeof(T) == typeof(Lanes128))
            return Unsafe.BitCast<Lanes128, T>(Sums128<TBlocks>(in blocks, in x, at));
        return SumsScalar<T, TBlocks>(in blocks, in x, at);
    }

    /// <summary>Decodes the scale bytes s of sixteen consecutive blocks to 2^(s − 127).</summary>
    /// <param name="blocks">The first byte of the sixteen blocks.</param>
    /// <param name="scales">Memory of the scales of the weight row, where they lie apart.</param>
    /// <param name="block">Number of the first of the sixteen in its weight row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Scales<T, TBlocks>(ref readonly byte blocks, ref readonly byte scales, nuint block)
        where T : struct, ILanes<T>
        where TBlocks : struct, IMxfp4Blocks
    {
        if (!TBlocks.HasScales)
            return Scales<T>(Vector128.LoadUnsafe(in scales, block));
        return typeof(T) == typeof(Lanes512) && Avx512Vbmi.IsSupported
            ? Unsafe.BitCast<Lanes512, T>(new(Mxfp4HalvesLanes.SixteenScales(in blocks)))
            : Scales<T>(Mxfp4Blocks<TBlocks>.SixteenScales(in blocks, in scales, 0));
    }

    /// <summary>Decodes the scale bytes s of sixteen consecutive blocks to 2^(s − 127).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Scales<T>(Vector128<byte> scales)
        where T : struct, ILanes<T>
    {
        if (typeof(T) == typeof(Lanes512))
            return Unsafe.BitCast<Lanes512, T>(Scales512(scales));
        if (typeof(T) == typeof(Lanes256))
            return Unsafe.BitCast<Lanes256, T>(Scales256(scales));
        return typeof(T) == typeof(Lanes128) ? Unsafe.BitCast<Lanes128, T>(Scales128(scales)) : ScalesScalar<T>(scales);
    }

    // Each of the registers a, b, c and d holds four blocks, with four partial sums a block in the lanes of one 128-bit
    // part. Two rounds of unpacking and adding leave the whole sum of block 4p + q in lane 4q + p, where p counts the
    // registers and q the parts.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes512 Sums512<TBlocks>(
        ref readonly byte blocks,
        ref readonly byte x,
        nuint at,
        ref readonly int offsets
    )
        where TBlocks : struct, IMxfp4Blocks
    {
        Vector512<int> a = DwordSums512(Mxfp4Blocks<TBlocks>.FourAsStored(in blocks, 0), in x, at),
            b = DwordSums512(Mxfp4Blocks<TBlocks>.FourAsStored(in blocks, 4), in x, at + 128);
        Vector512<int> c = DwordSums512(Mxfp4Blocks<TBlocks>.FourAsStored(in blocks, 8), in x, at + 256),
            d = DwordSums512(Mxfp4Blocks<TBlocks>.FourAsStored(in blocks, 12), in x, at + 384);
        Vector512<long> ab = (Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b)).AsInt64();
        Vector512<long> cd = (Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d)).AsInt64();
        Vector512<int> sums = Avx512F.UnpackLow(ab, cd).AsInt32() + Avx512F.UnpackHigh(ab, cd).AsInt32();
        return new(Vector512.ConvertToSingle(sums - Vector512.LoadUnsafe(in offsets)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> DwordSums512(Vector512<byte> bits, ref readonly byte x, nuint at)
    {
        Vector512<byte> mask = Vector512.Create((byte)0xF);
        Vector512<byte> table = Vector512.Create(Vector256.Create(Mxfp4Int8.OffsetTable, Mxfp4Int8.OffsetTable));
        Vector512<byte> even = Avx512BW.Shuffle(table, bits & mask);
        Vector512<byte> odd = Avx512BW.Shuffle(table, (bits.AsUInt16() >>> 4).AsByte() & mask);
#if NET11_0_OR_GREATER
        if (AvxVnni.V512.IsSupported)
        {
            Vector512<int> sums = AvxVnni.V512.MultiplyWideningAndAdd(
                Vector512<int>.Zero,
                even,
                Vector512.LoadUnsafe(in x, at).AsSByte()
            );
            return AvxVnni.V512.MultiplyWideningAndAdd(sums, odd, Vector512.LoadUnsafe(in x, at + 64).AsSByte());
        }
#endif
        Vector512<short> pairs =
            Avx512BW.MultiplyAddAdjacent(even, Vector512.LoadUnsafe(in x, at).AsSByte())
            + Avx512BW.MultiplyAddAdjacent(odd, Vector512.LoadUnsafe(in x, at + 64).AsSByte());
        return Avx512BW.MultiplyAddAdjacent(pairs, Vector512.Create((short)1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes512 Scales512(Vector128<byte> scales)
    {
        Vector512<uint> bits = Avx512F.ConvertToVector512UInt32(InLanes(scales)) << 23;
        return new(Vector512.Max(bits, Vector512.Create(0x0040_0000u)).AsSingle());
    }

    // Lane 4q + p belongs to block 4p + q. The lower register has the lanes of q = 0 and 1, the upper those of q = 2
    // and 3, so each adds up its own blocks, of which two lie in each 256-bit load.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes256 Sums256<TBlocks>(
        ref readonly byte blocks,
        ref readonly byte x,
        nuint at,
        ref readonly int offsets
    )
        where TBlocks : struct, IMxfp4Blocks =>
        new(
            HalfSums256<TBlocks>(in blocks, 0, in x, at, in offsets),
            HalfSums256<TBlocks>(in blocks, 2, in x, at + 32, in Unsafe.Add(ref Unsafe.AsRef(in offsets), 8))
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> HalfSums256<TBlocks>(
        ref readonly byte blocks,
        nuint block,
        ref readonly byte x,
        nuint at,
        ref readonly int offsets
    )
        where TBlocks : struct, IMxfp4Blocks
    {
        Vector256<int> a = DwordSums256(Mxfp4Blocks<TBlocks>.TwoAsStored(in blocks, block), in x, at),
            b = DwordSums256(Mxfp4Blocks<TBlocks>.TwoAsStored(in blocks, block + 4), in x, at + 128);
        Vector256<int> c = DwordSums256(Mxfp4Blocks<TBlocks>.TwoAsStored(in blocks, block + 8), in x, at + 256),
            d = DwordSums256(Mxfp4Blocks<TBlocks>.TwoAsStored(in blocks, block + 12), in x, at + 384);
        Vector256<long> ab = (Avx2.UnpackLow(a, b) + Avx2.UnpackHigh(a, b)).AsInt64();
        Vector256<long> cd = (Avx2.UnpackLow(c, d) + Avx2.UnpackHigh(c, d)).AsInt64();
        Vector256<int> sums = Avx2.UnpackLow(ab, cd).AsInt32() + Avx2.UnpackHigh(ab, cd).AsInt32();
        return Vector256.ConvertToSingle(sums - Vector256.LoadUnsafe(in offsets));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> DwordSums256(Vector256<byte> bits, ref readonly byte x, nuint at)
    {
        Vector256<byte> mask = Vector256.Create((byte)0xF);
        Vector256<byte> table = Vector256.Create(Mxfp4Int8.OffsetTable, Mxfp4Int8.OffsetTable);
        Vector256<byte> even = Avx2.Shuffle(table, bits & mask);
        Vector256<byte> odd = Avx2.Shuffle(table, (bits.AsUInt16() >>> 4).AsByte() & mask);
        Vector256<short> pairs =
            Avx2.MultiplyAddAdjacent(even, Vector256.LoadUnsafe(in x, at).AsSByte())
            + Avx2.MultiplyAddAdjacent(odd, Vector256.LoadUnsafe(in x, at + 64).AsSByte());
        return Avx2.MultiplyAddAdjacent(pairs, Vector256.Create((short)1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes256 Scales256(Vector128<byte> scales)
    {
        Vector128<byte> bytes = InLanes(scales);
        Vector256<uint> least = Vector256.Create(0x0040_0000u);
        return new(
            Vector256.Max(Avx2.ConvertToVector256Int32(bytes).AsUInt32() << 23, least).AsSingle(),
            Vector256
                .Max(Avx2.ConvertToVector256Int32(Vector128.Create(bytes.GetUpper(), default)).AsUInt32() << 23, least)
                .AsSingle()
        );
    }

    /// <summary>
    /// Moves the bytes of sixteen consecutive blocks to the lanes of <see cref="Sums"/>: block 1 to lane 4.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> InLanes(Vector128<byte> scales) =>
        Vector128.Shuffle(scales, Vector128.Create((byte)0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));

    // A 128-bit register holds one block, and its weights are signed, so there is no offset to subtract.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes128 Sums128<TBlocks>(ref readonly byte blocks, ref readonly byte x, nuint at)
        where TBlocks : struct, IMxfp4Blocks =>
        new(
            FourSums<TBlocks>(in blocks, 0, in x, at),
            FourSums<TBlocks>(in blocks, 1, in x, at + 16),
            FourSums<TBlocks>(in blocks, 2, in x, at + 32),
            FourSums<TBlocks>(in blocks, 3, in x, at + 48)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> FourSums<TBlocks>(
        ref readonly byte blocks,
        nuint block,
        ref readonly byte x,
        nuint at
    )
        where TBlocks : struct, IMxfp4Blocks =>
        Vector128.ConvertToSingle(
            Vector128.Create(
                BlockSum(Mxfp4Blocks<TBlocks>.AsStored(in blocks, block), in x, at),
                BlockSum(Mxfp4Blocks<TBlocks>.AsStored(in blocks, block + 4), in x, at + 128),
                BlockSum(Mxfp4Blocks<TBlocks>.AsStored(in blocks, block + 8), in x, at + 256),
                BlockSum(Mxfp4Blocks<TBlocks>.AsStored(in blocks, block + 12), in x, at + 384)
            )
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int BlockSum(Vector128<byte> bits, ref readonly byte x, nuint at)
    {
        Vector128<sbyte> even = Vector128.ShuffleNative(
            Mxfp4Int8.SignedTable,
            (bits & Vector128.Create((byte)0xF)).AsSByte()
        );
        Vector128<sbyte> odd = Vector128.ShuffleNative(Mxfp4Int8.SignedTable, (bits >>> 4).AsSByte());
        Vector128<sbyte> x0 = Vector128.LoadUnsafe(in x, at).AsSByte(),
            x1 = Vector128.LoadUnsafe(in x, at + 64).AsSByte();
        Vector128<short> sums =
            Vector128.WidenLower(even) * Vector128.WidenLower(x0)
            + Vector128.WidenUpper(even) * Vector128.WidenUpper(x0)
            + Vector128.WidenLower(odd) * Vector128.WidenLower(x1)
            + Vector128.WidenUpper(odd) * Vector128.WidenUpper(x1);
        return Vector128.Sum(Vector128.WidenLower(sums) + Vector128.WidenUpper(sums));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes128 Scales128(Vector128<byte> scales)
    {
        Vector128<byte> bytes = InLanes(scales);
        (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(bytes);
        return new(
            FourScales(Vector128.WidenLower(low)),
            FourScales(Vector128.WidenUpper(low)),
            FourScales(Vector128.WidenLower(high)),
            FourScales(Vector128.WidenUpper(high))
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> FourScales(Vector128<uint> scales) =>
        Vector128.Max(scales << 23, Vector128.Create(0x0040_0000u)).AsSingle();

    private static T SumsScalar<T, TBlocks>(ref readonly byte blocks, ref readonly byte x, nuint at)
        where T : struct, ILanes<T>
        where TBlocks : struct, IMxfp4Blocks
    {
        Span<float> sums = stackalloc float[Lanes.Count];
        for (int b = 0; b < Lanes.Count; b++)
        {
            int sum = 0;
            Vector128<byte> block = Mxfp4Blocks<TBlocks>.AsStored(in blocks, (nuint)b);
            for (int i = 0; i < Mxfp4.BlockBytes; i++)
            {
                byte codes = block[i];
                nuint even = at + (nuint)(b / 4 * 128 + b % 4 * 16 + i);
                sum +=
                    Mxfp4Int8.Twice(codes & 0xF) * (sbyte)Unsafe.Add(ref Unsafe.AsRef(in x), even)
                    + Mxfp4Int8.Twice(codes >> 4) * (sbyte)Unsafe.Add(ref Unsafe.AsRef(in x), even + 64);
            }
            sums[Int8Row.Lane(b)] = sum;
        }
        return T.Load(in sums[0], 0);
    }

    private static T ScalesScalar<T>(Vector128<byte> scales)
        where T : struct, ILanes<T>
    {
        Span<float> result = stackalloc float[Lanes.Count];
        for (int b = 0; b < Lanes.Count; b++)
            result[Int8Row.Lane(b)] = Mxfp4.Scale(scales[b]);
        return T.Load(in result[0], 0);
    }
}

// Over 300 lines: the format, its decoding in registers and its product with float32 are read together.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>
/// The number format of gpt-oss's experts, OCP MXFP4: blocks of 32 four-bit floats (E2M1) that share one power-of-two
/// scale (E8M0). This struct decodes the format and multiplies matrices in it by float32 activations.
/// </summary>
/// <remarks>
/// A block is 16 bytes: byte i holds value 2i in its low nibble and value 2i + 1 in its high nibble. A scale byte s
/// means 2^(s − 127). Source: OCP Microscaling Formats (MX) v1.0; value table as in openai/gpt-oss,
/// gpt_oss/torch/weights.py.
/// <para>
/// Order of the sum of an output: dword d of its blocks, four bytes, holds the eight codes k = 8d to 8d + 7. Their
/// eight products are added in ascending k, the first one plain, the others by fused multiply-add; that is p. Then p ·
/// 2^(s − 127) is added to lane d mod 16 by one fused multiply-add, d ascending, the blocks padded with zeros to a
/// multiple of four; then the lanes are added by the tree of <see cref="ILanes{TSelf}.Sum"/>.
/// So sixteen dwords fill sixteen lanes, and nothing moves between lanes: at 512 bits a code is decoded by a shift and
/// a table lookup, at smaller widths two tables of bytes decode two codes of a lane at once.
/// </para>
/// </remarks>
internal readonly unsafe struct Mxfp4 : IMatrixFormat
{
    /// <summary>Number of values that share a scale.</summary>
    public const int BlockValues = 32;

    /// <summary>Number of bytes of a block's codes, without the scale.</summary>
    public const int BlockBytes = Mxfp4Codes.Bytes;

    /// <summary>Number of blocks of a step: their sixteen dwords fill sixteen lanes.</summary>
    private const int StepBlocks = ScaledStrip.StepValues / BlockValues;
    private const int CodesPerLane = ScaledStrip.StepRegisters;

    /// <summary>
    /// Fewest tokens for which decoding a strip is faster than decoding the weights again for each token, measured at
    /// 512 bits.
    /// </summary>
    private const int StripTokens = 9;

    private static ReadOnlySpan<float> Values =>
        [0f, 0.5f, 1f, 1.5f, 2f, 3f, 4f, 6f, -0f, -0.5f, -1f, -1.5f, -2f, -3f, -4f, -6f];

    /// <summary>The value of an E2M1 code, 0 to 15.</summary>
    public static float Value(int code) => Values[code];

    /// <summary>
    /// The value of a scale byte, 2^(s − 127): s is a biased float32 exponent. 0 gives 2⁻¹²⁷, which is subnormal; 255,
    /// which only damage causes, is not finite.
    /// </summary>
    public static float Scale(byte s) => BitConverter.UInt32BitsToSingle(s == 0 ? 0x0040_0000u : (uint)s << 23);

    /// <summary>Whole tiles of three weight rows, and of two.</summary>
    public static int UnitOutputs => ScaledStrip.Rows;

    public static long Bytes(int outputs, int inputs) => (long)outputs * (inputs / BlockValues) * (BlockBytes + 1);

    /// <summary>Width of a permuted row: the number of inputs, padded to whole steps of 128.</summary>
    public static int PermutedWidth(int inputs) =>
        (inputs + ScaledStrip.StepValues - 1) / ScaledStrip.StepValues * ScaledStrip.StepValues;

    public static int ScratchFloats(int inputs, int tokens) =>
        tokens < StripTokens ? 0 : ScaledStrip.Rows * ScaledStrip.Width(PermutedWidth(inputs));

    public static void Permute(ReadOnlySpan<float> x, Span<float> permuted, int tokens) => Permute(x, permuted);

    /// <summary>
    /// Permutes one token's activations into the order in which the product reads them:
    /// <c>y[128g + 16j + d] = x[128g + 8d + j]</c>. For example x[9], which meets code 1 of lane 1, goes to y[17].
    /// </summary>
    /// <param name="x">Activations of the token, [inputs].</param>
    /// <param name="permuted">
    /// Receives the activations, [<see cref="PermutedWidth"/>]. Places without an activation become zero.
    /// </param>
    public static void Permute(ReadOnlySpan<float> x, Span<float> permuted)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(permuted.Length, PermutedWidth(x.Length));
        scoped Span<float> rest = stackalloc float[ScaledStrip.StepValues];
        for (int k = 0; k < x.Length; k += ScaledStrip.StepValues)
        {
            scoped ReadOnlySpan<float> step = x[k..];
            if (step.Length < ScaledStrip.StepValues)
            {
                rest.Clear();
                step.CopyTo(rest);
                step = rest;
            }
            Span<float> to = permuted.Slice(k, ScaledStrip.StepValues);
            for (int lane = 0; lane < Lanes.Count; lane++)
            for (int code = 0; code < CodesPerLane; code++)
                to[code * Lanes.Count + lane] = step[lane * CodesPerLane + code];
        }
    }

    /// <summary>The definition of one output; tests compare every faster path with it.</summary>
    internal static float DotScalar(ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> scales, ReadOnlySpan<float> x)
    {
        Span<float> lanes = stackalloc float[Lanes.Count];
        lanes.Clear();
        int dwords = (scales.Length + StepBlocks - 1) / StepBlocks * Lanes.Count;
        for (int d = 0; d < dwords; d++)
        {
            float p = 0,
                scale = Scale(0);
            if (d / 4 < scales.Length)
            {
                scale = Scale(scales[d / 4]);
                uint codes = BitConverter.ToUInt32(blocks.Slice(4 * d, 4));
                p = Value((int)(codes & 0xF)) * x[8 * d];
                for (int j = 1; j < CodesPerLane; j++)
                    p = MathF.FusedMultiplyAdd(Value((int)(codes >> (4 * j)) & 0xF), x[8 * d + j], p);
            }
            lanes[d % Lanes.Count] = MathF.FusedMultiplyAdd(p, scale, lanes[d % Lanes.Count]);
        }
        return Lanes1.Sum(Lanes1.Load(in lanes[0], 0));
    }

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
        (ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> scales) = Range<TBlocks>(in w, first, count);
        Multiply<TBlocks>(blocks, scales, w.Inputs, x, y, first, scratch);
    }

    public static void Widen(in StoredWeights w, int output, Span<float> row) => Widen<Mxfp4Apart>(in w, output, row);

    /// <summary>Gives the weights of one output in every kind of blocks, without rounding.</summary>
    internal static void Widen<TBlocks>(in StoredWeights w, int output, Span<float> row)
        where TBlocks : struct, IMxfp4Blocks
    {
        (ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> scales) = Range<TBlocks>(in w, output, 1);
        for (int b = 0; b < row.Length / BlockValues; b++)
        {
            Vector128<byte> codes = Mxfp4Blocks<TBlocks>.Codes(blocks, b);
            float scale = Scale(Mxfp4Blocks<TBlocks>.Scale(blocks, scales, b));
            for (int k = 0; k < BlockValues; k++)
                row[b * BlockValues + k] = Value(codes[k / 2] >> (k % 2 * 4) & 0xF) * scale;
        }
    }

    /// <summary>The blocks of a range of outputs, and their scales where those lie apart.</summary>
    internal static Stored Range<TBlocks>(in StoredWeights w, int first, int count)
        where TBlocks : struct, IMxfp4Blocks
    {
        int blocks = w.Inputs / BlockValues;
        return new(
            new(w.Data + (long)first * blocks * TBlocks.BlockBytes, count * blocks * TBlocks.BlockBytes),
            TBlocks.HasScales ? default : new(w.Scales + (long)first * blocks, count * blocks)
        );
    }

    /// <summary>Some outputs' weights: blocks of codes, and the scale of each block.</summary>
    internal readonly ref struct Stored(ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> scales)
    {
        private readonly ReadOnlySpan<byte> _blocks = blocks;
        private readonly ReadOnlySpan<byte> _scales = scales;

        public void Deconstruct(out ReadOnlySpan<byte> blocks, out ReadOnlySpan<byte> scales)
        {
            blocks = _blocks;
            scales = _scales;
        }
    }

    /// <summary>
    /// Checks that the spans of a multiplication fit each other, and returns the number of outputs of the range.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A length does not fit the other lengths.</exception>
    internal static int Outputs<TBlocks>(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        int inputs,
        Rows x,
        Rows y,
        int first
    )
        where TBlocks : struct, IMxfp4Blocks
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputs);
        ArgumentOutOfRangeException.ThrowIfNotEqual(inputs % BlockValues, 0);
        int inputBlocks = inputs / BlockValues,
            outputs = blocks.Length / (inputBlocks * TBlocks.BlockBytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(scales.Length, TBlocks.HasScales ? 0 : outputs * inputBlocks);
        ArgumentOutOfRangeException.ThrowIfNotEqual(blocks.Length, outputs * inputBlocks * TBlocks.BlockBytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + outputs, y.Width);
        return outputs;
    }

    /// <summary>Computes a range of outputs for every token.</summary>
    /// <param name="blocks">Codes of the range, [outputs of the range, inputs / 32, 16].</param>
    /// <param name="scales">Scales of the range, [outputs of the range, inputs / 32].</param>
    /// <param name="inputs">Number of inputs of the matrix.</param>
    /// <param name="x">
    /// Activations from <see cref="Permute(ReadOnlySpan{float}, Span{float})"/>, [tokens, <see cref="PermutedWidth"/>].
    /// </param>
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
        int outputs = Outputs<TBlocks>(blocks, scales, inputs, x, y, first);
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Width, PermutedWidth(inputs));
        ArgumentOutOfRangeException.ThrowIfLessThan(scratch.Length, ScratchFloats(inputs, x.Count));
        Lanes.Run(new MultiplyMxfp4<TBlocks>(blocks, scales, outputs, x, y, first, scratch));
    }

    /// <summary>
    /// Computes a range of outputs. For few tokens it decodes the weights of an output again for each token; for many
    /// it decodes a strip of weight rows into the scratch once and multiplies that by all tokens.
    /// </summary>
    internal readonly ref struct MultiplyMxfp4<TBlocks>(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        int outputs,
        Rows x,
        Rows y,
        int first,
        Span<float> scratch
    ) : ILaneKernel
        where TBlocks : struct, IMxfp4Blocks
    {
        private readonly ReadOnlySpan<byte> _blocks = blocks;
        private readonly ReadOnlySpan<byte> _scales = scales;
        private readonly int _outputs = outputs;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _first = first;
        private readonly Span<float> _scratch = scratch;
        private readonly int _inputBlocks = outputs == 0 ? 0 : blocks.Length / TBlocks.BlockBytes / outputs;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            if (_x.Count < StripTokens)
            {
                for (int o = 0; o < _outputs; o++)
                for (int t = 0; t < _x.Count; t++)
                    One<T>(o, t);
                return;
            }
            int width = ScaledStrip.Width(_x.Width);
            for (int strip = 0; strip < _outputs; strip += ScaledStrip.Rows)
            {
                int rows = Math.Min(ScaledStrip.Rows, _outputs - strip);
                for (int row = 0; row < rows; row++)
                    Decode<T>(strip + row, _scratch.Slice(row * width, width));
                new ScaledStrip(_scratch[..(rows * width)], _x, _y).Multiply<T>(_first + strip, rows);
            }
        }

        // Memory is read fastest one weight row at a time, in the order of addresses (docs/decisions/0002).
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void One<T>(int output, int token)
            where T : struct, ILanes<T>
        {
            nuint full = (nuint)(_inputBlocks / StepBlocks);
            int rest = _inputBlocks % StepBlocks;
            uint last = LastScales(output); // a call after the loop would keep the sum in memory during it
            ref readonly byte b = ref MemoryMarshal.GetReference(
                _blocks[(output * _inputBlocks * TBlocks.BlockBytes)..]
            );
            ref readonly byte s = ref MemoryMarshal.GetReference(
                TBlocks.HasScales ? default : _scales[(output * _inputBlocks)..]
            );
            ref readonly float x = ref MemoryMarshal.GetReference(_x[token]);
            T sum = T.Zero;
            nuint step = 0;
            for (; step < full; step++)
            {
                Prefetch.Read(in b, step * (nuint)(StepBlocks * TBlocks.BlockBytes) + Prefetch.NearBytes);
                if (TBlocks.HasScales) // a step is longer than a cache line
                    Prefetch.Read(in b, step * (nuint)(StepBlocks * TBlocks.BlockBytes) + Prefetch.NearBytes + 64);
                nuint at = step * ScaledStrip.StepValues;
                if (Mxfp4Blocks<TBlocks>.IsLoadedByBytes<T>())
                {
                    Mxfp4HalvesLanes.Load(
                        in Unsafe.Add(ref Unsafe.AsRef(in b), step * (nuint)(StepBlocks * TBlocks.BlockBytes)),
                        out T codes0,
                        out T codes4,
                        out T exponents
                    );
                    sum = AddStep(sum, codes0, codes4, exponents, in x, at);
                    continue;
                }
                T bits = Mxfp4Blocks<TBlocks>.Four<T>(in b, step * StepBlocks);
                T scales = Mxfp4Lanes.Scales<T>(Mxfp4Blocks<TBlocks>.FourScales(in b, in s, step * StepBlocks));
                sum = AddStep(sum, bits, scales, in x, at);
            }
            if (rest > 0)
            {
                T bits = Mxfp4Blocks<TBlocks>.Rest<T>(in b, step * StepBlocks, rest);
                sum = AddStep(sum, bits, Mxfp4Lanes.Scales<T>(last), in x, step * ScaledStrip.StepValues);
            }
            _y.Values[token * _y.Width + _first + output] = T.Sum(sum);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static T AddStep<T>(T sum, T bits, T scales, ref readonly float x, nuint at)
            where T : struct, ILanes<T>
        {
            Mxfp4Lanes.Codes(bits, out T k0, out T k1, out T k2, out T k3);
            T p = Mxfp4Lanes.FirstValues(k0) * T.Load(in x, at);
            p = T.MultiplyAdd(Mxfp4Lanes.FirstValues(k1), T.Load(in x, at + 16), p);
            p = T.MultiplyAdd(Mxfp4Lanes.FirstValues(k2), T.Load(in x, at + 32), p);
            p = T.MultiplyAdd(Mxfp4Lanes.FirstValues(k3), T.Load(in x, at + 48), p);
            p = T.MultiplyAdd(Mxfp4Lanes.SecondValues(k0), T.Load(in x, at + 64), p);
            p = T.MultiplyAdd(Mxfp4Lanes.SecondValues(k1), T.Load(in x, at + 80), p);
            p = T.MultiplyAdd(Mxfp4Lanes.SecondValues(k2), T.Load(in x, at + 96), p);
            p = T.MultiplyAdd(Mxfp4Lanes.SecondValues(k3), T.Load(in x, at + 112), p);
            return T.MultiplyAdd(p, scales, sum);
        }

        // The same from the registers of Mxfp4HalvesLanes.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static T AddStep<T>(T sum, T first, T last, T scales, ref readonly float x, nuint at)
            where T : struct, ILanes<T>
        {
            T p = Mxfp4Lanes.FirstValues(first) * T.Load(in x, at);
            p = T.MultiplyAdd(Mxfp4Lanes.FirstValues(first >>> 8), T.Load(in x, at + 16), p);
            p = T.MultiplyAdd(Mxfp4Lanes.FirstValues(first >>> 16), T.Load(in x, at + 32), p);
            p = T.MultiplyAdd(Mxfp4Lanes.FirstValues(first >>> 24), T.Load(in x, at + 48), p);
            p = T.MultiplyAdd(Mxfp4Lanes.FirstValues(last), T.Load(in x, at + 64), p);
            p = T.MultiplyAdd(Mxfp4Lanes.FirstValues(last >>> 8), T.Load(in x, at + 80), p);
            p = T.MultiplyAdd(Mxfp4Lanes.FirstValues(last >>> 16), T.Load(in x, at + 96), p);
            p = T.MultiplyAdd(Mxfp4Lanes.FirstValues(last >>> 24), T.Load(in x, at + 112), p);
            return T.MultiplyAdd(p, scales, sum);
        }

        // Decodes one weight row into a row of the strip: for each step eight registers of values, then one of scales.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Decode<T>(int output, Span<float> strip)
            where T : struct, ILanes<T>
        {
            nuint full = (nuint)(_inputBlocks / StepBlocks),
                steps = (nuint)(_x.Width / ScaledStrip.StepValues);
            uint last = LastScales(output);
            ref readonly byte b = ref MemoryMarshal.GetReference(
                _blocks[(output * _inputBlocks * TBlocks.BlockBytes)..]
            );
            ref readonly byte s = ref MemoryMarshal.GetReference(
                TBlocks.HasScales ? default : _scales[(output * _inputBlocks)..]
            );
            ref float to = ref MemoryMarshal.GetReference(strip);
            for (nuint step = 0, at = 0; step < steps; step++, at += (CodesPerLane + 1) * Lanes.Count)
            {
                T bits =
                    step < full
                        ? Mxfp4Blocks<TBlocks>.Four<T>(in b, step * StepBlocks)
                        : Mxfp4Blocks<TBlocks>.Rest<T>(in b, step * StepBlocks, _inputBlocks % StepBlocks);
                T scales = Mxfp4Lanes.Scales<T>(
                    step < full ? Mxfp4Blocks<TBlocks>.FourScales(in b, in s, step * StepBlocks) : last
                );
                Mxfp4Lanes.Codes(bits, out T k0, out T k1, out T k2, out T k3);
                T.Store(Mxfp4Lanes.FirstValues(k0), ref to, at);
                T.Store(Mxfp4Lanes.FirstValues(k1), ref to, at + 16);
                T.Store(Mxfp4Lanes.FirstValues(k2), ref to, at + 32);
                T.Store(Mxfp4Lanes.FirstValues(k3), ref to, at + 48);
                T.Store(Mxfp4Lanes.SecondValues(k0), ref to, at + 64);
                T.Store(Mxfp4Lanes.SecondValues(k1), ref to, at + 80);
                T.Store(Mxfp4Lanes.SecondValues(k2), ref to, at + 96);
                T.Store(Mxfp4Lanes.SecondValues(k3), ref to, at + 112);
                T.Store(scales, ref to, at + 128);
            }
        }

        // The scale bytes of the last, incomplete step of a weight row; those of the missing blocks are 0.
        private uint LastScales(int output)
        {
            int rest = _inputBlocks % StepBlocks;
            uint scales = 0;
            for (int i = 0, block = (output + 1) * _inputBlocks - rest; i < rest; i++)
                scales |= (uint)Mxfp4Blocks<TBlocks>.Scale(_blocks, _scales, block + i) << (8 * i);
            return scales;
        }
    }
}

/// <summary>
/// Decodes MXFP4 in float lanes: four blocks fill sixteen lanes with eight codes each, and nothing moves between lanes.
/// <see cref="Mxfp4"/> has the definition of the format.
/// </summary>
internal static class Mxfp4Lanes
{
    // Puts scale byte q at the bottom of the four lanes 4q to 4q + 3; 255 looks up nothing and gives zero.
    // csharpier-ignore
    private static ReadOnlySpan<byte> Spread =>
        [
            0, 255, 255, 255, 0, 255, 255, 255, 0, 255, 255, 255, 0, 255, 255, 255,
            1, 255, 255, 255, 1, 255, 255, 255, 1, 255, 255, 255, 1, 255, 255, 255,
            2, 255, 255, 255, 2, 255, 255, 255, 2, 255, 255, 255, 2, 255, 255, 255,
            3, 255, 255, 255, 3, 255, 255, 255, 3, 255, 255, 255, 3, 255, 255, 255,
        ];

    /// <summary>
    /// Splits the eight codes of each lane: register k<i>j</i> serves to decode the codes j and j + 4. For example k1
    /// serves the codes 1 and 5, which are bits 4 to 7 and 20 to 23 of the lane.
    /// </summary>
    /// <remarks>
    /// At 512 bits the lookup of <see cref="FirstValues"/> uses the lowest four bits of a lane only, so a shift is all.
    /// Elsewhere each lane of a k register holds two decoded bfloat16 values: code j in the lower half, code j + 4 in
    /// the upper.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes<T>(T bits, out T k0, out T k1, out T k2, out T k3)
        where T : struct, ILanes<T>
    {
        if (typeof(T) == typeof(Lanes512))
        {
            (k0, k1, k2, k3) = (bits, bits >>> 4, bits >>> 8, bits >>> 12);
            return;
        }
        T mask = T.CreateBits(0x0F0F_0F0F);
        Decode(bits & mask, out k0, out k2);
        Decode((bits >>> 4) & mask, out k1, out k3);
    }

    // Decodes the four codes of each lane, one in each of its bytes. The values of the bytes 0 and 2 go to the halves
    // of the first register, the values of the bytes 1 and 3 to the halves of the second.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Decode<T>(T codes, out T first, out T second)
        where T : struct, ILanes<T>
    {
        T upper = T.LookUp(T.CreateBits(UpperBytes, UpperBytes, UpperBytes, UpperBytes), codes),
            lower = T.LookUp(T.CreateBits(LowerBytes, LowerBytes, LowerBytes, LowerBytes), codes),
            odd = T.CreateBits(0xFF00_FF00);
        first = T.Select(odd, upper << 8, lower);
        second = T.Select(odd, upper, lower >>> 8);
    }

    // The sixteen E2M1 values as bfloat16, which holds them exactly: here the upper bytes, in LowerBytes the lower
    // ones. For example code 3 is 1.5, which is 0x3FC0: 0x3F here and 0xC0 there.
    private static Vector128<byte> UpperBytes
    {
        // csharpier-ignore
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get =>
            Vector128.Create(
                0,
                0x3F,
                0x3F,
                0x3F,
                0x40,
                0x40,
                0x40,
                0x40,
                0x80,
                0xBF,
                0xBF,
                0xBF,
                0xC0,
                0xC0,
                0xC0,
                0xC0
            );
    }

    private static Vector128<byte> LowerBytes
    {
        // csharpier-ignore
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get =>
            Vector128.Create(0, 0x00, 0x80, 0xC0, 0x00, 0x40, 0x80, 0xC0, 0, 0x00, 0x80, 0xC0, 0x00, 0x40, 0x80, 0xC0);
    }

    /// <summary>Decodes code j of each lane from register k<i>j</i> of <see cref="Codes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FirstValues<T>(T k)
        where T : struct, ILanes<T>
    {
        if (typeof(T) != typeof(Lanes512))
            return k << 16;
        Vector512<float> values = Vector512.Create(
            0f,
            0.5f,
            1f,
            1.5f,
            2f,
            3f,
            4f,
            6f,
            -0f,
            -0.5f,
            -1f,
            -1.5f,
            -2f,
            -3f,
            -4f,
            -6f
        );
        Vector512<int> codes = Unsafe.BitCast<T, Lanes512>(k).Value.AsInt32();
        return Unsafe.BitCast<Lanes512, T>(new(Avx512F.PermuteVar16x32(values, codes)));
    }

    /// <summary>Decodes code j + 4 of each lane from register k<i>j</i> of <see cref="Codes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SecondValues<T>(T k)
        where T : struct, ILanes<T> =>
        typeof(T) == typeof(Lanes512) ? FirstValues(k >>> 16) : k & T.CreateBits(0xFFFF_0000);

    /// <summary>
    /// Decodes the four scale bytes s of a dword, the first one in its lowest bits, to 2^(s − 127). The scale of block
    /// b fills the lanes 4b to 4b + 3. Byte 0 gives 2⁻¹²⁷ and byte 255 infinity.
    /// </summary>
    /// <remarks>
    /// A scale byte is the exponent of a float32. Byte 0 must give 2⁻¹²⁷, whose bits are 0x0040_0000; as integers all
    /// other scales are larger, so the maximum corrects byte 0 alone.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Scales<T>(uint scales)
        where T : struct, ILanes<T>
    {
        T spread = T.LookUp(T.CreateBits(scales), T.LoadBits(in MemoryMarshal.GetReference(Spread), 0));
        return T.MaxBits(spread << 23, T.CreateBits(0x0040_0000));
    }
}

// Over 300 lines: the format, its definition and its product with float32 are read together.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
// Bound: Range makes spans of whole outputs of the matrix, Outputs and Multiply check every span against the others;
// the kernel then reads whole blocks within them.
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
            float scale = Scale(Mxfp4Blocks<TBlocks>.Scale(blocks, scales, b));
            for (int k = 0; k < BlockValues; k++)
                row[b * BlockValues + k] = Value(Mxfp4Blocks<TBlocks>.Code(blocks, b, k)) * scale;
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
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, y.Width - outputs);
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
            // A call after the loop would keep the sum in memory during it.
            Span<float> end = stackalloc float[2 * Lanes.Count];
            if (rest > 0)
                LastStep<T>(output, token, end);
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
                Prefetch.Read(in b, Prefetch.NearBytes);
                Mxfp4Blocks<TBlocks>.Four(in b, out T first, out T second);
                T p = Products(first, second, in x);
                T scales = Mxfp4Blocks<TBlocks>.FourScales<T>(in b, in s, step * StepBlocks);
                sum = T.MultiplyAdd(p, Mxfp4Lanes.FourScales(scales), sum);
                b = ref Unsafe.Add(ref Unsafe.AsRef(in b), StepBlocks * TBlocks.BlockBytes);
                x = ref Unsafe.Add(ref Unsafe.AsRef(in x), ScaledStrip.StepValues);
            }
            if (rest > 0)
                sum = T.MultiplyAdd(T.Load(in end[0], 0), T.Load(in end[0], Lanes.Count), sum);
            _y.Values[token * _y.Width + _first + output] = T.Sum(sum);
        }

        // The sums of products of the last one to three blocks of a weight row, and behind them the scales.
        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private void LastStep<T>(int output, int token, Span<float> end)
            where T : struct, ILanes<T>
        {
            int rest = _inputBlocks % StepBlocks;
            ref readonly byte b = ref MemoryMarshal.GetReference(
                _blocks[(((output + 1) * _inputBlocks - rest) * TBlocks.BlockBytes)..]
            );
            ref readonly float x = ref _x[token][(_inputBlocks - rest) * BlockValues];
            T scales = Mxfp4Lanes.FourScales(T.CreateBits(LastScales(output)));
            Mxfp4Blocks<TBlocks>.Rest(in b, rest, out T first, out T second);
            T.Store(Products(first, second, in x), ref end[0], 0);
            T.Store(scales, ref end[0], Lanes.Count);
        }

        // The sums of the eight products of each lane, in ascending order.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static T Products<T>(T first, T second, ref readonly float x)
            where T : struct, ILanes<T>
        {
            Mxfp4Lanes.Decode(first, out T a0, out T a1);
            Mxfp4Lanes.Decode(second, out T b0, out T b1);
            T p = Mxfp4Lanes.Values<T, TBlocks>(0, a0, a1, b0, b1) * T.Load(in x, 0);
            p = T.MultiplyAdd(Mxfp4Lanes.Values<T, TBlocks>(1, a0, a1, b0, b1), in x, 16, p);
            p = T.MultiplyAdd(Mxfp4Lanes.Values<T, TBlocks>(2, a0, a1, b0, b1), in x, 32, p);
            p = T.MultiplyAdd(Mxfp4Lanes.Values<T, TBlocks>(3, a0, a1, b0, b1), in x, 48, p);
            p = T.MultiplyAdd(Mxfp4Lanes.Values<T, TBlocks>(4, a0, a1, b0, b1), in x, 64, p);
            p = T.MultiplyAdd(Mxfp4Lanes.Values<T, TBlocks>(5, a0, a1, b0, b1), in x, 80, p);
            p = T.MultiplyAdd(Mxfp4Lanes.Values<T, TBlocks>(6, a0, a1, b0, b1), in x, 96, p);
            return T.MultiplyAdd(Mxfp4Lanes.Values<T, TBlocks>(7, a0, a1, b0, b1), in x, 112, p);
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
                T first,
                    second,
                    scales;
                if (step < full)
                {
                    Mxfp4Blocks<TBlocks>.Four(in b, out first, out second);
                    scales = Mxfp4Blocks<TBlocks>.FourScales<T>(in b, in s, step * StepBlocks);
                }
                else
                {
                    Mxfp4Blocks<TBlocks>.Rest(in b, _inputBlocks % StepBlocks, out first, out second);
                    scales = T.CreateBits(last);
                }
                Mxfp4Lanes.Decode(first, out T a0, out T a1);
                Mxfp4Lanes.Decode(second, out T b0, out T b1);
                T.Store(Mxfp4Lanes.Values<T, TBlocks>(0, a0, a1, b0, b1), ref to, at);
                T.Store(Mxfp4Lanes.Values<T, TBlocks>(1, a0, a1, b0, b1), ref to, at + 16);
                T.Store(Mxfp4Lanes.Values<T, TBlocks>(2, a0, a1, b0, b1), ref to, at + 32);
                T.Store(Mxfp4Lanes.Values<T, TBlocks>(3, a0, a1, b0, b1), ref to, at + 48);
                T.Store(Mxfp4Lanes.Values<T, TBlocks>(4, a0, a1, b0, b1), ref to, at + 64);
                T.Store(Mxfp4Lanes.Values<T, TBlocks>(5, a0, a1, b0, b1), ref to, at + 80);
                T.Store(Mxfp4Lanes.Values<T, TBlocks>(6, a0, a1, b0, b1), ref to, at + 96);
                T.Store(Mxfp4Lanes.Values<T, TBlocks>(7, a0, a1, b0, b1), ref to, at + 112);
                T.Store(Mxfp4Lanes.FourScales(scales), ref to, at + 128);
                b = ref Unsafe.Add(ref Unsafe.AsRef(in b), StepBlocks * TBlocks.BlockBytes);
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

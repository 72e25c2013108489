// Over 300 lines: one format; its products for few tokens and for many share the tables and the definition.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
// Bound: Multiply checks every span against the others; a step of sixteen blocks that a row does not fill is read from
// a copy, or from the rows behind it.
internal readonly struct Mxfp4Int8 : IMatrixFormat
{
    private const int StepBlocks = Int8Row.LaneBlocks;

    /// <summary>
    /// Fewest tokens for which decoding strips is faster than multiplying one weight row after the other, measured at
    /// 512 bits.
    /// </summary>
    public const int StripTokens = 5;

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
                sum += Mxfp4Doubled.Twice(blocks[b * Mxfp4.BlockBytes + k / 2] >> (k % 2 * 4) & 0xF) * q[k];
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
            Int8Row.ToBlockOrder(x, permuted, Mxfp4Doubled.Offset, 0.5f, TBlocks.IsInHalves);
        else
            Dots.RunSmall(new QuantizeForMxfp4Strips(x, permuted, TBlocks.IsInHalves));
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
    internal readonly ref struct QuantizeForMxfp4Strips(ReadOnlySpan<float> x, Span<float> row, bool inHalves)
        : IDotsKernel
    {
        private readonly bool _inHalves = inHalves;
        private readonly ReadOnlySpan<float> _x = x;
        private readonly Span<float> _row = row;

        public void Run<T>()
            where T : struct, IDots<T> => Int8Row.ToLaneOrder<T>(_x, _row, Mxfp4Doubled.Offset, 0.5f, _inHalves);
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

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            // The last step of a weight row reads into the next row, whose blocks do not count. Where there is none any
            // more, that step is read from a copy.
            int rest = _inputBlocks % StepBlocks,
                outputs = _outputs;
            int inPlace = rest == 0 ? outputs : outputs - (StepBlocks - rest + _inputBlocks - 1) / _inputBlocks;
            Span<byte> copy = stackalloc byte[StepBlocks * (Mxfp4.BlockBytes + 1)],
                copiedScales = stackalloc byte[StepBlocks];
            copy.Clear();
            copiedScales.Clear();
            Span<uint> counts = stackalloc uint[Lanes.Count]; // all bits, in the lanes of the blocks that count
            counts.Clear();
            for (int b = 0; b < rest; b++)
                counts[Int8Row.Lane(b)] = uint.MaxValue;
            for (int o = 0; o < outputs; o++)
            {
                int last = (o + 1) * _inputBlocks - rest;
                scoped ReadOnlySpan<byte> lastBlocks = _blocks[(last * TBlocks.BlockBytes)..],
                    lastScales = TBlocks.HasScales ? default : _scales[last..];
                if (o >= inPlace)
                {
                    lastBlocks[..(rest * TBlocks.BlockBytes)].CopyTo(copy);
                    lastBlocks = copy;
                    if (!TBlocks.HasScales)
                        lastScales[..rest].CopyTo(copiedScales);
                    lastScales = copiedScales;
                }
                var end = new LastBlocks(rest, lastBlocks, lastScales, MemoryMarshal.Cast<uint, float>(counts));
                int t = 0;
                for (; t + 2 <= _x.Count; t += 2)
                    Multiply<T, TwoTokens>(o, t, in end);
                if (t < _x.Count)
                    Multiply<T, OneToken>(o, t, in end);
            }
        }

        /// <summary>The last, incomplete step of a weight row.</summary>
        /// <param name="count">How many blocks there are; 0 where there is no such step.</param>
        /// <param name="blocks">Sixteen blocks, of which the first <paramref name="count"/> count.</param>
        /// <param name="scales">Their scales, where they lie apart.</param>
        /// <param name="counts">Bits that keep the scales of the blocks that count, in the order of the lanes.</param>
        private readonly ref struct LastBlocks(
            int count,
            ReadOnlySpan<byte> blocks,
            ReadOnlySpan<byte> scales,
            ReadOnlySpan<float> counts
        )
        {
            public readonly int Count = count;
            public readonly ReadOnlySpan<byte> Blocks = blocks;
            public readonly ReadOnlySpan<byte> Scales = scales;
            public readonly ReadOnlySpan<float> Counts = counts;
        }

        // Memory is read fastest one weight row at a time, in the order of addresses (docs/decisions/0002). Two tokens
        // share what is decoded.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Multiply<T, TTokens>(int output, int token, scoped in LastBlocks end)
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
                Prefetch.Read(in b, Prefetch.NearBytes);
                Prefetch.Read(in b, Prefetch.NearBytes + 64);
                Prefetch.Read(in b, Prefetch.NearBytes + 128);
                Prefetch.Read(in b, Prefetch.NearBytes + 192);
                if (TBlocks.HasScales) // a step is longer than four cache lines
                    Prefetch.Read(in b, Prefetch.NearBytes + 256);
                T scales = Mxfp4BlockSums.Scales<T, TBlocks>(in b, in s, step * StepBlocks);
                sum0 = AddStep(sum0, in b, scales, in x0, step, scalesAt, offsetsAt);
                if (TTokens.Count == 2)
                    sum1 = AddStep(sum1, in b, scales, in x1, step, scalesAt, offsetsAt);
                b = ref Unsafe.Add(ref Unsafe.AsRef(in b), StepBlocks * TBlocks.BlockBytes);
            }
            if (end.Count > 0)
            {
                ref readonly byte blocks = ref MemoryMarshal.GetReference(end.Blocks);
                T scales = Mxfp4BlockSums.Scales<T, TBlocks>(
                    in blocks,
                    in MemoryMarshal.GetReference(end.Scales),
                    block: 0
                );
                scales &= T.Load(in MemoryMarshal.GetReference(end.Counts), 0);
                sum0 = AddStep(sum0, in blocks, scales, in x0, step, scalesAt, offsetsAt);
                if (TTokens.Count == 2)
                    sum1 = AddStep(sum1, in blocks, scales, in x1, step, scalesAt, offsetsAt);
            }
            _y.Values[token * _y.Width + _first + output] = T.Sum(sum0);
            if (TTokens.Count == 2)
                _y.Values[(token + 1) * _y.Width + _first + output] = T.Sum(sum1);
        }

        // Adds the products of sixteen blocks of weights with those of a token.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static T AddStep<T>(
            T sum,
            ref readonly byte blocks,
            T scales,
            ref readonly byte x,
            nuint step,
            nuint scalesAt,
            nuint offsetsAt
        )
            where T : struct, ILanes<T>
        {
            nuint four = step * StepBlocks * sizeof(float);
            ref readonly int offsets = ref Unsafe.As<byte, int>(
                ref Unsafe.Add(ref Unsafe.AsRef(in x), offsetsAt + four)
            );
            ref readonly float xScales = ref Unsafe.As<byte, float>(
                ref Unsafe.Add(ref Unsafe.AsRef(in x), scalesAt + four)
            );
            ref readonly byte values = ref Unsafe.Add(ref Unsafe.AsRef(in x), step * StepBlocks * Int8Row.BlockValues);
            T sums = Mxfp4BlockSums.Sums<T, TBlocks>(in blocks, in values, in offsets);
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
                Mxfp4Strip.Decode<T>(
                    Mxfp4Blocks<TBlocks>.FromFirstCode(_blocks.Slice(output * rowBytes, count * rowBytes)),
                    TBlocks.BlockBytes,
                    Scales(output * inputBlocks, count * inputBlocks, copy),
                    inputBlocks,
                    T.IsUnsigned ? Mxfp4Doubled.OffsetTable : Mxfp4Doubled.SignedTable.AsByte(),
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
            Lanes.Run(new CopyMxfp4Scales<TBlocks>(blocks, scales));
            return scales;
        }
    }
}

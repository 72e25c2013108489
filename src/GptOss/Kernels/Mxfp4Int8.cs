using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels;

/// <summary>
/// The fast precision of MXFP4 matrices: quantises activations to 8-bit integers and multiplies them by MXFP4 weights,
/// <c>y[t, o] = Σ_b (Σ 2w · q) · (2^(s − 127) · scale / 2) + bias[o]</c>, b over the blocks of the inputs.
/// </summary>
/// <remarks>
/// Twice an E2M1 value is an integer of at most 12 in magnitude, so the inner sum of a block is exact. The outer sum
/// has the order of <see cref="Int8Panel"/>, with the blocks padded with zeros to a multiple of sixteen.
/// </remarks>
internal static class Mxfp4Int8
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

    /// <summary>Number of floats of scratch that <see cref="Multiply"/> needs: a strip, and its results.</summary>
    public static int ScratchValues(int inputs, int tokens) =>
        (int)(Int8Panel.Bytes<SingleScales>(inputs) / sizeof(float)) + tokens * Int8Panel.Rows;

    /// <summary>The definition of one output without its bias; tests compare every faster path with it.</summary>
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

    /// <summary>Quantises one token's activations for a <see cref="Multiply"/> of the given number of tokens.</summary>
    /// <param name="x">Activations of the token, [inputs].</param>
    /// <param name="row">Receives the quantised activations, [<see cref="Int8Row.Width"/>].</param>
    /// <param name="tokens">Number of tokens of the multiplication.</param>
    public static void Quantize(ReadOnlySpan<float> x, Span<float> row, int tokens)
    {
        if (tokens < StripTokens)
            Int8Row.ToBlockOrder(x, row);
        else
            Dots.RunSmall(new QuantizeForMxfp4Strips(x, row));
    }

    /// <summary>Computes a range of outputs for every token.</summary>
    /// <param name="blocks">Codes of the range, [outputs of the range, inputs / 32, 16].</param>
    /// <param name="scales">Scales of the range, [outputs of the range, inputs / 32].</param>
    /// <param name="bias">Bias of the range, [outputs of the range].</param>
    /// <param name="x">Activations from <see cref="Quantize"/>, [tokens, <see cref="Int8Row.Width"/>].</param>
    /// <param name="y">Receives output o of the range at [t, first + o]; its shape is [tokens, outputs].</param>
    /// <param name="first">Index of the first output of the range in <paramref name="y"/>.</param>
    /// <param name="scratch">Working memory of at least <see cref="ScratchValues"/> floats.</param>
    public static void Multiply(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first,
        Span<float> scratch
    )
    {
        int inputs = Mxfp4Shape.Inputs(blocks, scales, bias, x, y, first);
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Width, Int8Row.Width(inputs));
        ArgumentOutOfRangeException.ThrowIfLessThan(scratch.Length, ScratchValues(inputs, x.Count));
        if (bias.IsEmpty)
            return;
        if (x.Count < StripTokens)
            Lanes.Run(new MultiplyMxfp4RowsByInt8(blocks, scales, bias, x, y, first));
        else
            Dots.RunSmall(new MultiplyMxfp4StripsByInt8(blocks, scales, bias, x, y, first, scratch));
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
    internal readonly ref struct MultiplyMxfp4RowsByInt8(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first
    ) : ILaneKernel
    {
        private readonly ReadOnlySpan<byte> _blocks = blocks;
        private readonly ReadOnlySpan<byte> _scales = scales;
        private readonly ReadOnlySpan<float> _bias = bias;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _first = first;
        private readonly int _inputBlocks = scales.Length / bias.Length;

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
            // Where the last step of a weight row would read past the end of the range, it is read from a copy.
            int outputs = _bias.Length,
                rest = _inputBlocks % StepBlocks;
            int apart = rest == 0 ? 0 : Math.Min(outputs, (StepBlocks - rest + _inputBlocks - 1) / _inputBlocks);
            Span<byte> copy = stackalloc byte[StepBytes + StepBlocks];
            for (int o = 0; o < outputs; o++)
            {
                scoped ReadOnlySpan<byte> lastBlocks = _blocks[(((o + 1) * _inputBlocks - rest) * Mxfp4.BlockBytes)..];
                scoped ReadOnlySpan<byte> lastScales = _scales[((o + 1) * _inputBlocks - rest)..];
                if (o >= outputs - apart)
                {
                    copy.Clear();
                    lastBlocks[..(rest * Mxfp4.BlockBytes)].CopyTo(copy);
                    lastScales[..rest].CopyTo(copy[StepBytes..]);
                    lastBlocks = copy;
                    lastScales = copy[StepBytes..];
                }
                for (int t = 0; t < _x.Count; t++)
                    One<T>(o, t, rest, lastBlocks, lastScales);
            }
        }

        // Memory is read fastest one weight row at a time, in the order of addresses (docs/decisions/0002).
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void One<T>(
            int output,
            int token,
            int rest,
            scoped ReadOnlySpan<byte> lastBlocks,
            scoped ReadOnlySpan<byte> lastScales
        )
            where T : struct, ILanes<T>
        {
            int inputs = _inputBlocks * Int8Row.BlockValues;
            nuint full = (nuint)(_inputBlocks / StepBlocks);
            ref readonly byte b = ref MemoryMarshal.GetReference(
                _blocks.Slice(output * _inputBlocks * Mxfp4.BlockBytes)
            );
            ref readonly byte s = ref MemoryMarshal.GetReference(_scales.Slice(output * _inputBlocks));
            ref readonly byte x = ref MemoryMarshal.GetReference(MemoryMarshal.AsBytes(_x[token]));
            ref readonly float scales = ref Unsafe.As<byte, float>(
                ref Unsafe.Add(ref Unsafe.AsRef(in x), Int8Row.ScalesAt(inputs))
            );
            ref readonly int offsets = ref Unsafe.As<byte, int>(
                ref Unsafe.Add(ref Unsafe.AsRef(in x), Int8Row.OffsetsAt(inputs))
            );
            T sum = T.Zero;
            nuint step = 0;
            for (; step < full; step++)
            {
                nuint at = step * StepBytes,
                    lane = step * StepBlocks;
                Prefetch.Read(in b, at + Prefetch.NearBytes);
                Prefetch.Read(in b, at + Prefetch.NearBytes + 64);
                Prefetch.Read(in b, at + Prefetch.NearBytes + 128);
                Prefetch.Read(in b, at + Prefetch.NearBytes + 192);
                T sums = T.BlockSums(in b, at, in x, 2 * at, in Unsafe.Add(ref Unsafe.AsRef(in offsets), lane));
                T scale = T.BlockScales(Vector128.LoadUnsafe(in s, lane)) * T.Load(in scales, lane);
                sum = T.MultiplyAdd(sums, scale, sum);
            }
            if (rest > 0)
            {
                Vector128<byte> mask = Vector128.LoadUnsafe(
                    in MemoryMarshal.GetReference(Masks),
                    (nuint)(StepBlocks - rest)
                );
                nuint lane = step * StepBlocks;
                T sums = T.BlockSums(
                    in MemoryMarshal.GetReference(lastBlocks),
                    0,
                    in x,
                    2 * step * StepBytes,
                    in Unsafe.Add(ref Unsafe.AsRef(in offsets), lane)
                );
                T scale =
                    T.BlockScales(Vector128.LoadUnsafe(in MemoryMarshal.GetReference(lastScales)) & mask)
                    * T.Load(in scales, lane);
                sum = T.MultiplyAdd(sums, scale, sum);
            }
            _y.Values[token * _y.Width + _first + output] = T.Sum(sum) + _bias[output];
        }
    }

    /// <summary>
    /// Decodes one strip of 32 outputs after the other and multiplies it by many tokens, in lane order.
    /// </summary>
    internal readonly ref struct MultiplyMxfp4StripsByInt8(
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first,
        Span<float> scratch
    ) : IDotsKernel
    {
        private readonly ReadOnlySpan<byte> _blocks = blocks;
        private readonly ReadOnlySpan<byte> _scales = scales;
        private readonly ReadOnlySpan<float> _bias = bias;
        private readonly Rows _x = x;
        private readonly Rows _y = y;
        private readonly int _first = first;
        private readonly Span<float> _scratch = scratch;

        public void Run<T>()
            where T : struct, IDots<T>
        {
            int outputs = _bias.Length,
                inputBlocks = _scales.Length / outputs,
                inputs = inputBlocks * Int8Row.BlockValues;
            int stripValues = (int)(Int8Panel.Bytes<SingleScales>(inputs) / sizeof(float));
            Span<byte> strip = MemoryMarshal.AsBytes(_scratch[..stripValues]);
            var results = new Rows(_scratch.Slice(stripValues, _x.Count * Int8Panel.Rows), Int8Panel.Rows);
            for (int output = 0; output < outputs; output += Int8Panel.Rows)
            {
                int count = Math.Min(Int8Panel.Rows, outputs - output);
                Mxfp4Int8Strip.Decode<T>(
                    _blocks.Slice(output * inputBlocks * Mxfp4.BlockBytes, count * inputBlocks * Mxfp4.BlockBytes),
                    _scales.Slice(output * inputBlocks, count * inputBlocks),
                    inputBlocks,
                    strip
                );
                Int8Panel.Multiply<T, SingleScales>(strip, inputs, _x, results);
                Int8Panel.Put(results, _bias.Slice(output, count), count, _y, _first + output);
            }
        }
    }
}

using System.Diagnostics;
using GptOss.Kernels.MatMul;

namespace GptOss.Kernels.Formats;

/// <summary>
/// Writes MXFP4 in the form of OpenAI's files: packs numbers into it, and copies what has it already in another order.
/// </summary>
/// <remarks>
/// A block of 32 values has one scale, the smallest power of two that is at least a sixth of the largest magnitude, so
/// that no value is cut off. A value becomes the nearest of 0, ½, 1, 1½, 2, 3, 4, 6 times the scale; half way between
/// two it takes the one with the even code, and a zero keeps its sign. Values that have a code are not changed by it.
/// Source: downcast_to_mxfp with ROUND_UP of triton_kernels, which gpt_oss/triton/moe.py in openai/gpt-oss calls.
/// </remarks>
// Bound: Copy has checked the output and both destinations; the matrix has the sizes that TensorReader has found.
internal static unsafe class Mxfp4Packing
{
    private const int Values = Mxfp4.BlockValues,
        Bytes = Mxfp4.BlockBytes;

    /// <summary>Packs a row of finite numbers.</summary>
    /// <param name="row">The numbers, whole blocks of 32.</param>
    /// <param name="blocks">Receives the codes, 16 bytes a block: value 2i in the low half of byte i.</param>
    /// <param name="scales">Receives one byte for each block: 127 and the exponent of its scale.</param>
    public static void Pack(ReadOnlySpan<float> row, Span<byte> blocks, Span<byte> scales)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(row.Length, scales.Length * Values);
        ArgumentOutOfRangeException.ThrowIfNotEqual(blocks.Length, scales.Length * Bytes);
        for (int block = 0; block < scales.Length; block++)
            scales[block] = PackBlock(row.Slice(block * Values, Values), blocks.Slice(block * Bytes, Bytes));
    }

    /// <summary>Copies the codes and the scales of one output, whatever order of MXFP4 it has.</summary>
    /// <param name="format">MXFP4 of any order of bytes.</param>
    /// <param name="w">The whole matrix, all its outputs.</param>
    /// <param name="output">Number of the output.</param>
    /// <param name="blocks">Receives the codes in the order of OpenAI's files.</param>
    /// <param name="scales">Receives one byte for each block.</param>
    public static void Copy(WeightFormat format, in StoredWeights w, int output, Span<byte> blocks, Span<byte> scales)
    {
        int count = w.Inputs / Values;
        ArgumentOutOfRangeException.ThrowIfNegative(output);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(output, w.Outputs);
        ArgumentOutOfRangeException.ThrowIfNotEqual(blocks.Length, count * Bytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(scales.Length, count);
        long first = (long)output * count;
        if (format == WeightFormat.Mxfp4)
        {
            new ReadOnlySpan<byte>(w.Data + first * Bytes, count * Bytes).CopyTo(blocks);
            new ReadOnlySpan<byte>(w.Scales + first, count).CopyTo(scales);
            return;
        }
        Debug.Assert(IsMxfp4(format));
        for (int block = 0; block < count; block++)
        {
            byte* from = w.Data + (first + block) * (Bytes + 1);
            scales[block] = *from;
            var codes = new ReadOnlySpan<byte>(from + 1, Bytes);
            Span<byte> to = blocks.Slice(block * Bytes, Bytes);
            if (format == WeightFormat.Mxfp4Pairs)
                codes.CopyTo(to);
            else
                for (int i = 0; i < Bytes; i++)
                    to[i] = (byte)(Nibbles.At(codes, 2 * i) | Nibbles.At(codes, 2 * i + 1) << 4);
        }
    }

    /// <summary>Whether weights are MXFP4 with float32 activations, in any order of bytes.</summary>
    public static bool IsMxfp4(WeightFormat format) =>
        format is WeightFormat.Mxfp4 or WeightFormat.Mxfp4Halves or WeightFormat.Mxfp4Pairs;

    private static byte PackBlock(ReadOnlySpan<float> values, Span<byte> codes)
    {
        float largest = 0;
        foreach (float value in values)
            largest = Math.Max(largest, Math.Abs(value));
        // The exponent of the smallest power of two that is not below it: what is beyond a power carries into the
        // exponent. Nothing but zeros has the byte 0, and the codes of zeros.
        uint scale = BitConverter.SingleToUInt32Bits(largest / 6) + 0x7F_FFFF >> 23;
        double factor = scale == 0 ? 0 : Math.ScaleB(1, 127 - (int)scale);
        for (int i = 0; i < Bytes; i++)
            codes[i] = (byte)(Code(values[2 * i], factor) | Code(values[2 * i + 1], factor) << 4);
        return (byte)scale;
    }

    // Half way from an even code to the next the even one stays, half way from an odd one the next is taken.
    private static int Code(float value, double factor)
    {
        double size = Math.Abs(value * factor);
        int code =
            size > 2.5
                ? size > 5
                    ? 7
                    : size >= 3.5
                        ? 6
                        : 5
                : size > 1.25
                    ? size >= 1.75
                        ? 4
                        : 3
                    : size >= 0.75
                        ? 2
                        : size > 0.25
                            ? 1
                            : 0;
        return code | (float.IsNegative(value) ? 8 : 0);
    }
}

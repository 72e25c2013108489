using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Tests.Kernels.Formats;

/// <summary>
/// MXFP4 with the scale in the block and the codes in either order gives the bits of the blocks that OpenAI's files
/// have, at every width, for few tokens and for many.
/// </summary>
public sealed class Mxfp4JoinedTests
{
    private const int Outputs = 37; // a strip of 32 and a part of one

    public static MatrixTheoryData<int, int, bool> WidthsBlocksAndOrders =>
        new(Registers.Widths.Select(width => width.Data), [1, 3, 4, 18, 33], [true, false]);

    public static MatrixTheoryData<string, int, bool> KindsBlocksAndOrders =>
        new(Registers.Kinds.Select(kind => kind.Data), [1, 4, 18, 33], [true, false]);

    [Theory, MemberData(nameof(WidthsBlocksAndOrders))]
    public void The_product_with_floats_has_the_bits_of_blocks_apart(int width, int inputBlocks, bool halves)
    {
        (byte[] codes, byte[] scales) = Sampled(inputBlocks);
        using var joined = new GuardedMemory<byte>(Joined(codes, scales, halves));
        foreach (int tokens in (int[])[1, 2, 10])
        {
            var x = new Rows(
                Sample.Permuted(Sample.Floats(tokens * 32 * inputBlocks, seed: 5), 32 * inputBlocks),
                Mxfp4.PermutedWidth(32 * inputBlocks)
            );
            float[] expected = new float[tokens * Outputs],
                y = new float[tokens * Outputs],
                scratch = new float[Mxfp4.ScratchFloats(32 * inputBlocks, tokens)];

            Registers.Run(
                width,
                new Mxfp4.MultiplyMxfp4<Mxfp4Apart>(codes, scales, Outputs, x, new Rows(expected, Outputs), 0, scratch)
            );
            var rows = new Rows(y, Outputs);
            if (halves)
                Registers.Run(
                    width,
                    new Mxfp4.MultiplyMxfp4<Mxfp4Halves>(joined.Span, default, Outputs, x, rows, 0, scratch)
                );
            else
                Registers.Run(
                    width,
                    new Mxfp4.MultiplyMxfp4<Mxfp4Pairs>(joined.Span, default, Outputs, x, rows, 0, scratch)
                );

            Sample.AssertSameBits(expected, y, $"{tokens} tokens");
        }
    }

    [Theory, MemberData(nameof(WidthsBlocksAndOrders))]
    public void The_product_of_rows_with_bytes_has_the_bits_of_blocks_apart(int width, int inputBlocks, bool halves)
    {
        (byte[] codes, byte[] scales) = Sampled(inputBlocks);
        using var joined = new GuardedMemory<byte>(Joined(codes, scales, halves));
        const int tokens = 3;
        int inputs = 32 * inputBlocks,
            rowWidth = Int8Row.Width(inputs);
        Rows apart = Quantized(inHalves: false),
            activations = Quantized(halves);
        float[] expected = new float[tokens * Outputs],
            y = new float[tokens * Outputs];
        Registers.Run(
            width,
            new Mxfp4Int8.MultiplyMxfp4RowsByInt8<Mxfp4Apart>(
                codes,
                scales,
                Outputs,
                apart,
                new Rows(expected, Outputs),
                0
            )
        );
        var rows = new Rows(y, Outputs);
        if (halves)
            Registers.Run(
                width,
                new Mxfp4Int8.MultiplyMxfp4RowsByInt8<Mxfp4Halves>(joined.Span, default, Outputs, activations, rows, 0)
            );
        else
            Registers.Run(
                width,
                new Mxfp4Int8.MultiplyMxfp4RowsByInt8<Mxfp4Pairs>(joined.Span, default, Outputs, activations, rows, 0)
            );
        Sample.AssertSameBits(expected, y, $"{inputBlocks} blocks");

        Rows Quantized(bool inHalves)
        {
            float[] x = Sample.Floats(tokens * inputs, seed: 5),
                quantized = new float[tokens * rowWidth];
            for (int t = 0; t < tokens; t++)
                Registers.Run(
                    width,
                    new Int8Row.QuantizeToBlockOrder(
                        x.AsSpan(t * inputs, inputs),
                        quantized.AsSpan(t * rowWidth, rowWidth),
                        Mxfp4Int8.Offset,
                        0.5f,
                        inHalves
                    )
                );
            return new Rows(quantized, rowWidth);
        }
    }

    [Theory, MemberData(nameof(KindsBlocksAndOrders))]
    public void The_product_of_strips_with_bytes_has_the_bits_of_blocks_apart(string kind, int inputBlocks, bool halves)
    {
        (byte[] codes, byte[] scales) = Sampled(inputBlocks);
        using var joined = new GuardedMemory<byte>(Joined(codes, scales, halves));
        const int tokens = 6;
        int inputs = 32 * inputBlocks,
            rowWidth = Int8Row.Width(inputs);
        float[] x = Sample.Floats(tokens * inputs, seed: 5),
            quantized = new float[tokens * rowWidth],
            scratch = new float[Mxfp4Int8.ScratchFloats(inputs, tokens)];
        for (int t = 0; t < tokens; t++)
            Registers.Run(
                kind,
                new Mxfp4Int8.QuantizeForMxfp4Strips(
                    x.AsSpan(t * inputs, inputs),
                    quantized.AsSpan(t * rowWidth, rowWidth)
                )
            );
        var activations = new Rows(quantized, rowWidth);
        float[] expected = new float[tokens * Outputs],
            y = new float[tokens * Outputs];
        Registers.Run(
            kind,
            new Mxfp4Int8.MultiplyMxfp4StripsByInt8<Mxfp4Apart>(
                codes,
                scales,
                Outputs,
                activations,
                new Rows(expected, Outputs),
                0,
                scratch
            )
        );
        var rows = new Rows(y, Outputs);
        if (halves)
            Registers.Run(
                kind,
                new Mxfp4Int8.MultiplyMxfp4StripsByInt8<Mxfp4Halves>(
                    joined.Span,
                    default,
                    Outputs,
                    activations,
                    rows,
                    0,
                    scratch
                )
            );
        else
            Registers.Run(
                kind,
                new Mxfp4Int8.MultiplyMxfp4StripsByInt8<Mxfp4Pairs>(
                    joined.Span,
                    default,
                    Outputs,
                    activations,
                    rows,
                    0,
                    scratch
                )
            );
        Sample.AssertSameBits(expected, y, $"{inputBlocks} blocks");
    }

    private static (byte[] Codes, byte[] Scales) Sampled(int inputBlocks) =>
        (
            Sample.Bytes(Outputs * inputBlocks * 16, seed: inputBlocks),
            Sample.Scales(Outputs * inputBlocks, seed: inputBlocks + 1)
        );

    // The blocks of GGUF out of those of OpenAI, from the words of the specification.
    private static byte[] Joined(byte[] codes, byte[] scales, bool halves)
    {
        var joined = new byte[17 * scales.Length];
        for (int b = 0; b < scales.Length; b++)
        {
            joined[17 * b] = scales[b];
            int Code(int value) => codes[16 * b + value / 2] >> (value % 2 * 4) & 0xF;
            for (int j = 0; j < 16; j++)
                joined[17 * b + 1 + j] = halves ? (byte)(Code(j) | Code(j + 16) << 4) : codes[16 * b + j];
        }
        return joined;
    }
}

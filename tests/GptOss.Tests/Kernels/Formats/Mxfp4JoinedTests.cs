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
                        Mxfp4Doubled.Offset,
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
        float[] scratch = new float[Mxfp4Int8.ScratchFloats(inputs, tokens)];
        Rows apart = Quantized(inHalves: false),
            activations = Quantized(halves);
        float[] expected = new float[tokens * Outputs],
            y = new float[tokens * Outputs];
        Registers.Run(
            kind,
            new Mxfp4Int8.MultiplyMxfp4StripsByInt8<Mxfp4Apart>(
                codes,
                scales,
                Outputs,
                apart,
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

        Rows Quantized(bool inHalves)
        {
            float[] x = Sample.Floats(tokens * inputs, seed: 5),
                quantized = new float[tokens * rowWidth];
            for (int t = 0; t < tokens; t++)
                Registers.Run(
                    kind,
                    new Mxfp4Int8.QuantizeForMxfp4Strips(
                        x.AsSpan(t * inputs, inputs),
                        quantized.AsSpan(t * rowWidth, rowWidth),
                        inHalves
                    )
                );
            return new Rows(quantized, rowWidth);
        }
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsWith), new[] { 1, 2, 15, 16, 17, 90 }, MemberType = typeof(Registers))]
    public void Scales_that_are_17_bytes_apart_are_copied_side_by_side(int width, int count)
    {
        byte[] scales = [.. Enumerable.Range(1, count).Select(i => (byte)i)],
            copied = new byte[count];
        using var joined = new GuardedMemory<byte>(Joined(Sample.Bytes(16 * count, seed: count), scales, true));

        Registers.Run(width, new CopyMxfp4Scales<Mxfp4Halves>(joined.Span, copied));

        Assert.Equal(scales, copied);
    }

    [Theory]
    [InlineData(true, 1)] // one weight row after the other
    [InlineData(true, 6)] // strips
    [InlineData(false, 1)]
    [InlineData(false, 10)] // strips of floats
    public void A_scale_byte_of_255_makes_its_row_not_finite_and_no_other(bool byInt8, int tokens)
    {
        const int inputBlocks = 6; // the last step of a row reads blocks of the next
        (byte[] codes, byte[] scales) = Sampled(inputBlocks);
        codes.AsSpan().Fill(0x22); // 1 everywhere: infinity times zero would not be finite either
        scales[3 * inputBlocks] = scales[5 * inputBlocks + 5] = 255; // the first and the last block of a row
        byte[] joined = Joined(codes, scales, halves: true);
        float[] x = [.. Enumerable.Repeat(1f, 32 * inputBlocks)],
            y = new float[tokens * Outputs];

        if (byInt8)
            Multiply<Mxfp4JoinedInt8<Mxfp4Halves>>(joined, x, tokens, y);
        else
            Multiply<Mxfp4Joined<Mxfp4Halves>>(joined, x, tokens, y);

        for (int i = 0; i < y.Length; i++)
            Assert.True(i % Outputs is 3 or 5 != float.IsFinite(y[i]), $"output {i % Outputs}: {y[i]}");
    }

    private static unsafe void Multiply<TFormat>(byte[] weights, float[] x, int tokens, float[] y)
        where TFormat : struct, IMatrixFormat
    {
        int width = TFormat.PermutedWidth(x.Length);
        var permuted = new float[tokens * width];
        for (int t = 0; t < tokens; t++)
            TFormat.Permute(x, permuted.AsSpan(t * width, width), tokens);
        fixed (byte* data = weights)
            TFormat.Multiply(
                new StoredWeights
                {
                    Outputs = Outputs,
                    Inputs = x.Length,
                    Data = data,
                },
                0,
                Outputs,
                new Rows(permuted, width),
                new Rows(y, Outputs),
                new float[TFormat.ScratchFloats(x.Length, tokens)]
            );
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

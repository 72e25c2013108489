using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;
using static GptOss.Tests.Kernels.GuardedKernel;

namespace GptOss.Tests.Kernels;

/// <summary>The kernels of MXFP4, for guard pages: each order of its blocks, for few tokens and many.</summary>
internal static class GuardedMxfp4
{
    // Steps have four blocks and sixteen.
    private static readonly int[] Sizes = UpTo(35);

    public static IEnumerable<GuardedKernel> All =>
        [
            .. Of<Mxfp4Apart>(),
            .. Of<Mxfp4Pairs>(),
            .. Of<Mxfp4Halves>(),
            OfLanes(typeof(CopyMxfp4Scales<Mxfp4Pairs>), Sizes, CopyScales<Mxfp4Pairs>),
            OfLanes(typeof(CopyMxfp4Scales<Mxfp4Halves>), Sizes, CopyScales<Mxfp4Halves>),
        ];

    private static IEnumerable<GuardedKernel> Of<TBlocks>()
        where TBlocks : struct, IMxfp4Blocks =>
        [
            OfLanes(typeof(Mxfp4.MultiplyMxfp4<TBlocks>), Sizes, MultiplyByFloats<TBlocks>),
            OfLanes(typeof(Mxfp4Int8.MultiplyMxfp4RowsByInt8<TBlocks>), Sizes, MultiplyRows<TBlocks>),
            OfDots(typeof(Mxfp4Int8.MultiplyMxfp4StripsByInt8<TBlocks>), Sizes, MultiplyStrips<TBlocks>),
        ];

    // One token, and ten that are multiplied by a strip.
    private static Action<Fence, int> MultiplyByFloats<TBlocks>(int inputBlocks)
        where TBlocks : struct, IMxfp4Blocks
    {
        Stored m = Stored.Of<TBlocks>(outputs: 1 + inputBlocks % 14, inputBlocks);
        int width = Mxfp4.PermutedWidth(m.Inputs);
        float[] x = Sample.Floats(10 * m.Inputs, seed: 2),
            permuted = Sample.Permuted(x, m.Inputs),
            expected = Defined(10, m.Outputs, (t, o) => Mxfp4.DotScalar(m.Codes(o), m.Scales(o), m.Token(x, t)));
        return (fence, registers) =>
        {
            foreach (int tokens in (int[])[1, 10])
            {
                Span<float> y = fence.Of<float>(new float[tokens * m.Outputs]);
                Registers.Run(
                    registers,
                    new Mxfp4.MultiplyMxfp4<TBlocks>(
                        fence.Of<byte>(m.Blocks),
                        fence.Of<byte>(m.ScalesApart),
                        m.Outputs,
                        new Rows(fence.Of<float>(permuted.AsSpan(0, tokens * width)), width),
                        new Rows(y, m.Outputs),
                        0,
                        fence.Of<float>(new float[Mxfp4.ScratchFloats(m.Inputs, tokens)])
                    )
                );
                Sample.AssertSameBits(expected.AsSpan(0, y.Length), y, $"{m.Outputs} × {m.Inputs}, {tokens} tokens");
            }
        };
    }

    private static Action<Fence, int> MultiplyRows<TBlocks>(int inputBlocks)
        where TBlocks : struct, IMxfp4Blocks
    {
        const int tokens = 3; // two that share what is decoded, and one
        Stored m = Stored.Of<TBlocks>(outputs: 1 + inputBlocks % 14, inputBlocks);
        int width = Int8Row.Width(m.Inputs);
        float[] x = Sample.Floats(tokens * m.Inputs, seed: 2),
            expected = Expected(m, x, tokens);
        return (fence, registers) =>
        {
            Span<float> y = fence.Of<float>(new float[tokens * m.Outputs]),
                row = fence.Of<float>(x),
                quantized = fence.Of<float>(new float[tokens * width]);
            for (int t = 0; t < tokens; t++)
                Registers.Run(
                    registers,
                    new Int8Row.QuantizeToBlockOrder(
                        row.Slice(t * m.Inputs, m.Inputs),
                        quantized.Slice(t * width, width),
                        Mxfp4Doubled.Offset,
                        0.5f,
                        TBlocks.IsInHalves
                    )
                );
            Registers.Run(
                registers,
                new Mxfp4Int8.MultiplyMxfp4RowsByInt8<TBlocks>(
                    fence.Of<byte>(m.Blocks),
                    fence.Of<byte>(m.ScalesApart),
                    m.Outputs,
                    new Rows(quantized, width),
                    new Rows(y, m.Outputs),
                    0
                )
            );
            Sample.AssertSameBits(expected, y, $"{m.Outputs} × {m.Inputs}, {tokens} tokens");
        };
    }

    private static Action<Fence, string> MultiplyStrips<TBlocks>(int inputBlocks)
        where TBlocks : struct, IMxfp4Blocks
    {
        const int tokens = 5;
        Stored m = Stored.Of<TBlocks>(outputs: 1 + 7 * inputBlocks % 40, inputBlocks);
        int width = Int8Row.Width(m.Inputs);
        float[] x = Sample.Floats(tokens * m.Inputs, seed: 2),
            expected = Expected(m, x, tokens);
        return (fence, registers) =>
        {
            Span<float> y = fence.Of<float>(new float[tokens * m.Outputs]),
                row = fence.Of<float>(x),
                quantized = fence.Of<float>(new float[tokens * width]);
            for (int t = 0; t < tokens; t++)
                Registers.Run(
                    registers,
                    new Mxfp4Int8.QuantizeForMxfp4Strips(
                        row.Slice(t * m.Inputs, m.Inputs),
                        quantized.Slice(t * width, width),
                        TBlocks.IsInHalves
                    )
                );
            Registers.Run(
                registers,
                new Mxfp4Int8.MultiplyMxfp4StripsByInt8<TBlocks>(
                    fence.Of<byte>(m.Blocks),
                    fence.Of<byte>(m.ScalesApart),
                    m.Outputs,
                    new Rows(quantized, width),
                    new Rows(y, m.Outputs),
                    0,
                    fence.Of<float>(new float[Mxfp4Int8.ScratchFloats(m.Inputs, tokens)])
                )
            );
            Sample.AssertSameBits(expected, y, $"{m.Outputs} × {m.Inputs}, {tokens} tokens");
        };
    }

    private static Action<Fence, int> CopyScales<TBlocks>(int blocks)
        where TBlocks : struct, IMxfp4Blocks
    {
        Stored m = Stored.Of<TBlocks>(1, blocks);
        return (fence, registers) =>
        {
            Span<byte> copied = fence.Of<byte>(new byte[blocks]);
            Registers.Run(registers, new CopyMxfp4Scales<TBlocks>(fence.Of<byte>(m.Blocks), copied));
            Assert.Equal(m.Scales(0).ToArray(), copied.ToArray());
        };
    }

    private static float[] Expected(Stored m, float[] x, int tokens) =>
        Defined(tokens, m.Outputs, (t, o) => Mxfp4Int8.DotScalar(m.Codes(o), m.Scales(o), m.Token(x, t)));

    /// <summary>Weights as OpenAI's files have them, and the blocks of a kind that hold the same values.</summary>
    private sealed record Stored(byte[] AllCodes, byte[] AllScales, byte[] Blocks, byte[] ScalesApart, int Outputs)
    {
        private int InputBlocks => AllScales.Length / Outputs;

        public int Inputs => 32 * InputBlocks;

        public static Stored Of<TBlocks>(int outputs, int inputBlocks)
            where TBlocks : struct, IMxfp4Blocks
        {
            byte[] codes = Sample.Bytes(16 * outputs * inputBlocks, seed: inputBlocks),
                scales = Sample.Scales(outputs * inputBlocks, seed: inputBlocks + 1);
            if (!TBlocks.HasScales)
                return new(codes, scales, codes, scales, outputs);
            byte[] blocks = new byte[17 * scales.Length];
            for (int b = 0; b < scales.Length; b++)
            {
                blocks[17 * b] = scales[b];
                int Code(int value) => codes[16 * b + value / 2] >> (value % 2 * 4) & 0xF;
                for (int j = 0; j < 16; j++)
                    blocks[17 * b + 1 + j] = TBlocks.IsInHalves
                        ? (byte)(Code(j) | Code(j + 16) << 4)
                        : codes[16 * b + j];
            }
            return new(codes, scales, blocks, [], outputs);
        }

        public ReadOnlySpan<byte> Codes(int output) => AllCodes.AsSpan(output * 16 * InputBlocks, 16 * InputBlocks);

        public ReadOnlySpan<byte> Scales(int output) => AllScales.AsSpan(output * InputBlocks, InputBlocks);

        public ReadOnlySpan<float> Token(float[] x, int token) => x.AsSpan(token * Inputs, Inputs);
    }
}

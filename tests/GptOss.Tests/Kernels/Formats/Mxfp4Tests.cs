// Over 300 lines: the definition, each form of the kernel and the refusals share one oracle.
using System.Runtime.InteropServices;
using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Tests.Kernels.Formats;

public class Mxfp4Tests
{
    [Fact]
    public void A_code_is_the_value_that_E2M1_gives_it()
    {
        for (int code = 0; code < 16; code++)
        {
            int exponent = code >> 1 & 3,
                mantissa = code & 1;
            double magnitude = exponent == 0 ? 0.5 * mantissa : Math.ScaleB(1 + 0.5 * mantissa, exponent - 1);
            double expected = (code & 8) == 0 ? magnitude : -magnitude;

            Assert.Equal(BitConverter.DoubleToInt64Bits(expected), BitConverter.DoubleToInt64Bits(Mxfp4.Value(code)));
        }
    }

    [Fact]
    public void A_scale_is_a_power_of_two_and_255_is_not_finite()
    {
        for (int s = 0; s < 255; s++)
            Assert.Equal(Math.ScaleB(1, s - 127), Mxfp4.Scale((byte)s));
        Assert.False(float.IsFinite(Mxfp4.Scale(255)));
    }

    [Theory]
    [InlineData(1)] // one block: a step with three missing
    [InlineData(3)] // one missing
    [InlineData(4)] // a whole step
    [InlineData(90)] // gpt-oss's hidden size: 2880 / 32
    public void A_product_agrees_with_a_float64_sum(int inputBlocks)
    {
        const int outputs = 5,
            tokens = 10;
        Matrix w = Matrix.Random(outputs, inputBlocks, seed: inputBlocks);
        float[] x = Sample.Floats(tokens * w.Inputs, seed: 1),
            y = Product(w, x);

        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
        {
            double expected = 0,
                magnitude = 0;
            for (int k = 0; k < w.Inputs; k++)
            {
                double product = w.Value(o, k) * x[t * w.Inputs + k];
                expected += product;
                magnitude += Math.Abs(product);
            }
            // Eight roundings within a dword, one for each step, four in the tree: 2⁻²⁴ of what is there.
            double roundings = 8 + (inputBlocks + 3) / 4 + 4;
            Sample.AssertClose(
                expected,
                y[t * outputs + o],
                roundings * Math.ScaleB(1, -24) * magnitude,
                $"{outputs} × {inputBlocks} blocks, token {t}, output {o}"
            );
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(90)]
    public void The_same_values_in_bfloat16_give_the_same_within_rounding(int inputBlocks)
    {
        const int outputs = 7,
            tokens = 11;
        Matrix w = Matrix.Random(outputs, inputBlocks, seed: 3);
        float[] x = Sample.Floats(tokens * w.Inputs, seed: 4),
            y = Product(w, x),
            z = new float[tokens * outputs];
        var wide = new ushort[outputs * w.Inputs];
        for (int i = 0; i < wide.Length; i++)
            wide[i] = (ushort)(BitConverter.SingleToUInt32Bits((float)w.Value(i / w.Inputs, i % w.Inputs)) >> 16);

        ByOutput<BFloat16>.Multiply(
            MemoryMarshal.AsBytes(wide.AsSpan()),
            new Rows(x, w.Inputs),
            new Rows(z, outputs),
            0
        );

        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
        {
            double magnitude = 1;
            for (int k = 0; k < w.Inputs; k++)
                magnitude += Math.Abs(w.Value(o, k) * x[t * w.Inputs + k]);
            // The values are equal, the orders are not: at most the roundings of both.
            double roundings = w.Inputs / 16 + 5 + 8 + inputBlocks / 4 + 6;
            Sample.AssertClose(
                z[t * outputs + o],
                y[t * outputs + o],
                roundings * Math.ScaleB(1, -24) * magnitude,
                $"{outputs} × {inputBlocks} blocks, token {t}, output {o}"
            );
        }
    }

    [Theory]
    [MemberData(
        nameof(Registers.WidthsWith),
        new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 33, 90 },
        MemberType = typeof(Registers)
    )]
    public void Every_width_gives_the_bits_of_the_definition(int width, int inputBlocks)
    {
        for (int outputs = 1; outputs <= 13; outputs++)
            // One after the other, and from nine on in strips: whole tiles, and all that may be left of one.
            foreach (int tokens in (int[])[1, 2 + outputs % 7, 9 + (outputs + inputBlocks) % 4])
            {
                Matrix w = Matrix.Random(outputs, inputBlocks, seed: inputBlocks);
                float[] x = Sample.Floats(tokens * w.Inputs, seed: outputs);
                Sample.AssertSameBits(
                    w.Defined(x),
                    Run(width, w, x),
                    $"{outputs} × {inputBlocks} blocks, {tokens} tokens"
                );
            }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Many_rows_of_x_in_one_call_equal_as_many_calls_of_one(int width)
    {
        Matrix w = Matrix.Random(outputs: 11, inputBlocks: 6, seed: 1);
        float[] x = Sample.Floats(70 * w.Inputs, seed: 2),
            single = new float[70 * w.Outputs];
        for (int t = 0; t < 70; t++)
            Run(width, w, x.AsSpan(t * w.Inputs, w.Inputs)).CopyTo(single, t * w.Outputs);

        for (int tokens = 1; tokens <= 70; tokens++)
            Sample.AssertSameBits(
                single.AsSpan(0, tokens * w.Outputs),
                Run(width, w, x.AsSpan(0, tokens * w.Inputs)),
                $"{tokens} tokens"
            );
    }

    [Theory]
    [InlineData(1)] // decode
    [InlineData(11)] // tiles and a rest
    public void Splitting_the_outputs_changes_nothing_and_writes_nothing_else(int tokens)
    {
        Matrix w = Matrix.Random(outputs: 21, inputBlocks: 6, seed: 1);
        float[] x = Sample.Floats(tokens * w.Inputs, seed: 2),
            whole = Product(w, x);

        for (int cut = 1; cut < w.Outputs; cut++)
        {
            var y = new float[tokens * w.Outputs];
            y.AsSpan().Fill(float.NaN);
            MultiplyRange(w, cut, w.Outputs, x, y);
            for (int t = 0; t < tokens; t++)
            for (int o = 0; o < cut; o++)
                Assert.True(float.IsNaN(y[t * w.Outputs + o]), $"output {o} is not of the range");
            MultiplyRange(w, 0, cut, x, y);
            Sample.AssertSameBits(whole, y, $"cut at {cut}");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Weights_at_an_odd_address_give_the_same_bits(int width)
    {
        Matrix w = Matrix.Random(outputs: 5, inputBlocks: 7, seed: 1);
        float[] x = Sample.Floats(10 * w.Inputs, seed: 2);
        byte[] blocks = new byte[w.Blocks.Length + 1],
            scales = new byte[w.Scales.Length + 1];
        w.Blocks.CopyTo(blocks, 1);
        w.Scales.CopyTo(scales, 1);

        Sample.AssertSameBits(
            w.Defined(x),
            Run(width, w, x, blocks.AsSpan(1), scales.AsSpan(1)),
            "5 × 7 blocks, 10 tokens"
        );
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 9, MemberType = typeof(Registers))]
    public void Nothing_is_read_past_the_end_of_blocks_or_scales(int width, int inputBlocks)
    {
        foreach (int tokens in (int[])[1, 5, 11])
        {
            Matrix w = Matrix.Random(outputs: 3, inputBlocks, seed: inputBlocks);
            float[] x = Sample.Floats(tokens * w.Inputs, seed: 1);
            using var blocks = new GuardedMemory<byte>(w.Blocks);
            using var scales = new GuardedMemory<byte>(w.Scales);

            Sample.AssertSameBits(
                w.Defined(x),
                Run(width, w, x, blocks.Span, scales.Span),
                $"3 × {inputBlocks} blocks, {tokens} tokens"
            );
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Scales_at_the_ends_of_their_range_give_the_bits_of_the_definition(int width)
    {
        byte[] ends = [0, 1, 2, 253, 254];
        Matrix w = Matrix.Random(outputs: 10, inputBlocks: 6, seed: 1);
        for (int i = 0; i < w.Scales.Length; i++)
            w.Scales[i] = ends[i / w.InputBlocks % ends.Length];
        float[] x = [.. Sample.Floats(10 * w.Inputs, seed: 2).Select(v => v * 1e-3f)]; // at 2¹²⁷ the sums stay finite
        float[] expected = w.Defined(x);

        Assert.All(expected, value => Assert.True(float.IsFinite(value)));
        Assert.Contains(expected, value => value != 0 && !float.IsNormal(value) && float.IsFinite(value));
        Sample.AssertSameBits(expected, Run(width, w, x), "10 × 6 blocks, 10 tokens");
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsWith), new[] { 1, 5, 11 }, MemberType = typeof(Registers))]
    public void A_scale_byte_of_255_makes_its_row_not_finite_and_no_other(int width, int tokens)
    {
        Matrix w = Matrix.Random(outputs: 8, inputBlocks: 6, seed: 1);
        w.Scales[3 * w.InputBlocks + 5] = 255; // the last block of a weight row: its neighbours lie beside it
        float[] y = Run(width, w, Sample.Floats(tokens * w.Inputs, seed: 2));
        for (int i = 0; i < y.Length; i++)
            Assert.True(i % w.Outputs != 3 == float.IsFinite(y[i]), $"8 × 6 blocks, {tokens} tokens [{i}]: {y[i]}");
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Negative_zeros_are_zeros_of_the_same_bits_everywhere(int width)
    {
        Matrix w = Matrix.Random(outputs: 3, inputBlocks: 3, seed: 1);
        w.Blocks.AsSpan().Fill(0x88);
        float[] x = Sample.Floats(10 * w.Inputs, seed: 2),
            y = Run(width, w, x);

        Sample.AssertSameBits(new float[y.Length], y, "3 × 3 blocks, 10 tokens");
        Sample.AssertSameBits(w.Defined(x), y, "3 × 3 blocks, 10 tokens, the definition");
    }

    [Theory]
    [InlineData(32)]
    [InlineData(96)]
    [InlineData(256)]
    public void Permuting_puts_each_value_where_its_code_is_met_and_zeros_elsewhere(int inputs)
    {
        float[] x = Sample.Floats(inputs, seed: 1),
            y = Sample.Floats(Mxfp4.PermutedWidth(inputs), seed: 2);

        Mxfp4.Permute(x, y);

        for (int i = 0; i < y.Length; i++)
        {
            int k = i / 128 * 128 + 8 * (i % 16) + i / 16 % 8;
            Assert.Equal(k < inputs ? x[k] : 0, y[i]);
        }
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Multiply();
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(blocks: 63));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(scales: 5, blocks: 80));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(x: 64, width: 64));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(x: 256));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(first: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(first: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(inputs: 48));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(inputs: 0));
        Multiply(tokens: 9);
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(tokens: 9, scratch: Mxfp4.ScratchFloats(64, 9) - 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Mxfp4.Permute(new float[32], new float[32]));

        static void Multiply(
            int blocks = 64,
            int scales = 4,
            int? x = null,
            int width = 128,
            int first = 0,
            int? scratch = null,
            int inputs = 64,
            int tokens = 1
        ) =>
            Mxfp4.Multiply(
                new byte[blocks],
                new byte[scales],
                inputs,
                new Rows(new float[x ?? tokens * width], width),
                new Rows(new float[tokens * 2], 2),
                first,
                new float[scratch ?? Mxfp4.ScratchFloats(64, 9)]
            );
    }

    private static float[] Product(Matrix w, ReadOnlySpan<float> x)
    {
        var y = new float[x.Length / w.Inputs * w.Outputs];
        MultiplyRange(w, 0, w.Outputs, x, y);
        return y;
    }

    private static void MultiplyRange(Matrix w, int from, int to, ReadOnlySpan<float> x, Span<float> y) =>
        Mxfp4.Multiply(
            w.Blocks.AsSpan(from * w.InputBlocks * 16, (to - from) * w.InputBlocks * 16),
            w.Scales.AsSpan(from * w.InputBlocks, (to - from) * w.InputBlocks),
            w.Inputs,
            new Rows(Sample.Permuted(x, w.Inputs), Mxfp4.PermutedWidth(w.Inputs)),
            new Rows(y, w.Outputs),
            from,
            new float[Mxfp4.ScratchFloats(w.Inputs, x.Length / w.Inputs)]
        );

    private static float[] Run(int width, Matrix w, ReadOnlySpan<float> x) => Run(width, w, x, w.Blocks, w.Scales);

    private static float[] Run(
        int width,
        Matrix w,
        ReadOnlySpan<float> x,
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales
    )
    {
        var y = new float[x.Length / w.Inputs * w.Outputs];
        var scratch = new float[Mxfp4.ScratchFloats(w.Inputs, x.Length / w.Inputs)];
        var permuted = new Rows(Sample.Permuted(x, w.Inputs), Mxfp4.PermutedWidth(w.Inputs));
        Registers.Run(
            width,
            new Mxfp4.MultiplyMxfp4<Mxfp4Apart>(blocks, scales, w.Outputs, permuted, new Rows(y, w.Outputs), 0, scratch)
        );
        return y;
    }

    /// <summary>A matrix as the checkpoint stores it, and the values it stands for.</summary>
    private sealed record Matrix(byte[] Blocks, byte[] Scales, int Outputs)
    {
        public int InputBlocks => Scales.Length / Outputs;
        public int Inputs => InputBlocks * 32;

        public static Matrix Random(int outputs, int inputBlocks, int seed) =>
            new(Sample.Bytes(outputs * inputBlocks * 16, seed), Sample.Scales(outputs * inputBlocks, seed), outputs);

        /// <summary>
        /// From the format's page: the low nibble comes first, sign, two bits of exponent, one of mantissa.
        /// </summary>
        public double Value(int output, int k)
        {
            int block = output * InputBlocks + k / 32,
                code = Blocks[block * 16 + k % 32 / 2] >> (k % 2 * 4) & 0xF;
            double[] magnitudes = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
            return (code < 8 ? 1 : -1) * magnitudes[code & 7] * Math.ScaleB(1, Scales[block] - 127);
        }

        public float[] Defined(ReadOnlySpan<float> x)
        {
            var y = new float[x.Length / Inputs * Outputs];
            for (int i = 0; i < y.Length; i++)
            {
                int output = i % Outputs;
                y[i] = Mxfp4.DotScalar(
                    Blocks.AsSpan(output * InputBlocks * 16, InputBlocks * 16),
                    Scales.AsSpan(output * InputBlocks, InputBlocks),
                    x.Slice(i / Outputs * Inputs, Inputs)
                );
            }
            return y;
        }
    }
}

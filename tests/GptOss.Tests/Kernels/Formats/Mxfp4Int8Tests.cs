// Over 300 lines: the definition, each form of the kernel and the refusals share one oracle.
using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Tests.Kernels.Formats;

public class Mxfp4Int8Tests
{
    [Fact]
    public void Twice_a_value_is_twice_the_value()
    {
        for (int code = 0; code < 16; code++)
        {
            Assert.Equal(2 * Mxfp4.Value(code), Mxfp4Doubled.Twice(code));
            Assert.Equal(Mxfp4Doubled.Twice(code), Mxfp4Doubled.SignedTable[code]);
            Assert.Equal(Mxfp4Doubled.Twice(code) + Mxfp4Doubled.Offset, Mxfp4Doubled.OffsetTable[code]);
        }
    }

    [Theory]
    [InlineData(1)] // one block
    [InlineData(16)] // a whole step
    [InlineData(90)] // gpt-oss's hidden size: 2880 / 32
    public void A_product_agrees_with_a_float64_sum_over_the_rounded_activations(int inputBlocks)
    {
        const int outputs = 5,
            tokens = 7;
        Matrix w = Matrix.Random(outputs, inputBlocks, seed: inputBlocks);
        float[] x = Sample.Floats(tokens * w.Inputs, seed: 1);
        float[] y = Run("1", w, x);

        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
        {
            double expected = 0,
                magnitude = 0,
                step = 0;
            for (int b = 0; b < inputBlocks; b++)
            {
                ReadOnlySpan<float> values = x.AsSpan(t * w.Inputs + b * 32, 32);
                double maximum = 0;
                foreach (float v in values)
                    maximum = Math.Max(maximum, Math.Abs(v));
                for (int k = 0; k < 32; k++)
                {
                    double weight = w.Value(o, b * 32 + k);
                    expected += weight * values[k];
                    magnitude += Math.Abs(weight * values[k]);
                    step += Math.Abs(weight) * maximum / 127 / 2; // half a step of the activation's grid
                }
            }
            double roundings = inputBlocks / 16 + 8;
            Sample.AssertClose(
                expected,
                y[t * outputs + o],
                1.001 * step + roundings * Math.ScaleB(1, -24) * magnitude,
                $"{outputs} × {inputBlocks} blocks, token {t}, output {o}"
            );
        }
    }

    [Theory]
    [MemberData(
        nameof(Registers.WidthsWith),
        new[] { 1, 2, 3, 4, 5, 15, 16, 17, 31, 90 },
        MemberType = typeof(Registers)
    )]
    public void Few_tokens_give_the_bits_of_the_definition_at_every_width(int width, int inputBlocks)
    {
        for (int outputs = 1; outputs <= 18; outputs += inputBlocks > 20 ? 6 : 1)
            foreach (int tokens in (int[])[1, 3])
            {
                Matrix w = Matrix.Random(outputs, inputBlocks, seed: inputBlocks);
                float[] x = Sample.Floats(tokens * w.Inputs, seed: outputs);
                Sample.AssertSameBits(
                    w.Defined(x),
                    RunRows(width, w, x, w.Blocks, w.Scales),
                    $"{outputs} × {inputBlocks} blocks, {tokens} tokens"
                );
            }
    }

    [Theory]
    [MemberData(nameof(Registers.KindsWith), new[] { 1, 2, 5, 16, 17, 33, 90 }, MemberType = typeof(Registers))]
    public void Strips_give_the_bits_of_the_definition_on_every_kind_of_registers(string kind, int inputBlocks)
    {
        foreach (int outputs in (int[])[1, 5, 16, 31, 32, 33, 70])
        {
            int tokens = 5 + (outputs + inputBlocks) % 9;
            Matrix w = Matrix.Random(outputs, inputBlocks, seed: inputBlocks);
            float[] x = Sample.Floats(tokens * w.Inputs, seed: outputs);
            Sample.AssertSameBits(w.Defined(x), Run(kind, w, x), $"{outputs} × {inputBlocks} blocks, {tokens} tokens");
        }
    }

    [Fact]
    public void Many_tokens_in_one_call_equal_as_many_calls_of_one()
    {
        Matrix w = Matrix.Random(outputs: 37, inputBlocks: 18, seed: 1);
        float[] x = Sample.Floats(70 * w.Inputs, seed: 2),
            single = new float[70 * w.Outputs];
        for (int t = 0; t < 70; t++)
            Product(w, x.AsSpan(t * w.Inputs, w.Inputs)).CopyTo(single, t * w.Outputs);

        for (int tokens = 1; tokens <= 70; tokens++)
            Sample.AssertSameBits(
                single.AsSpan(0, tokens * w.Outputs),
                Product(w, x.AsSpan(0, tokens * w.Inputs)),
                $"{tokens} tokens"
            );
    }

    [Theory]
    [InlineData(1)] // one weight row after the other
    [InlineData(11)] // strips
    public void Splitting_the_outputs_changes_nothing_and_writes_nothing_else(int tokens)
    {
        Matrix w = Matrix.Random(outputs: 45, inputBlocks: 6, seed: 1);
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
    [MemberData(
        nameof(Registers.WidthsWith),
        new[] { 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 34 },
        MemberType = typeof(Registers)
    )]
    public void Nothing_is_read_past_the_end_of_blocks_or_scales(int width, int inputBlocks)
    {
        Matrix w = Matrix.Random(outputs: 19, inputBlocks, seed: inputBlocks);
        float[] x = Sample.Floats(2 * w.Inputs, seed: 1);
        using var blocks = new GuardedMemory<byte>(w.Blocks);
        using var scales = new GuardedMemory<byte>(w.Scales);

        Sample.AssertSameBits(
            w.Defined(x),
            RunRows(width, w, x, blocks.Span, scales.Span),
            $"19 × {inputBlocks} blocks, 2 tokens"
        );
    }

    [Theory]
    [MemberData(nameof(Registers.KindsWith), new[] { 1, 3, 18 }, MemberType = typeof(Registers))]
    public void Nothing_is_read_past_the_end_for_strips(string kind, int inputBlocks)
    {
        Matrix w = Matrix.Random(outputs: 48, inputBlocks, seed: inputBlocks);
        float[] x = Sample.Floats(6 * w.Inputs, seed: 1);
        using var blocks = new GuardedMemory<byte>(w.Blocks);
        using var scales = new GuardedMemory<byte>(w.Scales);

        Sample.AssertSameBits(
            w.Defined(x),
            RunStrips(kind, w, x, blocks.Span, scales.Span),
            $"48 × {inputBlocks} blocks, 6 tokens"
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    public void Scales_at_the_ends_of_their_range_give_the_bits_of_the_definition(int tokens)
    {
        byte[] ends = [0, 1, 2, 253, 254];
        Matrix w = Matrix.Random(outputs: 10, inputBlocks: 18, seed: 1);
        for (int i = 0; i < w.Scales.Length; i++)
            w.Scales[i] = ends[i / w.InputBlocks % ends.Length];
        // At 2¹²⁷ the sums stay finite
        float[] x = [.. Sample.Floats(tokens * w.Inputs, seed: 2).Select(v => v * 1e-3f)];
        float[] expected = w.Defined(x);

        Assert.All(expected, value => Assert.True(float.IsFinite(value)));
        Sample.AssertSameBits(expected, Product(w, x), $"10 × 18 blocks, {tokens} tokens");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    public void A_scale_byte_of_255_makes_its_row_not_finite_and_no_other(int tokens)
    {
        Matrix w = Matrix.Random(outputs: 40, inputBlocks: 6, seed: 1);
        w.Scales[3 * w.InputBlocks + 5] = 255; // the last block of a weight row: its neighbours lie beside it
        float[] y = Product(w, Sample.Floats(tokens * w.Inputs, seed: 2));
        for (int i = 0; i < y.Length; i++)
            Assert.True(i % w.Outputs != 3 == float.IsFinite(y[i]), $"40 × 6 blocks, {tokens} tokens [{i}]: {y[i]}");
    }

    [Theory]
    [InlineData(float.NaN, 1)]
    [InlineData(float.PositiveInfinity, 1)]
    [InlineData(float.NegativeInfinity, 7)]
    [InlineData(float.NaN, 7)]
    public void An_activation_that_is_not_finite_makes_its_tokens_outputs_not_finite(float bad, int tokens)
    {
        Matrix w = Matrix.Random(outputs: 40, inputBlocks: 6, seed: 1);
        float[] x = Sample.Floats(tokens * w.Inputs, seed: 2);
        x[45] = bad;
        float[] y = Product(w, x);
        for (int i = 0; i < y.Length; i++)
            Assert.True(i >= w.Outputs == float.IsFinite(y[i]), $"40 × 6 blocks, {tokens} tokens [{i}]: {y[i]}");
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Multiply();
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(blocks: 63));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(scales: 5, blocks: 80));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(x: 64));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(first: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(first: -1));
        Multiply(tokens: 5);
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            Multiply(tokens: 5, scratch: Mxfp4Int8.ScratchFloats(64, 5) - 1)
        );

        static void Multiply(
            int blocks = 64,
            int scales = 4,
            int? x = null,
            int first = 0,
            int? scratch = null,
            int tokens = 1
        ) =>
            Mxfp4Int8.Multiply(
                new byte[blocks],
                new byte[scales],
                64,
                new Rows(new float[tokens * (x ?? Int8Row.Width(64))], x ?? Int8Row.Width(64)),
                new Rows(new float[tokens * 2], 2),
                first,
                new float[scratch ?? Mxfp4Int8.ScratchFloats(64, 5)]
            );
    }

    private static float[] Product(Matrix w, ReadOnlySpan<float> x)
    {
        var y = new float[x.Length / w.Inputs * w.Outputs];
        MultiplyRange(w, 0, w.Outputs, x, y);
        return y;
    }

    private static void MultiplyRange(Matrix w, int from, int to, ReadOnlySpan<float> x, Span<float> y)
    {
        int tokens = x.Length / w.Inputs,
            width = Int8Row.Width(w.Inputs);
        var quantized = new float[tokens * width];
        for (int t = 0; t < tokens; t++)
            Mxfp4Int8.Permute(x.Slice(t * w.Inputs, w.Inputs), quantized.AsSpan(t * width, width), tokens);
        Mxfp4Int8.Multiply(
            w.Blocks.AsSpan(from * w.InputBlocks * 16, (to - from) * w.InputBlocks * 16),
            w.Scales.AsSpan(from * w.InputBlocks, (to - from) * w.InputBlocks),
            w.Inputs,
            new Rows(quantized, width),
            new Rows(y, w.Outputs),
            from,
            new float[Mxfp4Int8.ScratchFloats(w.Inputs, tokens)]
        );
    }

    private static float[] RunRows(
        int width,
        Matrix w,
        ReadOnlySpan<float> x,
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales
    )
    {
        int tokens = x.Length / w.Inputs,
            rowWidth = Int8Row.Width(w.Inputs);
        var y = new float[tokens * w.Outputs];
        var quantized = new float[tokens * rowWidth];
        for (int t = 0; t < tokens; t++)
            Registers.Run(
                width,
                new Int8Row.QuantizeToBlockOrder(
                    x.Slice(t * w.Inputs, w.Inputs),
                    quantized.AsSpan(t * rowWidth, rowWidth),
                    Mxfp4Doubled.Offset,
                    0.5f
                )
            );
        Registers.Run(
            width,
            new Mxfp4Int8.MultiplyMxfp4RowsByInt8<Mxfp4Apart>(
                blocks,
                scales,
                w.Outputs,
                new Rows(quantized, rowWidth),
                new Rows(y, w.Outputs),
                0
            )
        );
        return y;
    }

    private static float[] Run(string kind, Matrix w, ReadOnlySpan<float> x) =>
        RunStrips(kind, w, x, w.Blocks, w.Scales);

    private static float[] RunStrips(
        string kind,
        Matrix w,
        ReadOnlySpan<float> x,
        ReadOnlySpan<byte> blocks,
        ReadOnlySpan<byte> scales
    )
    {
        int tokens = x.Length / w.Inputs,
            width = Int8Row.Width(w.Inputs);
        var y = new float[tokens * w.Outputs];
        var quantized = new float[tokens * width];
        for (int t = 0; t < tokens; t++)
            Registers.Run(
                kind,
                new Mxfp4Int8.QuantizeForMxfp4Strips(
                    x.Slice(t * w.Inputs, w.Inputs),
                    quantized.AsSpan(t * width, width),
                    inHalves: false
                )
            );
        Registers.Run(
            kind,
            new Mxfp4Int8.MultiplyMxfp4StripsByInt8<Mxfp4Apart>(
                blocks,
                scales,
                w.Outputs,
                new Rows(quantized, width),
                new Rows(y, w.Outputs),
                0,
                new float[Mxfp4Int8.ScratchFloats(w.Inputs, tokens)]
            )
        );
        return y;
    }

    private sealed record Matrix(byte[] Blocks, byte[] Scales, int Outputs)
    {
        public int InputBlocks => Scales.Length / Outputs;
        public int Inputs => InputBlocks * 32;

        public static Matrix Random(int outputs, int inputBlocks, int seed) =>
            new(
                Sample.Bytes(outputs * inputBlocks * 16, seed),
                Sample.Scales(outputs * inputBlocks, seed + 1),
                outputs
            );

        public double Value(int output, int k)
        {
            byte pair = Blocks[(output * InputBlocks + k / 32) * 16 + k % 32 / 2];
            return Mxfp4.Value(k % 2 == 0 ? pair & 0xF : pair >> 4)
                * Math.ScaleB(1, Scales[output * InputBlocks + k / 32] - 127);
        }

        public float[] Defined(ReadOnlySpan<float> x)
        {
            int tokens = x.Length / Inputs;
            var y = new float[tokens * Outputs];
            for (int t = 0; t < tokens; t++)
            for (int o = 0; o < Outputs; o++)
                y[t * Outputs + o] = Mxfp4Int8.DotScalar(
                    Blocks.AsSpan(o * InputBlocks * 16, InputBlocks * 16),
                    Scales.AsSpan(o * InputBlocks, InputBlocks),
                    x.Slice(t * Inputs, Inputs)
                );
            return y;
        }
    }
}

using System.Runtime.InteropServices;
using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Tests.Kernels.MatMul;

public class ByOutputTests
{
    [Theory]
    [InlineData(1)] // a tail alone
    [InlineData(16)] // one register, no tail
    [InlineData(47)] // a pair, a register, a tail
    [InlineData(2880)] // gpt-oss's hidden size
    public void A_product_agrees_with_a_float64_sum(int inputs)
    {
        const int outputs = 9,
            tokens = 5;
        ushort[] w = Sample.BFloat16s(outputs * inputs, seed: inputs);
        float[] x = Sample.Floats(tokens * inputs, seed: 2),
            y = Product(w, x, inputs);

        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
        {
            double expected = 0,
                magnitude = 0;
            for (int k = 0; k < inputs; k++)
            {
                double product = AsDouble(w[o * inputs + k]) * x[t * inputs + k];
                expected += product;
                magnitude += Math.Abs(product);
            }
            // A lane rounds once for each of its elements, the tree four times: 2⁻²⁴ of what is there each
            // time.
            double roundings = (inputs + 15) / 16 + 4;
            Sample.AssertClose(
                expected,
                y[t * outputs + o],
                roundings * Math.ScaleB(1, -24) * magnitude,
                $"{outputs} × {inputs}, token {t}, output {o}"
            );
        }
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 67, MemberType = typeof(Registers))]
    public void Every_width_gives_the_bits_of_the_definition(int width, int inputs)
    {
        for (int outputs = 1; outputs <= 13; outputs++)
        {
            int tokens = 1 + (outputs + inputs) % 9; // each count of tokens meets each count of outputs
            ushort[] w = Sample.BFloat16s(outputs * inputs, seed: inputs);
            float[] x = Sample.Floats(tokens * inputs, seed: outputs),
                y = new float[tokens * outputs];

            Registers.Run(
                width,
                new ByOutput<BFloat16>.MultiplyByOutput(
                    MemoryMarshal.AsBytes(w.AsSpan()),
                    outputs,
                    new Rows(x, inputs),
                    new Rows(y, outputs),
                    0
                )
            );

            Sample.AssertSameBits(Defined(w, x, inputs), y, $"{outputs} × {inputs}, {tokens} tokens");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Many_rows_of_x_in_one_call_equal_as_many_calls_of_one(int width)
    {
        const int inputs = 53,
            outputs = 70; // more outputs than stay in the cache, and a tail
        ushort[] w = Sample.BFloat16s(outputs * inputs, seed: 1);
        float[] x = Sample.Floats(70 * inputs, seed: 3),
            single = new float[70 * outputs];
        for (int t = 0; t < 70; t++)
            Registers.Run(
                width,
                new ByOutput<BFloat16>.MultiplyByOutput(
                    MemoryMarshal.AsBytes(w.AsSpan()),
                    outputs,
                    new Rows(x.AsSpan(t * inputs, inputs), inputs),
                    new Rows(single.AsSpan(t * outputs, outputs), outputs),
                    0
                )
            );

        for (int tokens = 1; tokens <= 70; tokens++)
        {
            var y = new float[tokens * outputs];
            Registers.Run(
                width,
                new ByOutput<BFloat16>.MultiplyByOutput(
                    MemoryMarshal.AsBytes(w.AsSpan()),
                    outputs,
                    new Rows(x.AsSpan(0, tokens * inputs), inputs),
                    new Rows(y, outputs),
                    0
                )
            );
            Sample.AssertSameBits(single.AsSpan(0, tokens * outputs), y, $"{tokens} tokens");
        }
    }

    [Theory]
    [InlineData(1)] // decode
    [InlineData(11)] // tiles and a rest
    public void Splitting_the_outputs_changes_nothing_and_writes_nothing_else(int tokens)
    {
        const int inputs = 96,
            outputs = 150;
        ushort[] w = Sample.BFloat16s(outputs * inputs, seed: 1);
        float[] x = Sample.Floats(tokens * inputs, seed: 3),
            whole = Product(w, x, inputs);

        foreach (int cut in (int[])[1, 2, 3, 63, 64, 65, 149])
        {
            var y = new float[tokens * outputs];
            y.AsSpan().Fill(float.NaN);
            ByOutput<BFloat16>.Multiply(
                MemoryMarshal.AsBytes(w.AsSpan(cut * inputs)),
                new Rows(x, inputs),
                new Rows(y, outputs),
                cut
            );
            for (int t = 0; t < tokens; t++)
            for (int o = 0; o < cut; o++)
                Assert.True(float.IsNaN(y[t * outputs + o]), $"output {o} is not of the range");
            ByOutput<BFloat16>.Multiply(
                MemoryMarshal.AsBytes(w.AsSpan(0, cut * inputs)),
                new Rows(x, inputs),
                new Rows(y, outputs),
                0
            );
            Sample.AssertSameBits(whole, y, $"cut at {cut}");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Weights_at_an_odd_address_give_the_same_bits(int width)
    {
        const int inputs = 43,
            outputs = 6,
            tokens = 5; // safetensors aligns nothing
        ushort[] w = Sample.BFloat16s(outputs * inputs, seed: 1);
        float[] x = Sample.Floats(tokens * inputs, seed: 2),
            y = new float[tokens * outputs];
        Span<byte> moved = new byte[w.Length * 2 + 1].AsSpan(1);
        MemoryMarshal.AsBytes(w.AsSpan()).CopyTo(moved);

        Registers.Run(
            width,
            new ByOutput<BFloat16>.MultiplyByOutput(moved, outputs, new Rows(x, inputs), new Rows(y, outputs), 0)
        );

        Sample.AssertSameBits(Defined(w, x, inputs), y, $"{outputs} × {inputs}, {tokens} tokens");
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 67, MemberType = typeof(Registers))]
    public void Nothing_is_read_past_the_end_of_weights_or_activations(int width, int inputs)
    {
        const int outputs = 5,
            tokens = 5;
        using var w = new GuardedMemory<ushort>(Sample.BFloat16s(outputs * inputs, seed: inputs));
        using var x = new GuardedMemory<float>(Sample.Floats(tokens * inputs, seed: 2));
        using var y = new GuardedMemory<float>(new float[tokens * outputs]);

        Registers.Run(
            width,
            new ByOutput<BFloat16>.MultiplyByOutput(
                MemoryMarshal.AsBytes(w.Span),
                outputs,
                new Rows(x.Span, inputs),
                new Rows(y.Span, outputs),
                0
            )
        );

        Sample.AssertSameBits(Defined(w.Span, x.Span, inputs), y.Span, $"{outputs} × {inputs}, {tokens} tokens");
    }

    [Fact]
    public void A_damaged_weight_and_a_damaged_activation_stay_in_their_own_outputs()
    {
        const int inputs = 50,
            outputs = 8,
            tokens = 8;
        ushort[] w = Sample.BFloat16s(outputs * inputs, seed: 1);
        float[] x = Sample.Floats(tokens * inputs, seed: 3),
            sound = Product(w, x, inputs);
        w[3 * inputs + 17] = 0x7FC0; // NaN
        x[6 * inputs + 49] = float.NaN;

        float[] y = Product(w, x, inputs);

        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
            if (o == 3 || t == 6)
                Assert.True(float.IsNaN(y[t * outputs + o]), $"{outputs} × {inputs}, token {t}, output {o}");
            else
                Sample.AssertSameBits(
                    [sound[t * outputs + o]],
                    [y[t * outputs + o]],
                    $"{outputs} × {inputs}, token {t}, output {o}"
                );
    }

    [Fact]
    public void Widening_gives_the_value_the_bits_stand_for()
    {
        ushort[] bits = [0x0000, 0x8000, 0x3F80, 0xC040, 0x7F80, 0x0001];
        var y = new float[bits.Length];

        ByOutput<BFloat16>.Widen(MemoryMarshal.AsBytes(bits.AsSpan()), y);

        Sample.AssertSameBits([0f, -0f, 1f, -3f, float.PositiveInfinity, MathF.ScaleB(1, -133)], y, "six values");
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 31, x: 16, y: 2, first: 0));
        Multiply(weights: 32, x: 16, y: 2, first: 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 32, x: 32, y: 2, first: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 32, x: 16, y: 2, first: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 16, x: 16, y: 2, first: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ByOutput<BFloat16>.Widen(new byte[4], new float[3]));

        static void Multiply(int weights, int x, int y, int first) =>
            ByOutput<BFloat16>.Multiply(
                new byte[2 * weights],
                new Rows(new float[x], 16),
                new Rows(new float[y], 2),
                first
            );
    }

    private static float[] Product(ushort[] w, float[] x, int inputs)
    {
        int outputs = w.Length / inputs;
        var y = new float[x.Length / inputs * outputs];
        ByOutput<BFloat16>.Multiply(MemoryMarshal.AsBytes(w.AsSpan()), new Rows(x, inputs), new Rows(y, outputs), 0);
        return y;
    }

    private static float[] Defined(ReadOnlySpan<ushort> w, ReadOnlySpan<float> x, int inputs)
    {
        int outputs = w.Length / inputs,
            tokens = x.Length / inputs;
        var y = new float[tokens * outputs];
        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
            y[t * outputs + o] = ByOutput<BFloat16>.DotScalar(
                MemoryMarshal.AsBytes(w.Slice(o * inputs, inputs)),
                x.Slice(t * inputs, inputs)
            );
        return y;
    }

    private static double AsDouble(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}

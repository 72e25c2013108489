using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class BFloat16ByInputTests
{
    [Theory]
    [InlineData(1, 1)] // a tail alone
    [InlineData(47, 33)] // a tail in both directions
    [InlineData(64, 300)] // more than a chunk of outputs
    [InlineData(2880, 17)] // the real length of a sum
    public void A_product_agrees_with_a_float64_sum(int inputs, int outputs)
    {
        const int tokens = 3;
        ushort[] w = Sample.BFloat16s(inputs * outputs, seed: inputs);
        float[] bias = Sample.Floats(outputs, seed: 1);
        float[] x = Sample.Floats(tokens * inputs, seed: 2),
            y = Product(w, bias, x, inputs);

        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
        {
            double expected = bias[o],
                magnitude = Math.Abs(expected);
            for (int k = 0; k < inputs; k++)
            {
                double product =
                    (double)BitConverter.UInt32BitsToSingle((uint)w[k * outputs + o] << 16) * x[t * inputs + k];
                expected += product;
                magnitude += Math.Abs(product);
            }
            // A lane rounds once for each of its elements, the tree four times, the bias once: 2⁻²⁴ of what is there
            // each time.
            double roundings = (inputs + 15) / 16 + 5;
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
        foreach (int outputs in (int[])[1, 2, 15, 16, 17, 33, 257])
        {
            ushort[] w = Sample.BFloat16s(inputs * outputs, seed: inputs);
            float[] bias = Sample.Floats(outputs, seed: 1);
            float[] x = Sample.Floats(2 * inputs, seed: 2),
                y = new float[2 * outputs];

            Registers.Run(
                width,
                new BFloat16ByInput.MultiplyBFloat16ByInput(w, bias, new Rows(x, inputs), new Rows(y, outputs), 0)
            );

            Sample.AssertSameBits(Defined(w, bias, x, inputs), y, $"{outputs} × {inputs}, 2 tokens");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Many_rows_of_x_in_one_call_equal_as_many_calls_of_one(int width)
    {
        const int inputs = 37,
            outputs = 45;
        ushort[] w = Sample.BFloat16s(inputs * outputs, seed: 1);
        float[] bias = Sample.Floats(outputs, seed: 2);
        float[] x = Sample.Floats(70 * inputs, seed: 3),
            single = new float[70 * outputs];
        for (int t = 0; t < 70; t++)
            Registers.Run(
                width,
                new BFloat16ByInput.MultiplyBFloat16ByInput(
                    w,
                    bias,
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
                new BFloat16ByInput.MultiplyBFloat16ByInput(
                    w,
                    bias,
                    new Rows(x.AsSpan(0, tokens * inputs), inputs),
                    new Rows(y, outputs),
                    0
                )
            );
            Sample.AssertSameBits(single.AsSpan(0, tokens * outputs), y, $"{tokens} tokens");
        }
    }

    [Fact]
    public void Splitting_the_outputs_changes_nothing_and_writes_nothing_else()
    {
        const int inputs = 40,
            outputs = 280,
            tokens = 3;
        ushort[] w = Sample.BFloat16s(inputs * outputs, seed: 1);
        float[] bias = Sample.Floats(outputs, seed: 2);
        float[] x = Sample.Floats(tokens * inputs, seed: 3),
            whole = Product(w, bias, x, inputs);

        foreach (int cut in (int[])[1, 15, 16, 17, 255, 256, 279])
        {
            var y = new float[tokens * outputs];
            y.AsSpan().Fill(float.NaN);
            BFloat16ByInput.Multiply(w, bias.AsSpan(cut), new Rows(x, inputs), new Rows(y, outputs), cut);
            for (int t = 0; t < tokens; t++)
            for (int o = 0; o < cut; o++)
                Assert.True(float.IsNaN(y[t * outputs + o]), $"output {o} is not of the range");
            BFloat16ByInput.Multiply(w, bias.AsSpan(0, cut), new Rows(x, inputs), new Rows(y, outputs), 0);
            Sample.AssertSameBits(whole, y, $"cut at {cut}");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Weights_at_an_odd_address_give_the_same_bits(int width)
    {
        const int inputs = 19,
            outputs = 35;
        ushort[] w = Sample.BFloat16s(inputs * outputs, seed: 1);
        float[] bias = Sample.Floats(outputs, seed: 2);
        float[] x = Sample.Floats(inputs, seed: 3),
            y = new float[outputs];
        Span<byte> moved = new byte[w.Length * 2 + 1].AsSpan(1);
        MemoryMarshal.AsBytes(w.AsSpan()).CopyTo(moved);

        Registers.Run(
            width,
            new BFloat16ByInput.MultiplyBFloat16ByInput(
                MemoryMarshal.Cast<byte, ushort>(moved),
                bias,
                new Rows(x, inputs),
                new Rows(y, outputs),
                0
            )
        );

        Sample.AssertSameBits(Defined(w, bias, x, inputs), y, $"{outputs} × {inputs}, one token");
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 67, MemberType = typeof(Registers))]
    public void Nothing_is_read_past_the_end_of_weights_bias_or_activations(int width, int outputs)
    {
        const int inputs = 18;
        using var w = new GuardedMemory<ushort>(Sample.BFloat16s(inputs * outputs, seed: outputs));
        using var bias = new GuardedMemory<float>(Sample.Floats(outputs, seed: 1));
        using var x = new GuardedMemory<float>(Sample.Floats(inputs, seed: 2));
        using var y = new GuardedMemory<float>(new float[outputs]);

        Registers.Run(
            width,
            new BFloat16ByInput.MultiplyBFloat16ByInput(
                w.Span,
                bias.Span,
                new Rows(x.Span, inputs),
                new Rows(y.Span, outputs),
                0
            )
        );

        Sample.AssertSameBits(Defined(w.Span, bias.Span, x.Span, inputs), y.Span, $"{outputs} × {inputs}, one token");
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 31, bias: 2, x: 16, y: 2, first: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 32, bias: 2, x: 32, y: 2, first: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 32, bias: 2, x: 16, y: 2, first: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 32, bias: 1, x: 16, y: 2, first: -1));

        static void Multiply(int weights, int bias, int x, int y, int first) =>
            BFloat16ByInput.Multiply(
                new ushort[weights],
                new float[bias],
                new Rows(new float[x], 16),
                new Rows(new float[y], 2),
                first
            );
    }

    private static float[] Product(ushort[] w, float[] bias, float[] x, int inputs)
    {
        var y = new float[x.Length / inputs * bias.Length];
        BFloat16ByInput.Multiply(w, bias, new Rows(x, inputs), new Rows(y, bias.Length), 0);
        return y;
    }

    // The stored order of the matrix must not show: the expected sums are those of the transposed matrix.
    private static float[] Defined(ReadOnlySpan<ushort> w, ReadOnlySpan<float> bias, ReadOnlySpan<float> x, int inputs)
    {
        int outputs = bias.Length,
            tokens = x.Length / inputs;
        var y = new float[tokens * outputs];
        for (int o = 0; o < outputs; o++)
        {
            var weights = new ushort[inputs];
            for (int k = 0; k < inputs; k++)
                weights[k] = w[k * outputs + o];
            for (int t = 0; t < tokens; t++)
            {
                ReadOnlySpan<float> token = x.Slice(t * inputs, inputs);
                float sum = BFloat16.DotScalar(weights, token);
                Sample.AssertSameBits([sum], [BFloat16ByInput.DotScalar(w, outputs, o, token)], "the two definitions");
                y[t * outputs + o] = sum + bias[o];
            }
        }
        return y;
    }
}

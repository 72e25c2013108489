using System.Runtime.InteropServices;
using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Tests.Kernels.MatMul;

public class ByInputTests
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
        float[] x = Sample.Floats(tokens * inputs, seed: 2),
            y = Product(w, x, inputs, outputs);

        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
        {
            double expected = 0,
                magnitude = 0;
            for (int k = 0; k < inputs; k++)
            {
                double product =
                    (double)BitConverter.UInt32BitsToSingle((uint)w[k * outputs + o] << 16) * x[t * inputs + k];
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
        foreach (int outputs in (int[])[1, 2, 15, 16, 17, 33, 257])
        {
            ushort[] w = Sample.BFloat16s(inputs * outputs, seed: inputs);
            float[] x = Sample.Floats(2 * inputs, seed: 2),
                y = new float[2 * outputs];

            Registers.Run(
                width,
                new ByInput<BFloat16>.MultiplyByInput(
                    MemoryMarshal.AsBytes(w.AsSpan()),
                    0,
                    outputs,
                    new Rows(x, inputs),
                    new Rows(y, outputs)
                )
            );

            Sample.AssertSameBits(Defined(w, x, inputs, outputs), y, $"{outputs} × {inputs}, 2 tokens");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Many_rows_of_x_in_one_call_equal_as_many_calls_of_one(int width)
    {
        const int inputs = 37,
            outputs = 45;
        ushort[] w = Sample.BFloat16s(inputs * outputs, seed: 1);
        float[] x = Sample.Floats(70 * inputs, seed: 3),
            single = new float[70 * outputs];
        for (int t = 0; t < 70; t++)
            Registers.Run(
                width,
                new ByInput<BFloat16>.MultiplyByInput(
                    MemoryMarshal.AsBytes(w.AsSpan()),
                    0,
                    outputs,
                    new Rows(x.AsSpan(t * inputs, inputs), inputs),
                    new Rows(single.AsSpan(t * outputs, outputs), outputs)
                )
            );

        for (int tokens = 1; tokens <= 70; tokens++)
        {
            var y = new float[tokens * outputs];
            Registers.Run(
                width,
                new ByInput<BFloat16>.MultiplyByInput(
                    MemoryMarshal.AsBytes(w.AsSpan()),
                    0,
                    outputs,
                    new Rows(x.AsSpan(0, tokens * inputs), inputs),
                    new Rows(y, outputs)
                )
            );
            Sample.AssertSameBits(single.AsSpan(0, tokens * outputs), y, $"{tokens} tokens");
        }
    }

    [Theory]
    [InlineData(3)] // lanes of each token
    [InlineData(6)] // strips
    public void Splitting_the_outputs_changes_nothing_and_writes_nothing_else(int tokens)
    {
        const int inputs = 40,
            outputs = 280;
        ushort[] w = Sample.BFloat16s(inputs * outputs, seed: 1);
        float[] x = Sample.Floats(tokens * inputs, seed: 3),
            whole = Product(w, x, inputs, outputs);

        foreach (int cut in (int[])[1, 15, 16, 17, 255, 256, 279])
        {
            var y = new float[tokens * outputs];
            y.AsSpan().Fill(float.NaN);
            Multiply(w, cut, outputs - cut, new Rows(x, inputs), new Rows(y, outputs));
            for (int t = 0; t < tokens; t++)
            for (int o = 0; o < cut; o++)
                Assert.True(float.IsNaN(y[t * outputs + o]), $"output {o} is not of the range");
            Multiply(w, 0, cut, new Rows(x, inputs), new Rows(y, outputs));
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
        float[] x = Sample.Floats(inputs, seed: 3),
            y = new float[outputs];
        Span<byte> moved = new byte[w.Length * 2 + 1].AsSpan(1);
        MemoryMarshal.AsBytes(w.AsSpan()).CopyTo(moved);

        Registers.Run(
            width,
            new ByInput<BFloat16>.MultiplyByInput(moved, 0, outputs, new Rows(x, inputs), new Rows(y, outputs))
        );

        Sample.AssertSameBits(Defined(w, x, inputs, outputs), y, $"{outputs} × {inputs}, one token");
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 67, MemberType = typeof(Registers))]
    public void Nothing_is_read_past_the_end_of_weights_or_activations(int width, int outputs)
    {
        const int inputs = 18;
        using var w = new GuardedMemory<ushort>(Sample.BFloat16s(inputs * outputs, seed: outputs));
        using var x = new GuardedMemory<float>(Sample.Floats(inputs, seed: 2));
        using var y = new GuardedMemory<float>(new float[outputs]);

        Registers.Run(
            width,
            new ByInput<BFloat16>.MultiplyByInput(
                MemoryMarshal.AsBytes(w.Span),
                0,
                outputs,
                new Rows(x.Span, inputs),
                new Rows(y.Span, outputs)
            )
        );

        Sample.AssertSameBits(Defined(w.Span, x.Span, inputs, outputs), y.Span, $"{outputs} × {inputs}, one token");
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 35, MemberType = typeof(Registers))]
    public void Strips_give_the_bits_of_the_definition(int width, int inputs)
    {
        foreach (int outputs in (int[])[1, 15, 16, 33, 70])
        {
            const int tokens = 5;
            using var w = new GuardedMemory<ushort>(Sample.BFloat16s(inputs * outputs, seed: inputs));
            float[] x = Sample.Floats(tokens * inputs, seed: 2),
                y = new float[tokens * outputs],
                scratch = new float[ByInput<BFloat16>.ScratchFloats(inputs, tokens)];

            Registers.Run(
                width,
                new ByInput<BFloat16>.MultiplyStripsByInput(
                    MemoryMarshal.AsBytes(w.Span),
                    0,
                    outputs,
                    new Rows(x, inputs),
                    new Rows(y, outputs),
                    scratch
                )
            );

            Sample.AssertSameBits(Defined(w.Span, x, inputs, outputs), y, $"{outputs} × {inputs}, {tokens} tokens");
        }
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Multiply(weights: 32, first: 0, count: 2);
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 31, first: 0, count: 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 32, first: 1, count: 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 32, first: -1, count: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 32, first: 0, count: 2, scratch: 511));

        static void Multiply(int weights, int first, int count, int scratch = 512) =>
            ByInput<BFloat16>.Multiply(
                new byte[2 * weights],
                first,
                count,
                new Rows(new float[4 * 16], 16),
                new Rows(new float[4 * 2], 2),
                new float[scratch]
            );
    }

    private static void Multiply(ushort[] w, int first, int count, Rows x, Rows y) =>
        ByInput<BFloat16>.Multiply(
            MemoryMarshal.AsBytes(w.AsSpan()),
            first,
            count,
            x,
            y,
            new float[ByInput<BFloat16>.ScratchFloats(x.Width, x.Count)]
        );

    private static float[] Product(ushort[] w, float[] x, int inputs, int outputs)
    {
        var y = new float[x.Length / inputs * outputs];
        Multiply(w, 0, outputs, new Rows(x, inputs), new Rows(y, outputs));
        return y;
    }

    // The stored order of the matrix must not show: the expected sums are those of the transposed matrix.
    private static float[] Defined(ReadOnlySpan<ushort> w, ReadOnlySpan<float> x, int inputs, int outputs)
    {
        int tokens = x.Length / inputs;
        var y = new float[tokens * outputs];
        for (int o = 0; o < outputs; o++)
        {
            var weights = new ushort[inputs];
            for (int k = 0; k < inputs; k++)
                weights[k] = w[k * outputs + o];
            for (int t = 0; t < tokens; t++)
                y[t * outputs + o] = ByOutput<BFloat16>.DotScalar(
                    MemoryMarshal.AsBytes(weights.AsSpan()),
                    x.Slice(t * inputs, inputs)
                );
        }
        return y;
    }
}

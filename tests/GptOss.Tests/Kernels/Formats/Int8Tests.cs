using System.Runtime.InteropServices;
using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Tests.Kernels.Formats;

public class Int8Tests
{
    [Theory]
    [InlineData(32)]
    [InlineData(40)] // an incomplete block
    [InlineData(2880)] // gpt-oss's hidden size
    public void A_product_agrees_with_a_float64_sum_within_both_grids(int inputs)
    {
        const int outputs = 3,
            tokens = 7;
        ushort[] w = Sample.BFloat16s(outputs * inputs, seed: inputs);
        float[] x = Sample.Floats(tokens * inputs, seed: 1),
            y = Run("1", w, inputs, x);

        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
        {
            double expected = 0,
                magnitude = 0,
                steps = 0;
            for (int from = 0; from < inputs; from += 32)
            {
                int count = Math.Min(32, inputs - from);
                double wMaximum = 0,
                    xMaximum = 0;
                for (int k = from; k < from + count; k++)
                {
                    wMaximum = Math.Max(wMaximum, Math.Abs(BFloat16.ToSingle(w[o * inputs + k])));
                    xMaximum = Math.Max(xMaximum, Math.Abs(x[t * inputs + k]));
                }
                // The weight's step is up to 1/128 larger, because its scale is rounded up to bfloat16.
                double wHalf = wMaximum / 127 / 2 * (1 + 1.0 / 128),
                    xHalf = xMaximum / 127 / 2;
                for (int k = from; k < from + count; k++)
                {
                    double a = BFloat16.ToSingle(w[o * inputs + k]),
                        b = x[t * inputs + k];
                    expected += a * b;
                    magnitude += Math.Abs(a * b);
                    steps += Math.Abs(a) * xHalf + Math.Abs(b) * wHalf + wHalf * xHalf;
                }
            }
            Sample.AssertClose(
                expected,
                y[t * outputs + o],
                1.001 * steps + (inputs / 512 + 8) * Math.ScaleB(1, -24) * magnitude,
                $"{outputs} × {inputs}, token {t}, output {o}"
            );
        }
    }

    [Theory]
    [MemberData(
        nameof(Registers.WideKindsWith),
        new[] { 1, 31, 32, 33, 64, 512, 544, 1000, 2880 },
        MemberType = typeof(Registers)
    )]
    public void Every_kind_of_registers_gives_the_bits_of_the_definition(string kind, int inputs)
    {
        foreach (int outputs in (int[])[1, 31, 32, 70])
        {
            int tokens = 1 + (outputs + inputs) % 9;
            ushort[] w = Sample.BFloat16s(outputs * inputs, seed: inputs);
            float[] x = Sample.Floats(tokens * inputs, seed: outputs);
            Sample.AssertSameBits(
                Defined(w, inputs, x),
                Run(kind, w, inputs, x),
                $"{outputs} × {inputs}, {tokens} tokens"
            );
        }
    }

    [Theory]
    [MemberData(nameof(Registers.WideKinds), MemberType = typeof(Registers))]
    public void The_largest_weights_and_activations_do_not_overflow(string kind)
    {
        const int inputs = 512;
        float[] x = new float[6 * inputs];
        x.AsSpan().Fill(1);
        ushort[] w = new ushort[32 * inputs];
        w.AsSpan(0, 16 * inputs).Fill(0xBF80); // −1
        w.AsSpan(16 * inputs).Fill(0x3F80); // 1

        float[] y = Run(kind, w, inputs, x);

        Sample.AssertSameBits(Defined(w, inputs, x), y, $"32 × {inputs}, 6 tokens");
        for (int i = 0; i < y.Length; i++)
            Sample.AssertClose(i % 32 < 16 ? -inputs : inputs, y[i], inputs / 100.0, $"32 × {inputs}, value {i}");
    }

    [Fact]
    public void Many_tokens_in_one_call_equal_as_many_calls_of_one()
    {
        const int outputs = 40,
            inputs = 600;
        ushort[] w = Sample.BFloat16s(outputs * inputs, seed: 1);
        float[] x = Sample.Floats(40 * inputs, seed: 2),
            single = new float[40 * outputs];
        for (int t = 0; t < 40; t++)
            Product(w, inputs, x.AsSpan(t * inputs, inputs)).CopyTo(single, t * outputs);

        for (int tokens = 1; tokens <= 40; tokens++)
            Sample.AssertSameBits(
                single.AsSpan(0, tokens * outputs),
                Product(w, inputs, x.AsSpan(0, tokens * inputs)),
                $"{tokens} tokens"
            );
    }

    [Fact]
    public void A_weight_that_is_not_finite_makes_its_row_not_finite_and_no_other()
    {
        const int inputs = 64;
        foreach (ushort bad in (ushort[])[0x7FC0, 0x7F80, 0xFF80])
        {
            ushort[] w = Sample.BFloat16s(40 * inputs, seed: 1);
            w[3 * inputs + 5] = bad;
            float[] y = Product(w, inputs, Sample.Floats(7 * inputs, seed: 2));
            for (int i = 0; i < y.Length; i++)
                Assert.True(
                    i % 40 != 3 == float.IsFinite(y[i]),
                    $"40 × {inputs}, 7 tokens, weight {bad:X4} [{i}]: {y[i]}"
                );
        }
    }

    [Fact]
    public void A_row_of_zeros_gives_zero()
    {
        float[] y = Product(new ushort[2 * 64], 64, Sample.Floats(64, seed: 1));
        Sample.AssertSameBits([0, 0], y, "2 × 64, one token");
    }

    private static float[] Defined(ushort[] w, int inputs, float[] x)
    {
        int outputs = w.Length / inputs,
            tokens = x.Length / inputs;
        var y = new float[tokens * outputs];
        for (int t = 0; t < tokens; t++)
        for (int o = 0; o < outputs; o++)
            y[t * outputs + o] = Int8.DotScalar(w.AsSpan(o * inputs, inputs), x.AsSpan(t * inputs, inputs));
        return y;
    }

    private static float[] Product(ushort[] w, int inputs, ReadOnlySpan<float> x)
    {
        int outputs = w.Length / inputs,
            tokens = x.Length / inputs,
            width = Int8Row.Width(inputs);
        var panels = new byte[Int8.Bytes(outputs, inputs)];
        int bytes = (int)Int8.PanelBytes(inputs);
        for (int p = 0; p * 32 < outputs; p++)
            Int8.Pack<BFloat16>(
                MemoryMarshal.AsBytes(w.AsSpan(p * 32 * inputs, Math.Min(32, outputs - p * 32) * inputs)),
                inputs,
                panels.AsSpan(p * bytes, bytes)
            );
        var quantized = new float[tokens * width];
        for (int t = 0; t < tokens; t++)
            Int8.Permute(x.Slice(t * inputs, inputs), quantized.AsSpan(t * width, width), tokens);
        var y = new float[tokens * outputs];
        Int8.Multiply(panels, inputs, new Rows(quantized, width), new Rows(y, outputs), 0);
        return y;
    }

    private static float[] Run(string kind, ushort[] w, int inputs, ReadOnlySpan<float> x)
    {
        int outputs = w.Length / inputs,
            tokens = x.Length / inputs,
            width = Int8Row.Width(inputs);
        var panels = new byte[Int8.Bytes(outputs, inputs)];
        int bytes = (int)Int8.PanelBytes(inputs);
        for (int p = 0; p * 32 < outputs; p++)
            Registers.Run(
                kind,
                new Int8.PackInt8Panel<BFloat16>(
                    MemoryMarshal.AsBytes(w.AsSpan(p * 32 * inputs, Math.Min(32, outputs - p * 32) * inputs)),
                    inputs,
                    panels.AsSpan(p * bytes, bytes)
                )
            );
        var quantized = new float[tokens * width];
        for (int t = 0; t < tokens; t++)
            Registers.Run(
                kind,
                new Int8.QuantizeForInt8Panels(x.Slice(t * inputs, inputs), quantized.AsSpan(t * width, width))
            );
        var y = new float[tokens * outputs];
        Registers.Run(
            kind,
            new Int8.MultiplyInt8Panels(panels, inputs, new Rows(quantized, width), new Rows(y, outputs), 0)
        );
        return y;
    }
}

using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class Int8Tests
{
    [Theory]
    [InlineData(32)]
    [InlineData(40)] // an incomplete block
    [InlineData(2880)] // the real row
    public void A_product_agrees_with_a_float64_sum_within_both_grids(int columns)
    {
        const int rows = 3,
            tokens = 7;
        ushort[] w = Sample.BFloat16s(rows * columns, seed: columns);
        float[] bias = Sample.Floats(rows, seed: 2);
        float[] x = Sample.Floats(tokens * columns, seed: 1),
            y = Run("1", w, columns, bias, x);

        for (int t = 0; t < tokens; t++)
        for (int r = 0; r < rows; r++)
        {
            double expected = bias[r],
                magnitude = Math.Abs(expected),
                steps = 0;
            for (int from = 0; from < columns; from += 32)
            {
                int count = Math.Min(32, columns - from);
                double wMaximum = 0,
                    xMaximum = 0;
                for (int k = from; k < from + count; k++)
                {
                    wMaximum = Math.Max(wMaximum, Math.Abs(BFloat16.ToSingle(w[r * columns + k])));
                    xMaximum = Math.Max(xMaximum, Math.Abs(x[t * columns + k]));
                }
                // The weight's step is up to 1/128 larger, because its scale is rounded up to bfloat16.
                double wHalf = wMaximum / 127 / 2 * (1 + 1.0 / 128),
                    xHalf = xMaximum / 127 / 2;
                for (int k = from; k < from + count; k++)
                {
                    double a = BFloat16.ToSingle(w[r * columns + k]),
                        b = x[t * columns + k];
                    expected += a * b;
                    magnitude += Math.Abs(a * b);
                    steps += Math.Abs(a) * xHalf + Math.Abs(b) * wHalf + wHalf * xHalf;
                }
            }
            Sample.AssertClose(
                expected,
                y[t * rows + r],
                1.001 * steps + (columns / 512 + 8) * Math.ScaleB(1, -24) * magnitude,
                $"{rows} × {columns}, token {t}, output {r}"
            );
        }
    }

    [Theory]
    [MemberData(
        nameof(Registers.WideKindsWith),
        new[] { 1, 31, 32, 33, 64, 512, 544, 1000, 2880 },
        MemberType = typeof(Registers)
    )]
    public void Every_kind_of_registers_gives_the_bits_of_the_definition(string kind, int columns)
    {
        foreach (int rows in (int[])[1, 31, 32, 70])
        {
            int tokens = 1 + (rows + columns) % 9;
            ushort[] w = Sample.BFloat16s(rows * columns, seed: columns);
            float[] bias = Sample.Floats(rows, seed: 3);
            float[] x = Sample.Floats(tokens * columns, seed: rows);
            Sample.AssertSameBits(
                Defined(w, columns, bias, x),
                Run(kind, w, columns, bias, x),
                $"{rows} × {columns}, {tokens} tokens"
            );
        }
    }

    [Theory]
    [MemberData(nameof(Registers.WideKinds), MemberType = typeof(Registers))]
    public void The_largest_weights_and_activations_do_not_overflow(string kind)
    {
        const int columns = 512;
        float[] x = new float[6 * columns];
        x.AsSpan().Fill(1);
        ushort[] w = new ushort[32 * columns];
        w.AsSpan(0, 16 * columns).Fill(0xBF80); // −1
        w.AsSpan(16 * columns).Fill(0x3F80); // 1

        float[] y = Run(kind, w, columns, [], x);

        Sample.AssertSameBits(Defined(w, columns, [], x), y, $"32 × {columns}, 6 tokens");
        for (int i = 0; i < y.Length; i++)
            Sample.AssertClose(i % 32 < 16 ? -columns : columns, y[i], columns / 100.0, $"32 × {columns}, value {i}");
    }

    [Fact]
    public void Many_tokens_in_one_call_equal_as_many_calls_of_one()
    {
        const int rows = 40,
            columns = 600;
        ushort[] w = Sample.BFloat16s(rows * columns, seed: 1);
        float[] x = Sample.Floats(40 * columns, seed: 2),
            single = new float[40 * rows];
        for (int t = 0; t < 40; t++)
            Product(w, columns, x.AsSpan(t * columns, columns)).CopyTo(single, t * rows);

        for (int tokens = 1; tokens <= 40; tokens++)
            Sample.AssertSameBits(
                single.AsSpan(0, tokens * rows),
                Product(w, columns, x.AsSpan(0, tokens * columns)),
                $"{tokens} tokens"
            );
    }

    [Fact]
    public void A_weight_that_is_not_finite_makes_its_row_not_finite_and_no_other()
    {
        const int columns = 64;
        foreach (ushort bad in (ushort[])[0x7FC0, 0x7F80, 0xFF80])
        {
            ushort[] w = Sample.BFloat16s(40 * columns, seed: 1);
            w[3 * columns + 5] = bad;
            float[] y = Product(w, columns, Sample.Floats(7 * columns, seed: 2));
            for (int i = 0; i < y.Length; i++)
                Assert.True(
                    i % 40 != 3 == float.IsFinite(y[i]),
                    $"40 × {columns}, 7 tokens, weight {bad:X4} [{i}]: {y[i]}"
                );
        }
    }

    [Fact]
    public void A_row_of_zeros_gives_zero()
    {
        float[] y = Product(new ushort[2 * 64], 64, Sample.Floats(64, seed: 1));
        Sample.AssertSameBits([0, 0], y, "2 × 64, one token");
    }

    private static float[] Defined(ushort[] w, int columns, float[] bias, float[] x)
    {
        int rows = w.Length / columns,
            tokens = x.Length / columns;
        var y = new float[tokens * rows];
        for (int t = 0; t < tokens; t++)
        for (int r = 0; r < rows; r++)
        {
            float sum = Int8.DotScalar(w.AsSpan(r * columns, columns), x.AsSpan(t * columns, columns));
            y[t * rows + r] = bias.Length == 0 ? sum : sum + bias[r];
        }
        return y;
    }

    private static float[] Product(ushort[] w, int columns, ReadOnlySpan<float> x)
    {
        int rows = w.Length / columns,
            tokens = x.Length / columns,
            width = Int8Row.Width(columns);
        var panels = new byte[Int8.Bytes(rows, columns)];
        int bytes = (int)Int8.PanelBytes(columns);
        for (int p = 0; p * 32 < rows; p++)
            Int8.Pack(
                w.AsSpan(p * 32 * columns, Math.Min(32, rows - p * 32) * columns),
                columns,
                panels.AsSpan(p * bytes, bytes)
            );
        var quantized = new float[tokens * width];
        for (int t = 0; t < tokens; t++)
            Int8.Quantize(x.Slice(t * columns, columns), quantized.AsSpan(t * width, width));
        var y = new float[tokens * rows];
        Int8.Multiply(
            panels,
            columns,
            [],
            new Rows(quantized, width),
            new Rows(y, rows),
            0,
            new Rows(new float[tokens * 32], 32)
        );
        return y;
    }

    private static float[] Run(string kind, ushort[] w, int columns, float[] bias, ReadOnlySpan<float> x)
    {
        int rows = w.Length / columns,
            tokens = x.Length / columns,
            width = Int8Row.Width(columns);
        var panels = new byte[Int8.Bytes(rows, columns)];
        int bytes = (int)Int8.PanelBytes(columns);
        for (int p = 0; p * 32 < rows; p++)
            Registers.Run(
                kind,
                new Int8.PackInt8Panel(
                    w.AsSpan(p * 32 * columns, Math.Min(32, rows - p * 32) * columns),
                    columns,
                    panels.AsSpan(p * bytes, bytes)
                )
            );
        var quantized = new float[tokens * width];
        for (int t = 0; t < tokens; t++)
            Registers.Run(
                kind,
                new Int8.QuantizeForInt8Panels(x.Slice(t * columns, columns), quantized.AsSpan(t * width, width))
            );
        var y = new float[tokens * rows];
        Registers.Run(
            kind,
            new Int8.MultiplyInt8Panels(
                panels,
                columns,
                bias,
                new Rows(quantized, width),
                new Rows(y, rows),
                0,
                new Rows(new float[tokens * 32], 32)
            )
        );
        return y;
    }
}

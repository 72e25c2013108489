using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class BFloat16Tests
{
    [Theory]
    [InlineData(1)] // a tail alone
    [InlineData(16)] // one register, no tail
    [InlineData(47)] // a pair, a register, a tail
    [InlineData(2880)] // the real row
    public void A_product_agrees_with_a_float64_sum(int columns)
    {
        const int rows = 9,
            tokens = 5;
        ushort[] w = Sample.BFloat16s(rows * columns, seed: columns);
        float[] bias = Sample.Floats(rows, seed: 1);
        float[] x = Sample.Floats(tokens * columns, seed: 2),
            y = Product(w, bias, x, columns);

        for (int t = 0; t < tokens; t++)
        for (int r = 0; r < rows; r++)
        {
            double expected = bias[r],
                magnitude = Math.Abs(expected);
            for (int k = 0; k < columns; k++)
            {
                double product = AsDouble(w[r * columns + k]) * x[t * columns + k];
                expected += product;
                magnitude += Math.Abs(product);
            }
            // A lane rounds once for each of its elements, the tree four times, the bias once: 2⁻²⁴ of what is there
            // each time.
            double roundings = (columns + 15) / 16 + 5;
            Sample.AssertClose(
                expected,
                y[t * rows + r],
                roundings * Math.ScaleB(1, -24) * magnitude,
                $"{rows} × {columns}, token {t}, output {r}"
            );
        }
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 67, MemberType = typeof(Registers))]
    public void Every_width_gives_the_bits_of_the_definition(int width, int columns)
    {
        for (int rows = 1; rows <= 13; rows++)
        {
            int tokens = 1 + (rows + columns) % 9; // each count of tokens meets each count of rows
            ushort[] w = Sample.BFloat16s(rows * columns, seed: columns);
            float[] bias = Sample.Floats(rows, seed: rows);
            float[] x = Sample.Floats(tokens * columns, seed: rows),
                y = new float[tokens * rows];

            Registers.Run(width, new BFloat16.MultiplyBFloat16(w, bias, new Rows(x, columns), new Rows(y, rows), 0));

            Sample.AssertSameBits(Defined(w, bias, x, columns), y, $"{rows} × {columns}, {tokens} tokens");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Many_rows_of_x_in_one_call_equal_as_many_calls_of_one(int width)
    {
        const int columns = 53,
            rows = 70; // more outputs than stay in the cache, and a tail
        ushort[] w = Sample.BFloat16s(rows * columns, seed: 1);
        float[] bias = Sample.Floats(rows, seed: 2);
        float[] x = Sample.Floats(70 * columns, seed: 3),
            single = new float[70 * rows];
        for (int t = 0; t < 70; t++)
            Registers.Run(
                width,
                new BFloat16.MultiplyBFloat16(
                    w,
                    bias,
                    new Rows(x.AsSpan(t * columns, columns), columns),
                    new Rows(single.AsSpan(t * rows, rows), rows),
                    0
                )
            );

        for (int tokens = 1; tokens <= 70; tokens++)
        {
            var y = new float[tokens * rows];
            Registers.Run(
                width,
                new BFloat16.MultiplyBFloat16(
                    w,
                    bias,
                    new Rows(x.AsSpan(0, tokens * columns), columns),
                    new Rows(y, rows),
                    0
                )
            );
            Sample.AssertSameBits(single.AsSpan(0, tokens * rows), y, $"{tokens} tokens");
        }
    }

    [Theory]
    [InlineData(1)] // decode
    [InlineData(11)] // tiles and a rest
    public void Splitting_the_rows_changes_nothing_and_writes_nothing_else(int tokens)
    {
        const int columns = 96,
            rows = 150;
        ushort[] w = Sample.BFloat16s(rows * columns, seed: 1);
        float[] bias = Sample.Floats(rows, seed: 2);
        float[] x = Sample.Floats(tokens * columns, seed: 3),
            whole = Product(w, bias, x, columns);

        foreach (int cut in (int[])[1, 2, 3, 63, 64, 65, 149])
        {
            var y = new float[tokens * rows];
            y.AsSpan().Fill(float.NaN);
            BFloat16.Multiply(w.AsSpan(cut * columns), bias.AsSpan(cut), new Rows(x, columns), new Rows(y, rows), cut);
            for (int t = 0; t < tokens; t++)
            for (int r = 0; r < cut; r++)
                Assert.True(float.IsNaN(y[t * rows + r]), $"output {r} is not of the range");
            BFloat16.Multiply(
                w.AsSpan(0, cut * columns),
                bias.AsSpan(0, cut),
                new Rows(x, columns),
                new Rows(y, rows),
                0
            );
            Sample.AssertSameBits(whole, y, $"cut at {cut}");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Weights_at_an_odd_address_give_the_same_bits(int width)
    {
        const int columns = 43,
            rows = 6,
            tokens = 5; // safetensors aligns nothing
        ushort[] w = Sample.BFloat16s(rows * columns, seed: 1);
        float[] x = Sample.Floats(tokens * columns, seed: 2),
            y = new float[tokens * rows];
        Span<byte> moved = new byte[w.Length * 2 + 1].AsSpan(1);
        MemoryMarshal.AsBytes(w.AsSpan()).CopyTo(moved);

        Registers.Run(
            width,
            new BFloat16.MultiplyBFloat16(
                MemoryMarshal.Cast<byte, ushort>(moved),
                [],
                new Rows(x, columns),
                new Rows(y, rows),
                0
            )
        );

        Sample.AssertSameBits(Defined(w, new float[rows], x, columns), y, $"{rows} × {columns}, {tokens} tokens");
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 67, MemberType = typeof(Registers))]
    public void Nothing_is_read_past_the_end_of_weights_bias_or_activations(int width, int columns)
    {
        const int rows = 5,
            tokens = 5;
        using var w = new GuardedMemory<ushort>(Sample.BFloat16s(rows * columns, seed: columns));
        using var bias = new GuardedMemory<float>(Sample.Floats(rows, seed: 1));
        using var x = new GuardedMemory<float>(Sample.Floats(tokens * columns, seed: 2));
        using var y = new GuardedMemory<float>(new float[tokens * rows]);

        Registers.Run(
            width,
            new BFloat16.MultiplyBFloat16(w.Span, bias.Span, new Rows(x.Span, columns), new Rows(y.Span, rows), 0)
        );

        Sample.AssertSameBits(
            Defined(w.Span, bias.Span, x.Span, columns),
            y.Span,
            $"{rows} × {columns}, {tokens} tokens"
        );
    }

    [Fact]
    public void A_damaged_weight_and_a_damaged_activation_stay_in_their_own_outputs()
    {
        const int columns = 50,
            rows = 8,
            tokens = 8;
        ushort[] w = Sample.BFloat16s(rows * columns, seed: 1);
        float[] bias = Sample.Floats(rows, seed: 2);
        float[] x = Sample.Floats(tokens * columns, seed: 3),
            sound = Product(w, bias, x, columns);
        w[3 * columns + 17] = 0x7FC0; // NaN
        x[6 * columns + 49] = float.NaN;

        float[] y = Product(w, bias, x, columns);

        for (int t = 0; t < tokens; t++)
        for (int r = 0; r < rows; r++)
            if (r == 3 || t == 6)
                Assert.True(float.IsNaN(y[t * rows + r]), $"{rows} × {columns}, token {t}, output {r}");
            else
                Sample.AssertSameBits(
                    [sound[t * rows + r]],
                    [y[t * rows + r]],
                    $"{rows} × {columns}, token {t}, output {r}"
                );
    }

    [Fact]
    public void Without_a_bias_nothing_is_added()
    {
        ushort[] w = Sample.BFloat16s(3 * 20, seed: 1);
        float[] x = Sample.Floats(20, seed: 2),
            y = Product(w, [], x, 20);

        for (int r = 0; r < 3; r++)
            Assert.Equal(BFloat16.DotScalar(w.AsSpan(r * 20, 20), x), y[r]);
    }

    [Fact]
    public void Widening_gives_the_value_the_bits_stand_for()
    {
        ushort[] bits = [0x0000, 0x8000, 0x3F80, 0xC040, 0x7F80, 0x0001];
        var y = new float[bits.Length];

        BFloat16.Widen(bits, y);

        Sample.AssertSameBits([0f, -0f, 1f, -3f, float.PositiveInfinity, MathF.ScaleB(1, -133)], y, "six values");
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 31, bias: 2, x: 16, y: 2, first: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 32, bias: 1, x: 16, y: 2, first: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 32, bias: 2, x: 32, y: 2, first: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 32, bias: 2, x: 16, y: 2, first: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(weights: 16, bias: 1, x: 16, y: 2, first: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => BFloat16.Widen(new ushort[2], new float[3]));

        static void Multiply(int weights, int bias, int x, int y, int first) =>
            BFloat16.Multiply(
                new ushort[weights],
                new float[bias],
                new Rows(new float[x], 16),
                new Rows(new float[y], 2),
                first
            );
    }

    private static float[] Product(ushort[] w, float[] bias, float[] x, int columns)
    {
        int rows = w.Length / columns;
        var y = new float[x.Length / columns * rows];
        BFloat16.Multiply(w, bias, new Rows(x, columns), new Rows(y, rows), 0);
        return y;
    }

    private static float[] Defined(ReadOnlySpan<ushort> w, ReadOnlySpan<float> bias, ReadOnlySpan<float> x, int columns)
    {
        int rows = w.Length / columns,
            tokens = x.Length / columns;
        var y = new float[tokens * rows];
        for (int t = 0; t < tokens; t++)
        for (int r = 0; r < rows; r++)
            y[t * rows + r] =
                BFloat16.DotScalar(w.Slice(r * columns, columns), x.Slice(t * columns, columns)) + bias[r];
        return y;
    }

    private static double AsDouble(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}

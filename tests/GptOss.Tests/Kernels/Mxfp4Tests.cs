using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

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
    [InlineData(90)] // the real row: 2880 / 32
    public void A_product_agrees_with_a_float64_sum(int columnBlocks)
    {
        const int rows = 5,
            tokens = 10;
        Matrix w = Matrix.Random(rows, columnBlocks, seed: columnBlocks);
        float[] x = Sample.Floats(tokens * w.Columns, seed: 1),
            y = Product(w, x);

        for (int t = 0; t < tokens; t++)
        for (int r = 0; r < rows; r++)
        {
            double expected = w.Bias[r],
                magnitude = Math.Abs(expected);
            for (int k = 0; k < w.Columns; k++)
            {
                double product = w.Value(r, k) * x[t * w.Columns + k];
                expected += product;
                magnitude += Math.Abs(product);
            }
            // Eight roundings within a dword, one for each step, four in the tree, one for the bias: 2⁻²⁴ of what is
            // there.
            double roundings = 8 + (columnBlocks + 3) / 4 + 5;
            Sample.AssertClose(
                expected,
                y[t * rows + r],
                roundings * Math.ScaleB(1, -24) * magnitude,
                $"{rows} × {columnBlocks} blocks, token {t}, output {r}"
            );
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(90)]
    public void The_same_values_in_bfloat16_give_the_same_within_rounding(int columnBlocks)
    {
        const int rows = 7,
            tokens = 11;
        Matrix w = Matrix.Random(rows, columnBlocks, seed: 3);
        float[] x = Sample.Floats(tokens * w.Columns, seed: 4),
            y = Product(w, x),
            z = new float[tokens * rows];
        var wide = new ushort[rows * w.Columns];
        for (int i = 0; i < wide.Length; i++)
            wide[i] = (ushort)(BitConverter.SingleToUInt32Bits((float)w.Value(i / w.Columns, i % w.Columns)) >> 16);

        BFloat16.Multiply(wide, w.Bias, new Rows(x, w.Columns), new Rows(z, rows), 0);

        for (int t = 0; t < tokens; t++)
        for (int r = 0; r < rows; r++)
        {
            double magnitude = 1;
            for (int k = 0; k < w.Columns; k++)
                magnitude += Math.Abs(w.Value(r, k) * x[t * w.Columns + k]);
            // The values are equal, the orders are not: at most the roundings of both.
            double roundings = w.Columns / 16 + 5 + 8 + columnBlocks / 4 + 6;
            Sample.AssertClose(
                z[t * rows + r],
                y[t * rows + r],
                roundings * Math.ScaleB(1, -24) * magnitude,
                $"{rows} × {columnBlocks} blocks, token {t}, output {r}"
            );
        }
    }

    [Theory]
    [MemberData(
        nameof(Registers.WidthsWith),
        new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 33, 90 },
        MemberType = typeof(Registers)
    )]
    public void Every_width_gives_the_bits_of_the_definition(int width, int columnBlocks)
    {
        for (int rows = 1; rows <= 13; rows++)
            // One after the other, and from nine on in strips: whole tiles, and all that may be left of one.
            foreach (int tokens in (int[])[1, 2 + rows % 7, 9 + (rows + columnBlocks) % 4])
            {
                Matrix w = Matrix.Random(rows, columnBlocks, seed: columnBlocks);
                float[] x = Sample.Floats(tokens * w.Columns, seed: rows);
                Sample.AssertSameBits(
                    w.Defined(x),
                    Run(width, w, x),
                    $"{rows} × {columnBlocks} blocks, {tokens} tokens"
                );
            }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Many_rows_of_x_in_one_call_equal_as_many_calls_of_one(int width)
    {
        Matrix w = Matrix.Random(rows: 11, columnBlocks: 6, seed: 1);
        float[] x = Sample.Floats(70 * w.Columns, seed: 2),
            single = new float[70 * w.Rows];
        for (int t = 0; t < 70; t++)
            Run(width, w, x.AsSpan(t * w.Columns, w.Columns)).CopyTo(single, t * w.Rows);

        for (int tokens = 1; tokens <= 70; tokens++)
            Sample.AssertSameBits(
                single.AsSpan(0, tokens * w.Rows),
                Run(width, w, x.AsSpan(0, tokens * w.Columns)),
                $"{tokens} tokens"
            );
    }

    [Theory]
    [InlineData(1)] // decode
    [InlineData(11)] // tiles and a rest
    public void Splitting_the_rows_changes_nothing_and_writes_nothing_else(int tokens)
    {
        Matrix w = Matrix.Random(rows: 21, columnBlocks: 6, seed: 1);
        float[] x = Sample.Floats(tokens * w.Columns, seed: 2),
            whole = Product(w, x);

        for (int cut = 1; cut < w.Rows; cut++)
        {
            var y = new float[tokens * w.Rows];
            y.AsSpan().Fill(float.NaN);
            MultiplyRange(w, cut, w.Rows, x, y);
            for (int t = 0; t < tokens; t++)
            for (int r = 0; r < cut; r++)
                Assert.True(float.IsNaN(y[t * w.Rows + r]), $"output {r} is not of the range");
            MultiplyRange(w, 0, cut, x, y);
            Sample.AssertSameBits(whole, y, $"cut at {cut}");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Weights_at_an_odd_address_give_the_same_bits(int width)
    {
        Matrix w = Matrix.Random(rows: 5, columnBlocks: 7, seed: 1);
        float[] x = Sample.Floats(10 * w.Columns, seed: 2);
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
    public void Nothing_is_read_past_the_end_of_blocks_or_scales(int width, int columnBlocks)
    {
        foreach (int tokens in (int[])[1, 5, 11])
        {
            Matrix w = Matrix.Random(rows: 3, columnBlocks, seed: columnBlocks);
            float[] x = Sample.Floats(tokens * w.Columns, seed: 1);
            using var blocks = new GuardedMemory<byte>(w.Blocks);
            using var scales = new GuardedMemory<byte>(w.Scales);

            Sample.AssertSameBits(
                w.Defined(x),
                Run(width, w, x, blocks.Span, scales.Span),
                $"3 × {columnBlocks} blocks, {tokens} tokens"
            );
        }
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Scales_at_the_ends_of_their_range_give_the_bits_of_the_definition(int width)
    {
        byte[] ends = [0, 1, 2, 253, 254];
        Matrix w = Matrix.Random(rows: 10, columnBlocks: 6, seed: 1);
        for (int i = 0; i < w.Scales.Length; i++)
            w.Scales[i] = ends[i / w.ColumnBlocks % ends.Length];
        w.Bias.AsSpan().Clear();
        float[] x = [.. Sample.Floats(10 * w.Columns, seed: 2).Select(v => v * 1e-3f)]; // at 2¹²⁷ the sums stay finite
        float[] expected = w.Defined(x);

        Assert.All(expected, value => Assert.True(float.IsFinite(value)));
        Assert.Contains(expected, value => value != 0 && !float.IsNormal(value) && float.IsFinite(value));
        Sample.AssertSameBits(expected, Run(width, w, x), "10 × 6 blocks, 10 tokens");
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsWith), new[] { 1, 5, 11 }, MemberType = typeof(Registers))]
    public void A_scale_byte_of_255_makes_its_row_not_finite_and_no_other(int width, int tokens)
    {
        Matrix w = Matrix.Random(rows: 8, columnBlocks: 6, seed: 1);
        w.Bias.AsSpan().Clear();
        w.Scales[3 * w.ColumnBlocks + 5] = 255; // the last block of a row: its neighbours lie beside it
        float[] y = Run(width, w, Sample.Floats(tokens * w.Columns, seed: 2));
        for (int i = 0; i < y.Length; i++)
            Assert.True(i % w.Rows != 3 == float.IsFinite(y[i]), $"8 × 6 blocks, {tokens} tokens [{i}]: {y[i]}");
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Negative_zeros_are_zeros_of_the_same_bits_everywhere(int width)
    {
        Matrix w = Matrix.Random(rows: 3, columnBlocks: 3, seed: 1);
        w.Blocks.AsSpan().Fill(0x88);
        w.Bias.AsSpan().Clear();
        float[] x = Sample.Floats(10 * w.Columns, seed: 2),
            y = Run(width, w, x);

        Sample.AssertSameBits(new float[y.Length], y, "3 × 3 blocks, 10 tokens");
        Sample.AssertSameBits(w.Defined(x), y, "3 × 3 blocks, 10 tokens, the definition");
    }

    [Theory]
    [InlineData(32)]
    [InlineData(96)]
    [InlineData(256)]
    public void Permuting_puts_each_value_where_its_code_is_met_and_zeros_elsewhere(int columns)
    {
        float[] x = Sample.Floats(columns, seed: 1),
            y = Sample.Floats(Mxfp4.PermutedWidth(columns), seed: 2);

        Mxfp4.Permute(x, y);

        for (int i = 0; i < y.Length; i++)
        {
            int k = i / 128 * 128 + 8 * (i % 16) + i / 16 % 8;
            Assert.Equal(k < columns ? x[k] : 0, y[i]);
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
        Assert.Throws<ArgumentOutOfRangeException>(() => Multiply(scratch: Mxfp4.ScratchValues(64) - 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Mxfp4.Permute(new float[32], new float[32]));

        static void Multiply(
            int blocks = 64,
            int scales = 4,
            int x = 128,
            int width = 128,
            int first = 0,
            int? scratch = null
        ) =>
            Mxfp4.Multiply(
                new byte[blocks],
                new byte[scales],
                new float[2],
                new Rows(new float[x], width),
                new Rows(new float[2], 2),
                first,
                new float[scratch ?? Mxfp4.ScratchValues(64)]
            );
    }

    private static float[] Product(Matrix w, ReadOnlySpan<float> x)
    {
        var y = new float[x.Length / w.Columns * w.Rows];
        MultiplyRange(w, 0, w.Rows, x, y);
        return y;
    }

    private static void MultiplyRange(Matrix w, int from, int to, ReadOnlySpan<float> x, Span<float> y) =>
        Mxfp4.Multiply(
            w.Blocks.AsSpan(from * w.ColumnBlocks * 16, (to - from) * w.ColumnBlocks * 16),
            w.Scales.AsSpan(from * w.ColumnBlocks, (to - from) * w.ColumnBlocks),
            w.Bias.AsSpan(from, to - from),
            new Rows(Sample.Permuted(x, w.Columns), Mxfp4.PermutedWidth(w.Columns)),
            new Rows(y, w.Rows),
            from,
            new float[Mxfp4.ScratchValues(w.Columns)]
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
        var y = new float[x.Length / w.Columns * w.Rows];
        var scratch = new float[Mxfp4.ScratchValues(w.Columns)];
        var rows = new Rows(Sample.Permuted(x, w.Columns), Mxfp4.PermutedWidth(w.Columns));
        Registers.Run(width, new Mxfp4.MultiplyMxfp4(blocks, scales, w.Bias, rows, new Rows(y, w.Rows), 0, scratch));
        return y;
    }

    /// <summary>A matrix as the checkpoint stores it, and the values it stands for.</summary>
    private sealed record Matrix(byte[] Blocks, byte[] Scales, float[] Bias)
    {
        public int Rows => Bias.Length;
        public int ColumnBlocks => Scales.Length / Rows;
        public int Columns => ColumnBlocks * 32;

        public static Matrix Random(int rows, int columnBlocks, int seed) =>
            new(
                Sample.Bytes(rows * columnBlocks * 16, seed),
                Sample.Scales(rows * columnBlocks, seed),
                Sample.Floats(rows, seed)
            );

        /// <summary>
        /// From the format's page: the low nibble comes first, sign, two bits of exponent, one of mantissa.
        /// </summary>
        public double Value(int row, int k)
        {
            int block = row * ColumnBlocks + k / 32,
                code = Blocks[block * 16 + k % 32 / 2] >> (k % 2 * 4) & 0xF;
            double[] magnitudes = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
            return (code < 8 ? 1 : -1) * magnitudes[code & 7] * Math.ScaleB(1, Scales[block] - 127);
        }

        public float[] Defined(ReadOnlySpan<float> x)
        {
            var y = new float[x.Length / Columns * Rows];
            for (int i = 0; i < y.Length; i++)
            {
                int row = i % Rows;
                y[i] =
                    Mxfp4.DotScalar(
                        Blocks.AsSpan(row * ColumnBlocks * 16, ColumnBlocks * 16),
                        Scales.AsSpan(row * ColumnBlocks, ColumnBlocks),
                        x.Slice(i / Rows * Columns, Columns)
                    ) + Bias[row];
            }
            return y;
        }
    }
}

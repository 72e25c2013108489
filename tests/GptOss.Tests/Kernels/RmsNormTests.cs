using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class RmsNormTests
{
    [Theory]
    [InlineData(1)] // a tail alone
    [InlineData(16)] // one register
    [InlineData(45)] // registers and a tail
    [InlineData(2880)] // the real row
    public void A_row_agrees_with_the_formula_in_float64(int hidden)
    {
        float[] x = Sample.Floats(hidden, seed: hidden),
            y = new float[hidden];
        float[] weight = Sample.Floats(hidden, seed: 1);

        RmsNorm.Row(x, weight, 1e-5f, y);

        double scale = 1 / Math.Sqrt(x.Sum(v => (double)v * v) / hidden + 1e-5f);
        // All terms of the sum are positive: at most one rounding of 2⁻²⁴ for each in a lane and in the tree, halved by
        // the root.
        double relative = ((hidden + 15) / 16 + 12) * Math.ScaleB(1, -24);
        for (int i = 0; i < hidden; i++)
        {
            double expected = x[i] * scale * weight[i];
            Sample.AssertClose(expected, y[i], relative * Math.Abs(expected), $"hidden {hidden}, value {i}");
        }
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 67, MemberType = typeof(Registers))]
    public void Every_width_gives_the_bits_of_the_stated_order(int width, int hidden)
    {
        float[] x = Sample.Floats(hidden, seed: hidden),
            lanes = new float[16],
            y = new float[hidden];
        float[] weight = Sample.Floats(hidden, seed: 1);
        for (int k = 0; k < hidden; k++)
            lanes[k % 16] = MathF.FusedMultiplyAdd(x[k], x[k], lanes[k % 16]);
        for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
        float scale = 1 / MathF.Sqrt(lanes[0] / hidden + 1e-5f);
        var expected = new float[hidden];
        for (int k = 0; k < hidden; k++)
            expected[k] = x[k] * scale * weight[k];
        using var guardedX = new GuardedMemory<float>(x);
        using var guardedWeight = new GuardedMemory<float>(weight);

        Registers.Run(width, new RmsNorm.NormalizeRow(guardedX.Span, guardedWeight.Span, 1e-5f, y));

        Sample.AssertSameBits(expected, y, $"hidden {hidden}");
    }

    [Fact]
    public void A_row_may_be_normed_in_place()
    {
        float[] x = Sample.Floats(45, seed: 1),
            y = new float[45];
        float[] weight = Sample.Floats(45, seed: 2);
        RmsNorm.Row(x, weight, 1e-5f, y);

        RmsNorm.Row(x, weight, 1e-5f, x);

        Sample.AssertSameBits(y, x, "hidden 45");
    }

    [Fact]
    public void A_row_of_zeros_stays_zero()
    {
        var y = new float[20];
        RmsNorm.Row(new float[20], Sample.Floats(20, seed: 1), 1e-5f, y);
        Assert.All(y, value => Assert.Equal(0f, value));
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void A_row_whose_squares_go_beyond_float32_is_not_finite(int width)
    {
        foreach (int place in (int[])[0, 17, 44]) // the first register, the second, the tail
        foreach (float value in (float[])[1e30f, -3e38f, float.PositiveInfinity, float.NaN])
        {
            float[] x = Sample.Floats(45, seed: 1),
                y = new float[45];
            x[place] = value;
            Registers.Run(width, new RmsNorm.NormalizeRow(x, Sample.Floats(45, seed: 2), 1e-5f, y));
            Assert.All(y, result => Assert.False(float.IsFinite(result), $"hidden 45, {value} at {place}"));
        }
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => RmsNorm.Row(new float[4], new float[3], 1e-5f, new float[4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => RmsNorm.Row(new float[4], new float[4], 1e-5f, new float[5]));
    }
}

using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class RmsNormTests
{
    [Theory]
    [InlineData(1)]      // a tail alone
    [InlineData(16)]     // one register
    [InlineData(45)]     // registers and a tail
    [InlineData(2880)]   // the real row
    public void A_row_agrees_with_the_formula_in_float64(int hidden)
    {
        float[] x = Sample.Floats(hidden, seed: hidden), y = new float[hidden];
        ushort[] weight = Sample.BFloat16s(hidden, seed: 1);

        RmsNorm.Row(x, weight, 1e-5f, y);

        double scale = 1 / Math.Sqrt(x.Sum(v => (double)v * v) / hidden + 1e-5f);
        // All terms of the sum are positive: at most one rounding of 2⁻²⁴ for each in a lane and in the tree, halved by the root.
        double relative = ((hidden + 15) / 16 + 12) * Math.ScaleB(1, -24);
        for (int i = 0; i < hidden; i++)
        {
            double expected = x[i] * scale * BFloat16.ToSingle(weight[i]);
            Assert.Equal(expected, y[i], tolerance: relative * Math.Abs(expected));
        }
    }

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Every_width_gives_the_bits_of_the_stated_order(int width)
    {
        for (int hidden = 1; hidden <= 67; hidden++)
        {
            float[] x = Sample.Floats(hidden, seed: hidden), lanes = new float[16], y = new float[hidden];
            ushort[] weight = Sample.BFloat16s(hidden, seed: 1);
            for (int k = 0; k < hidden; k++) lanes[k % 16] = MathF.FusedMultiplyAdd(x[k], x[k], lanes[k % 16]);
            for (int half = 8; half > 0; half /= 2)
                for (int i = 0; i < half; i++)
                    lanes[i] += lanes[i + half];
            float scale = 1 / MathF.Sqrt(lanes[0] / hidden + 1e-5f);
            var expected = new float[hidden];
            for (int k = 0; k < hidden; k++) expected[k] = x[k] * scale * BFloat16.ToSingle(weight[k]);
            using var guardedX = new GuardedMemory<float>(x);
            using var guardedWeight = new GuardedMemory<ushort>(weight);

            Widths.Run(width, new RmsNorm.Kernel(guardedX.Span, guardedWeight.Span, 1e-5f, y));

            Sample.AssertSameBits(expected, y, $"hidden {hidden}");
        }
    }

    [Fact]
    public void A_row_may_be_normed_in_place()
    {
        float[] x = Sample.Floats(45, seed: 1), y = new float[45];
        ushort[] weight = Sample.BFloat16s(45, seed: 2);
        RmsNorm.Row(x, weight, 1e-5f, y);

        RmsNorm.Row(x, weight, 1e-5f, x);

        Sample.AssertSameBits(y, x);
    }

    [Fact]
    public void A_row_of_zeros_stays_zero()
    {
        var y = new float[20];
        RmsNorm.Row(new float[20], Sample.BFloat16s(20, seed: 1), 1e-5f, y);
        Assert.All(y, value => Assert.Equal(0f, value));
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => RmsNorm.Row(new float[4], new ushort[3], 1e-5f, new float[4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => RmsNorm.Row(new float[4], new ushort[4], 1e-5f, new float[5]));
    }
}

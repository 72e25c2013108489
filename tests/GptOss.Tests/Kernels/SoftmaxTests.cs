using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class SoftmaxTests
{
    [Theory]
    [InlineData(1)] // a tail alone
    [InlineData(16)] // one register
    [InlineData(45)] // registers and a tail
    public void Weights_agree_with_the_formula_in_float64(int count)
    {
        float[] x = [.. Sample.Floats(count, seed: count).Select(v => 10 * v)],
            y = new float[count];
        float maximum = x.Max();

        Softmax.Weights(x, maximum, 0.7f, y);

        // The rounded exponent is at most 20 / 0.7 in size: two roundings of 2⁻²⁴ of it, and Exp's own 2e-7.
        for (int i = 0; i < count; i++)
            Sample.AssertClose(
                1,
                y[i] / Math.Exp(((double)x[i] - maximum) / 0.7f),
                2 * Math.ScaleB(20 / 0.7, -24) + 2e-7,
                $"{count} values, value {i}"
            );
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 67, MemberType = typeof(Registers))]
    public void Every_width_gives_the_bits_of_single_values(int width, int count)
    {
        float[] x = [.. Sample.Floats(count, seed: count).Select(v => 60 * v)];
        float[] expected = [.. x.Select(v => Exp.Of((v - 50f) / 0.6f))];
        using var guarded = new GuardedMemory<float>(x);

        Registers.Run(width, new Softmax.WeighLogits(guarded.Span, 50f, 0.6f, guarded.Span)); // y may be x

        Sample.AssertSameBits(expected, guarded.Span, $"{count} values");
    }

    [Fact]
    public void A_forbidden_logit_weighs_nothing_and_the_best_weighs_one()
    {
        var y = new float[3];
        Softmax.Weights([float.NegativeInfinity, 4f, 4f], 4f, 1f, y);
        Assert.Equal([0f, 1f, 1f], y);
    }

    [Fact]
    public void Wrong_lengths_are_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Softmax.Weights(new float[3], 0, 1, new float[4]));
}

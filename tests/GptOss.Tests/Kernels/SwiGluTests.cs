using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class SwiGluTests
{
    [Theory]
    [InlineData(1)] // a tail alone
    [InlineData(16)] // one register
    [InlineData(45)] // registers and a tail
    [InlineData(2880)] // the real row
    public void A_row_agrees_with_the_formula_in_float64(int count)
    {
        float[] u = [.. Sample.Floats(2 * count, seed: count).Select(v => 20 * v)],
            y = new float[count]; // beyond the limit of 7 too

        SwiGlu.Row(u, 7f, y);

        for (int i = 0; i < count; i++)
            Sample.AssertClose(
                Formula(u[2 * i], u[2 * i + 1]),
                y[i],
                Tolerance(u[2 * i], u[2 * i + 1]),
                $"{count} values, value {i}"
            );
    }

    [Fact]
    public void The_gate_is_clamped_from_above_only_and_the_linear_part_on_both_sides()
    {
        float[] u = [100, 0, 7, 0, -100, 0, -5, 0, 1, 100, 1, 7, 1, -100, 1, -7],
            y = new float[8];

        SwiGlu.Row(u, 7f, y);

        Assert.Equal(y[1], y[0]);
        Assert.Equal(0f, y[2]); // −100 · σ(−170): clamping at −7 would leave −4.7e-5
        Assert.NotEqual(0f, y[3]);
        Assert.Equal(y[5], y[4]);
        Assert.Equal(y[7], y[6]);
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsUpTo), 67, MemberType = typeof(Registers))]
    public void Every_width_gives_the_bits_of_single_values(int width, int count)
    {
        float[] u = [.. Sample.Floats(2 * count, seed: count).Select(v => 20 * v)],
            expected = new float[count];
        for (int i = 0; i < count; i++)
        {
            float gate = Math.Min(u[2 * i], 7f),
                linear = Math.Clamp(u[2 * i + 1], -7f, 7f);
            expected[i] = gate / (1 + Exp.Of(gate * -1.702f)) * (linear + 1);
        }
        using var guarded = new GuardedMemory<float>(u);
        using var y = new GuardedMemory<float>(new float[count]);

        Registers.Run(width, new SwiGlu.ApplySwiGlu(guarded.Span, default, 7f, y.Span, 1.702f));

        Sample.AssertSameBits(expected, y.Span, $"{count} values");
    }

    [Theory]
    [InlineData(1)] // a tail alone
    [InlineData(45)] // registers and a tail
    [InlineData(2880)] // the real row
    public void Gates_and_linear_parts_that_lie_apart_give_the_bits_of_alternating_ones(int count)
    {
        float[] u = [.. Sample.Floats(2 * count, seed: count).Select(v => 20 * v)],
            expected = new float[count],
            y = new float[count];
        SwiGlu.Row(u, 7f, expected);

        SwiGlu.Row(
            [.. Enumerable.Range(0, count).Select(i => u[2 * i])],
            [.. Enumerable.Range(0, count).Select(i => u[2 * i + 1])],
            7f,
            y
        );

        Sample.AssertSameBits(expected, y, $"{count} values");
    }

    [Fact]
    public void NaN_is_passed_on()
    {
        var y = new float[3];
        SwiGlu.Row([float.NaN, 1, 1, float.NaN, 1, 1], 7f, y);
        Assert.True(float.IsNaN(y[0]) && float.IsNaN(y[1]) && float.IsFinite(y[2]));
    }

    /// <summary>Clamped, a damaged weight would give a number like any other, and text.</summary>
    [Theory]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void An_infinity_becomes_NaN(float infinity)
    {
        var y = new float[3];
        SwiGlu.Row([infinity, 1, 1, infinity, 1, 1], 7f, y);
        Assert.True(float.IsNaN(y[0]) && float.IsNaN(y[1]) && float.IsFinite(y[2]));
    }

    [Fact]
    public void Wrong_lengths_are_refused() =>
        Assert.Multiple(
            () => Assert.Throws<ArgumentOutOfRangeException>(() => SwiGlu.Row(new float[5], 7f, new float[2])),
            () =>
                Assert.Throws<ArgumentOutOfRangeException>(() =>
                    SwiGlu.Row(new float[3], new float[1], 7f, new float[2])
                )
        );

    private static double Formula(double gate, double linear)
    {
        gate = Math.Min(gate, 7);
        linear = Math.Clamp(linear, -7, 7);
        return gate / (1 + Math.Exp(-1.702 * gate)) * (linear + 1);
    }

    // The product 1.702·g rounds before it is an exponent: 2⁻²³ of itself becomes relative. Exp has 2e-7, the other six
    // operations 2⁻²⁴ each; l + 1 may cancel, so its rounding counts against |l| + 1.
    private static double Tolerance(double gate, double linear)
    {
        double relative = Math.ScaleB(1.702 * Math.Abs(gate) + 6, -23) + 2e-7;
        double size = Math.Min(Math.Abs(linear), 7) + 1;
        return relative * Math.Abs(Formula(gate, 0)) * size + 1e-37;
    }
}

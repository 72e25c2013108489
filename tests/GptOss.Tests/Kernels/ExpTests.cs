using GptOss.Kernels;
using GptOss.Kernels.Registers;

namespace GptOss.Tests.Kernels;

public class ExpTests
{
    [Fact]
    public void The_relative_error_is_below_2e_7_over_the_whole_range()
    {
        double worst = 0;
        for (double at = -87.336; at <= 88.376; at += 1e-4)
        {
            float x = (float)at;
            if (x is < -87.336f or > 88.376f)
                continue;
            double expected = Math.Exp(x);
            worst = Math.Max(worst, Math.Abs(Exp.Of(x) - expected) / expected);
        }
        // The bound its summary states; nothing in float32 is better than the lower one
        Assert.InRange(worst, 1e-9, 2e-7);
    }

    [Fact]
    public void Small_arguments_are_not_lost()
    {
        for (float x = 1f; x > 1e-30f; x *= 0.37f)
        {
            Assert.Equal(1, Exp.Of(x) / Math.Exp(x), tolerance: 2e-7); // the bound its summary states
            Assert.Equal(1, Exp.Of(-x) / Math.Exp(-x), tolerance: 2e-7);
        }
        Assert.Equal(1f, Exp.Of(0f));
        Assert.Equal(1f, Exp.Of(-0f));
    }

    [Fact]
    public void Outside_the_range_it_is_zero_or_infinite_and_NaN_stays()
    {
        Assert.Equal(0f, Exp.Of(float.NegativeInfinity));
        Assert.Equal(0f, Exp.Of(-87.34f));
        Assert.True(Exp.Of(-87.336f) >= 1.17549435e-38f, "the least result is a normal number");
        Assert.True(float.IsFinite(Exp.Of(88.376f)));
        Assert.Equal(float.PositiveInfinity, Exp.Of(88.38f));
        Assert.Equal(float.PositiveInfinity, Exp.Of(float.PositiveInfinity));
        Assert.True(float.IsNaN(Exp.Of(float.NaN)));
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void Every_width_gives_the_bits_of_the_single_value(int width)
    {
        List<float> x =
        [
            0f,
            -0f,
            float.NegativeInfinity,
            float.PositiveInfinity,
            -87.336f,
            88.376f,
            -87.34f,
            88.38f,
            float.MaxValue,
            float.MinValue,
            float.Epsilon,
            -float.Epsilon,
        ];
        for (float at = -90; at < 90; at += 0.0037f)
            x.Add(at);
        while (x.Count % 16 != 0)
            x.Add(1);
        var y = new float[x.Count];

        Registers.Run(width, new Each([.. x], y));

        Sample.AssertSameBits([.. x.Select(value => Exp.Of(value))], y, $"{x.Count} values");
    }

    [Theory]
    [MemberData(nameof(Registers.Widths), MemberType = typeof(Registers))]
    public void NaN_stays_NaN_at_every_width(int width)
    {
        var x = new float[16];
        x[5] = float.NaN;
        var y = new float[16];

        Registers.Run(width, new Each(x, y));

        for (int i = 0; i < 16; i++)
            Assert.Equal(i == 5, float.IsNaN(y[i]));
    }

    private readonly ref struct Each(float[] x, float[] y) : ILaneKernel
    {
        private readonly float[] _x = x,
            _y = y;

        public void Run<T>()
            where T : struct, ILanes<T>
        {
            for (int i = 0; i < _x.Length; i += 16)
                T.Store(Exp.Of(T.Load(in _x[i], 0)), ref _y[i], 0);
        }
    }
}

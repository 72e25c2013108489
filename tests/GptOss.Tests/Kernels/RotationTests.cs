using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

public class RotationTests
{
    [Theory]
    [InlineData(1, 2)] // one pair
    [InlineData(3, 10)] // odd halves
    [InlineData(64, 64)] // the real heads
    public void Each_pair_is_turned_by_its_angle(int heads, int headDim)
    {
        int half = headDim / 2;
        float[] x = Sample.Floats(heads * headDim, seed: headDim),
            y = [.. x],
            angles = new float[headDim];
        for (int i = 0; i < half; i++)
            (angles[i], angles[half + i]) = ((float)Math.Cos(i + 0.5), (float)Math.Sin(i + 0.5));

        Rotation.Row(y, angles);

        for (int head = 0; head < heads; head++)
        for (int i = 0; i < half; i++)
        {
            double a = x[head * headDim + i],
                b = x[head * headDim + half + i];
            double cos = Math.Cos(i + 0.5),
                sin = Math.Sin(i + 0.5);
            // Two rounded angles, two products and one sum: five roundings of 2⁻²⁴ of what is added.
            double tolerance = 5 * Math.ScaleB(Math.Abs(a) + Math.Abs(b), -24);
            string at = $"{heads} heads × {headDim}, head {head}, pair {i}";
            Sample.AssertClose(a * cos - b * sin, y[head * headDim + i], tolerance, at);
            Sample.AssertClose(b * cos + a * sin, y[head * headDim + half + i], tolerance, at);
        }
    }

    [Fact]
    public void Position_zero_changes_no_bit()
    {
        float[] x = Sample.Floats(128, seed: 1),
            y = [.. x],
            angles = new float[64];
        angles.AsSpan(0, 32).Fill(1);

        Rotation.Row(y, angles);

        Sample.AssertSameBits(x, y, "2 heads × 64");
    }

    [Fact]
    public void Heads_that_do_not_fill_the_row_are_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Rotation.Row(new float[70], new float[64]));
}

using GptOss.Kernels;
using GptOss.Model;

namespace GptOss.Tests.Kernels;

public class Int8PageTests
{
    [Fact]
    public void A_value_comes_back_within_half_a_scale_and_the_largest_as_127()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            float[] x = Sample.Floats(64, seed);
            var q = new sbyte[64];

            float scale = Int8Page.Quantize(x, q);

            Assert.Equal(x.Max(MathF.Abs) / 127, scale);
            Assert.Equal(127, q.Max(value => Math.Abs((int)value)));
            for (int i = 0; i < 64; i++)
                Sample.AssertClose(x[i], q[i] * (double)scale, 0.5001 * scale, $"seed {seed}, value {i}");
        }
    }

    [Fact]
    public void Ties_go_to_the_even_neighbour()
    {
        var q = new sbyte[5];
        Assert.Equal(1f, Int8Page.Quantize([127, 0.5f, 1.5f, -2.5f, -127], q));
        Assert.Equal([127, 0, 2, -2, -127], q);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(float.Epsilon)] // its 127th part is zero
    public void What_has_no_scale_reads_as_zero(float value)
    {
        sbyte[] q = [7];
        Assert.Equal(0, Int8Page.Quantize([value], q));
        Assert.Equal([0], q);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_position_with_a_value_that_is_not_finite_reads_as_NaN_and_its_neighbours_as_stored(float value)
    {
        var layout = new KvHeadLayout(KeyValueFormat.Int8, headDim: 4);
        byte[] keys = new byte[layout.Bytes],
            values = new byte[layout.Bytes];
        for (int slot = 0; slot < 64; slot++)
        {
            float[] x = [1, slot == 20 ? value : 2, 3, 4];
            layout.StoreKey(keys, slot, x);
            layout.StoreValue(values, slot, x);
        }

        ReadOnlySpan<float> k = layout.Keys(keys, new float[4 * 64]),
            v = layout.Values(values, new float[4 * 64]);

        for (int slot = 0; slot < 64; slot++)
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(slot == 20, float.IsNaN(k[i * 64 + slot]));
            Assert.Equal(slot == 20, float.IsNaN(v[slot * 4 + i]));
        }
    }

    [Theory]
    [MemberData(nameof(Registers.WidthsWith), new[] { 1, 8, 16, 64, 72, 80 }, MemberType = typeof(Registers))]
    public void Every_width_reads_a_byte_times_the_scale_of_its_position(int width, int headDim)
    {
        sbyte[] bytes = Array.ConvertAll(Sample.Bytes(64 * headDim, seed: headDim), value => (sbyte)value);
        float[] scales = Sample.Floats(64, seed: 1),
            expected = new float[bytes.Length],
            result = new float[bytes.Length];
        using var guarded = new GuardedMemory<sbyte>(bytes);

        for (int i = 0; i < bytes.Length; i++)
            expected[i] = bytes[i] * scales[i % 64];
        Registers.Run(width, new Int8Page.WidenKeyPage(guarded.Span, scales, result));
        Sample.AssertSameBits(expected, result, $"keys, headDim {headDim}");

        for (int i = 0; i < bytes.Length; i++)
            expected[i] = bytes[i] * scales[i / headDim];
        Registers.Run(width, new Int8Page.WidenValuePage(guarded.Span, scales, result));
        Sample.AssertSameBits(expected, result, $"values, headDim {headDim}");
    }

    [Theory]
    [InlineData(KeyValueFormat.Float32)]
    [InlineData(KeyValueFormat.Float16)]
    [InlineData(KeyValueFormat.Int8)]
    public void A_page_gives_back_what_was_stored_at_each_position(KeyValueFormat format)
    {
        const int headDim = 10;
        var layout = new KvHeadLayout(format, headDim);
        byte[] keys = new byte[layout.Bytes],
            values = new byte[layout.Bytes];
        float[][] x = [.. Enumerable.Range(0, 64).Select(slot => Whole(slot))];
        for (int slot = 63; slot >= 0; slot--)
        {
            layout.StoreKey(keys, slot, x[slot]);
            layout.StoreValue(values, slot, x[63 - slot]);
        }

        ReadOnlySpan<float> k = layout.Keys(keys, new float[64 * headDim]),
            v = layout.Values(values, new float[64 * headDim]);

        Assert.Equal(0, layout.Bytes % 64);
        for (int slot = 0; slot < 64; slot++)
        for (int i = 0; i < headDim; i++)
        {
            Assert.Equal(x[slot][i], k[i * 64 + slot]);
            Assert.Equal(x[63 - slot][i], v[slot * headDim + i]);
        }

        // Whole numbers up to 127, of which the largest is there: every format keeps them.
        static float[] Whole(int slot) =>
            [127, .. Sample.Bytes(headDim - 1, seed: slot).Select(value => (float)(value % 255 - 127))];
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Int8Page.Quantize(new float[4], new sbyte[5]));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            Int8Page.WidenKeys(new sbyte[64], new float[63], new float[64])
        );
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            Int8Page.WidenValues(new sbyte[65], new float[64], new float[65])
        );
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            Int8Page.WidenValues(new sbyte[64], new float[64], new float[63])
        );
    }
}

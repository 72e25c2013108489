using GptOss.Kernels;
using GptOss.Kernels.Formats;

namespace GptOss.Tests.Kernels;

/// <summary>Random inputs from a seed, and comparison of bits.</summary>
internal static class Sample
{
    /// <summary>Values of both signs with magnitudes spread over six powers of two.</summary>
    public static float[] Floats(int count, int seed)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = (2 * random.NextSingle() - 1) * MathF.ScaleB(1, random.Next(-5, 1));
        return values;
    }

    public static ushort[] BFloat16s(int count, int seed) =>
        Array.ConvertAll(Floats(count, seed), value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));

    /// <summary>The bytes of values in binary16, little endian.</summary>
    public static byte[] Float16s(int count, int seed) =>
        [.. Floats(count, seed).SelectMany(value => BitConverter.GetBytes((Half)value))];

    /// <summary>Blocks of 32 signed bytes behind a scale in binary16 of either sign.</summary>
    public static byte[] Q8_0(int blocks, int seed)
    {
        byte[] bytes = Bytes(34 * blocks, seed);
        for (int b = 0; b < blocks; b++)
            Float16s(1, seed + b).CopyTo(bytes, 34 * b);
        return bytes;
    }

    public static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Scale bytes from 2⁻⁸ to 2², as trained experts have them.</summary>
    public static byte[] Scales(int count, int seed) =>
        Array.ConvertAll(Bytes(count, seed), value => (byte)(119 + value % 11));

    /// <summary>[tokens, permuted]: the rows of x in the order of <see cref="Mxfp4"/>.</summary>
    public static float[] Permuted(ReadOnlySpan<float> x, int inputs)
    {
        int width = Mxfp4.PermutedWidth(inputs),
            tokens = x.Length / inputs;
        var permuted = new float[tokens * width];
        for (int t = 0; t < tokens; t++)
            Mxfp4.Permute(x.Slice(t * inputs, inputs), permuted.AsSpan(t * width, width));
        return permuted;
    }

    /// <summary>Fails with the shape and the place, <paramref name="at"/>, where a number is too far off.</summary>
    public static void AssertClose(double expected, double actual, double tolerance, string at)
    {
        if (!(Math.Abs(actual - expected) <= tolerance))
            Assert.Fail($"{at}: expected {expected:R} within {tolerance:R}, got {actual:R}");
    }

    /// <summary>Fails with the shape, <paramref name="at"/>, and the index where bits differ.</summary>
    public static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string at)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            if (BitConverter.SingleToUInt32Bits(expected[i]) != BitConverter.SingleToUInt32Bits(actual[i]))
                Assert.Fail($"{at} [{i}]: expected {expected[i]:R}, got {actual[i]:R}");
    }
}

namespace GptOss.Tests.Oracles;

/// <summary>Quantizes rows to MXFP4: blocks of 32 E2M1 values that share one power of two.</summary>
/// <remarks>
/// The shared exponent is ⌊log2 of the largest magnitude⌋ − 2, values go to the nearest, ties to the even code.
/// Source: OCP Microscaling Formats (MX) v1.0, section 6.3.
/// </remarks>
internal static class TinyMxfp4
{
    private static readonly double[] Magnitudes = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

    /// <summary>values: [blocks × 32]; returns the 16 bytes and the scale byte of each block.</summary>
    public static (byte[] Blocks, byte[] Scales) Quantize(double[] values)
    {
        byte[] blocks = new byte[values.Length / 2],
            scales = new byte[values.Length / 32];
        for (int block = 0; block < scales.Length; block++)
        {
            double largest = 0;
            for (int i = 0; i < 32; i++)
                largest = Math.Max(largest, Math.Abs(values[(32 * block) + i]));

            // A block of zeros gets scale byte 0, as pruned rows have: 2^-127 must not turn into infinity.
            int exponent = largest == 0 ? -127 : Math.Clamp(Math.ILogB(largest) - 2, -127, 127);
            scales[block] = (byte)(exponent + 127);
            for (int i = 0; i < 32; i++)
            {
                int code = Nearest(Math.ScaleB(values[(32 * block) + i], -exponent));
                blocks[(16 * block) + (i / 2)] |= (byte)(i % 2 == 0 ? code : code << 4);
            }
        }

        return (blocks, scales);
    }

    /// <summary>The values that <see cref="Quantize"/> keeps.</summary>
    public static double[] Keep(double[] values)
    {
        (byte[] blocks, byte[] scales) = Quantize(values);
        double[] kept = new double[values.Length];
        for (int i = 0; i < kept.Length; i++)
        {
            int code = (blocks[i / 2] >> (i % 2 == 0 ? 0 : 4)) & 0xF;
            double magnitude = Math.ScaleB(Magnitudes[code & 7], scales[i / 32] - 127);
            kept[i] = code > 7 ? -magnitude : magnitude;
        }

        return kept;
    }

    private static int Nearest(double value)
    {
        double magnitude = Math.Abs(value);
        int code = 0;
        for (int next = 1; next < Magnitudes.Length; next++)
        {
            double middle = (Magnitudes[next - 1] + Magnitudes[next]) / 2;
            if (magnitude > middle || (magnitude == middle && next % 2 == 0))
                code = next;
        }

        return double.IsNegative(value) ? code | 8 : code;
    }
}

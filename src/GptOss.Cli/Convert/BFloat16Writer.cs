using System.Buffers.Binary;

namespace GptOss.Cli.Convert;

/// <summary>Rounds float32 to bfloat16, to the nearest and half way to the even one, and writes it.</summary>
internal static class BFloat16Writer
{
    // The largest bfloat16 is 3.3895e38, and what is above 3.3961e38 would be rounded to infinity.
    private const float Largest = 3.39e38f;

    /// <summary>The bits of the nearest bfloat16 of a finite number.</summary>
    public static ushort Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)(bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    /// <summary>The index of the first number that is not finite, or is not when rounded; −1 for none.</summary>
    public static int IndexOfNotFinite(ReadOnlySpan<float> values) => values.IndexOfAnyExceptInRange(-Largest, Largest);

    /// <summary>Writes some numbers one after the other.</summary>
    /// <param name="stream">Where they are written.</param>
    /// <param name="values">The numbers, all of them finite.</param>
    /// <param name="buffer">Working memory, two bytes for each number.</param>
    public static void Write(Stream stream, ReadOnlySpan<float> values, byte[] buffer)
    {
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(2 * i), Round(values[i]));
        stream.Write(buffer, 0, 2 * values.Length);
    }
}

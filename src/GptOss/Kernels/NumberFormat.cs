using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>
/// The formats in which a checkpoint holds plain numbers: numbers that are stored one by one, without a shared scale.
/// Each of them widens to float32 without rounding.
/// </summary>
internal enum NumberFormat
{
    /// <summary>The upper 16 bits of a float32.</summary>
    BFloat16,

    /// <summary>IEEE 754 binary16, subnormal numbers included.</summary>
    Float16,

    /// <summary>A float32, IEEE 754 binary32.</summary>
    Float32,
}

/// <summary>
/// Reads numbers of each <see cref="NumberFormat"/> from little-endian bytes. No other place knows how they are stored.
/// </summary>
internal static class NumberFormats
{
    /// <summary>Number of bytes of one number.</summary>
    public static int Bytes(this NumberFormat format) => format == NumberFormat.Float32 ? 4 : 2;

    /// <summary>Widens every number to float32, exactly. The bytes may begin at any address.</summary>
    public static void Widen(ReadOnlySpan<byte> source, NumberFormat format, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.Length, destination.Length * format.Bytes());
        switch (format)
        {
            case NumberFormat.BFloat16:
                BFloat16.Widen(MemoryMarshal.Cast<byte, ushort>(source), destination);
                break;
            case NumberFormat.Float16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), destination);
                break;
            default:
                MemoryMarshal.Cast<byte, float>(source).CopyTo(destination);
                break;
        }
    }
}

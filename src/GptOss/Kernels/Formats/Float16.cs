using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>IEEE 754 binary16, little-endian, subnormal numbers included: 10 bits of fraction, 5 of exponent.</summary>
internal readonly struct Float16 : INumberFormat
{
    /// <summary>2¹¹²: the exponent of a float32 is biased by 127, that of a float16 by 15.</summary>
    private const float Rebias = 5.192296858534828e33f;

    public static int BlockValues => 1;

    public static int BlockBytes => sizeof(ushort);

    public static float Value(ReadOnlySpan<byte> row, int index) => (float)MemoryMarshal.Cast<byte, Half>(row)[index];

    // The bits without the sign, moved to the places that they have in a float32, are the value times 2⁻¹¹², also where
    // the number is subnormal. An infinity or NaN becomes 65,536 or more, and gets the exponent that has all bits set.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        T bits = T.LoadBFloat16(in Unsafe.As<byte, ushort>(ref Unsafe.AsRef(in row)), index);
        T magnitude = ((bits & T.CreateBits(0x7FFF_0000)) >>> 3) * T.Create(Rebias);
        magnitude = T.WhereLess(magnitude, T.Create(65_536), magnitude, magnitude | T.CreateBits(0x7F80_0000));
        return magnitude | (bits & T.CreateBits(0x8000_0000));
    }
}

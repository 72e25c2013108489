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

    // The bits of a float16 in the places of a float32: the sign, the five bits of the exponent at the lower end of
    // eight, and the fraction.
    private const uint Places = 0x8FFF_E000;

    /// <summary>The value of a float16 that is the scale of a block, as float32; a NaN becomes infinite.</summary>
    /// <remarks>
    /// The bits in their new places are the value times 2⁻¹¹². Times 2²²⁴, in two steps, what should be infinite is,
    /// and nothing else; the last factor brings the others back. No step rounds, and there is no branch, beside which a
    /// loop would keep its sums in memory.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToScale(short bits) =>
        BitConverter.UInt32BitsToSingle((uint)(bits << 13) & Places) * TwoTo127 * TwoTo97 * TwoToMinus112;

    private const float TwoTo127 = 1.7014118346046923e38f,
        TwoTo97 = 1.5845632502852868e29f,
        TwoToMinus112 = 1.925929944387236e-34f;

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T> => (first, second) = (Load<T>(in row, index), Load<T>(in row, index + 16));
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>IEEE 754 binary16, little-endian, subnormal numbers included: 10 bits of fraction, 5 of exponent.</summary>
// Bound: an index of sixteen values within the row, which the kernel of the matrix keeps; Units has all 64 values of
// six bits.
internal readonly struct Float16 : INumberFormat
{
    // For sign and exponent, the upper six bits of a float16, the value of the lowest bit of its fraction.
    private static readonly float[] Units = [.. Enumerable.Range(0, 64).Select(UnitOf)];

    private static float UnitOf(int upper)
    {
        int exponent = upper % 32;
        float unit = exponent == 31 ? float.PositiveInfinity : MathF.ScaleB(1, Math.Max(exponent, 1) - 25);
        return upper < 32 ? unit : -unit;
    }

    /// <summary>The value of a float16 that is the scale of a block, as float32; a NaN becomes infinite.</summary>
    /// <remarks>
    /// It is the integer of the fraction, with the bit that is not stored, times the value of its lowest bit. No step
    /// rounds or meets a subnormal float32, which processors are slow with, and there is no branch, beside which a loop
    /// would keep its sums in memory.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToScale(ushort bits)
    {
        int exponent = bits >> 10 & 31,
            hidden = exponent + 31 >> 5 << 10; // 0 for an exponent of 0
        return ((bits & 0x3FF) + hidden) * Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Units), bits >> 10);
    }

    public static int BlockValues => 1;

    public static int BlockBytes => sizeof(ushort);

    public static float Value(ReadOnlySpan<byte> row, int index) => (float)MemoryMarshal.Cast<byte, Half>(row)[index];

    // The bits without the sign, moved to the places that they have in a float32, with the upper bit of the exponent
    // set, are y = 2¹⁶ times the value; or, where the number is subnormal, 2 + 2¹⁵ times the value. So no operand is a
    // subnormal float32, which processors are slow with. An infinity or NaN becomes 65,536 or more, and gets the
    // exponent that has all bits set.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        T bits = T.LoadBFloat16(in Unsafe.As<byte, ushort>(ref Unsafe.AsRef(in row)), index);
        T y = (bits & T.CreateBits(0x7FFF_0000)) >>> 3 | T.CreateBits(0x4000_0000);
        T magnitude = T.WhereLess(
            y,
            T.Create(4),
            (y - T.Create(2)) * T.Create(1f / (1 << 15)),
            y * T.Create(1f / (1 << 16))
        );
        magnitude = T.WhereLess(magnitude, T.Create(65_536), magnitude, magnitude | T.CreateBits(0x7F80_0000));
        return magnitude | (bits & T.CreateBits(0x8000_0000));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T> => (first, second) = (Load<T>(in row, index), Load<T>(in row, index + 16));
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>The upper 16 bits of a float32, little-endian: the dense weights of gpt-oss.</summary>
// Bound: an index of sixteen values within the row, which the kernel of the matrix keeps.
internal readonly struct BFloat16 : INumberFormat
{
    public static int BlockValues => 1;

    public static int BlockBytes => sizeof(ushort);

    /// <summary>The float32 with these upper bits: a bfloat16 as a float.</summary>
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    public static float Value(ReadOnlySpan<byte> row, int index) =>
        ToSingle(MemoryMarshal.Cast<byte, ushort>(row)[index]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T> => T.LoadBFloat16(in Unsafe.As<byte, ushort>(ref Unsafe.AsRef(in row)), index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T> => (first, second) = (Load<T>(in row, index), Load<T>(in row, index + 16));
}

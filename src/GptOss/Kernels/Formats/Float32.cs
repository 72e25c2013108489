using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>A float32, IEEE 754 binary32, little-endian.</summary>
// Bound: an index of sixteen values within the row, which the kernel of the matrix keeps.
internal readonly struct Float32 : INumberFormat
{
    public static int BlockValues => 1;

    public static int BlockBytes => sizeof(float);

    public static float Value(ReadOnlySpan<byte> row, int index) => MemoryMarshal.Cast<byte, float>(row)[index];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T> => T.Load(in Unsafe.As<byte, float>(ref Unsafe.AsRef(in row)), index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T> => (first, second) = (Load<T>(in row, index), Load<T>(in row, index + 16));
}

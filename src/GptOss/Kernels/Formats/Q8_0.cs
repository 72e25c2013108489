using System.Runtime.CompilerServices;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>
/// GGUF's Q8_0: blocks of 32 signed bytes q after one float16 d, 34 bytes in all. A value is d · q, which a float32
/// holds without rounding: d has 11 bits, q has 7.
/// </summary>
/// <remarks>Source: block_q8_0 in ggml-org/llama.cpp, ggml/src/ggml-common.h.</remarks>
// Bound: sixteen values of one block, which lies within the row that the kernel of the matrix reads.
internal readonly struct Q8_0 : INumberFormat
{
    public static int BlockValues => 32;

    public static int BlockBytes => sizeof(ushort) + 32;

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = row.Slice(index / BlockValues * BlockBytes, BlockBytes);
        return Nibbles.Scale(block) * (sbyte)block[sizeof(ushort) + index % BlockValues];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 34);
        return T.Create(Nibbles.Half(in block, 0))
            * T.LoadSByte(in Unsafe.As<byte, sbyte>(ref block), sizeof(ushort) + index % 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 34);
        T d = T.Create(Nibbles.Half(in block, 0));
        first = d * T.LoadSByte(in Unsafe.As<byte, sbyte>(ref block), sizeof(ushort));
        second = d * T.LoadSByte(in Unsafe.As<byte, sbyte>(ref block), sizeof(ushort) + 16);
    }
}

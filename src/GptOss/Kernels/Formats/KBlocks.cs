using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>
/// What GGUF's formats of 256 values share, the K family and IQ4_XS: a block has sub-blocks of 16 or 32 values, each
/// with a small integer scale, and one or two float16 factors for all of them.
/// </summary>
/// <remarks>
/// Products and sums are rounded to float32 in the order of the definitions. Source: ggml-common.h and ggml-quants.c of
/// ggml-org/ggml; equal bits on the rows of types.json (GgmlFormatTests).
/// </remarks>
// Bound: sixteen values of one block, whose bytes the format's BlockBytes counts and the kernel of the matrix keeps
// within the row.
internal static class KBlocks
{
    public const int Values = 256;

    /// <summary>The bytes of the block that holds a value of a row.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> row, int index, int bytes) =>
        row.Slice(index / Values * bytes, bytes);

    /// <summary>The float16 at an offset of a block.</summary>
    public static float Half(ReadOnlySpan<byte> block, int offset) => Nibbles.Scale(block[offset..]);

    /// <summary>The byte at an offset of a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Byte(ref byte block, nuint offset) => Unsafe.Add(ref block, offset);

    /// <summary>Scale and minimum of a sub-block, six bits each, from the twelve bytes of Q4_K and Q5_K.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (int Scale, int Minimum) Scales12(ref byte s, nuint i) =>
        i < 4
            ? (Byte(ref s, i) & 63, Byte(ref s, 4 + i) & 63)
            : (
                (Byte(ref s, 4 + i) & 15) + (Byte(ref s, i - 4) >> 6 << 4),
                (Byte(ref s, 4 + i) >> 4) + (Byte(ref s, i) >> 6 << 4)
            );

    /// <summary>The six-bit scale of a sub-block from the twelve bytes of Q3_K.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Scale3(ref byte s, nuint i) =>
        (i < 8 ? Byte(ref s, i) & 15 : Byte(ref s, i - 8) >> 4)
        + 16 * (Byte(ref s, 8 + i % 4) >> (int)(2 * (i / 4)) & 3);

    /// <summary>The six-bit scale of a sub-block of IQ4_XS, whose block is given from its two high bytes on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Scale4(ref byte high, nuint i) =>
        (Byte(ref high, 2 + i / 2) >> (int)(4 * (i % 2)) & 15)
        + 16 * (Unsafe.ReadUnaligned<ushort>(in high) >> (int)(2 * i) & 3);

    /// <summary>Some bits of sixteen bytes, moved to the lowest places of each byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Bits(ref byte block, nuint offset, int shift, byte mask) =>
        Vector128.LoadUnsafe(in block, offset) >>> shift & Vector128.Create(mask);
}

/// <summary>GGUF's Q2_K: 16 sub-blocks of 16; (d · scale) · q − (dmin · minimum), all of 2 or 4 bits.</summary>
internal readonly struct Q2_K : INumberFormat
{
    public static int BlockValues => KBlocks.Values;

    public static int BlockBytes => 84;

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = KBlocks.Of(row, index, BlockBytes);
        int v = index % KBlocks.Values,
            q = block[16 + v / 128 * 32 + v % 32] >> (v / 32 % 4 * 2) & 3;
        float product = KBlocks.Half(block, 80) * (block[v / 16] & 15) * q;
        return product - KBlocks.Half(block, 82) * (block[v / 16] >> 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / KBlocks.Values * 84);
        nuint v = index % KBlocks.Values;
        int s = KBlocks.Byte(ref block, v / 16);
        Vector128<byte> q = KBlocks.Bits(ref block, 16 + v / 128 * 32 + v % 32, (int)(v / 32 % 4 * 2), 3);
        T scale = T.Create(Nibbles.Half(in block, 80) * (s & 15));
        return scale * T.FromSBytes(q.AsSByte()) - T.Create(Nibbles.Half(in block, 82) * (s >> 4));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T> => (first, second) = (Load<T>(in row, index), Load<T>(in row, index + 16));
}

/// <summary>GGUF's Q3_K: 16 sub-blocks of 16; (d · (scale − 32)) · q, q of three bits from −4 to 3.</summary>
internal readonly struct Q3_K : INumberFormat
{
    public static int BlockValues => KBlocks.Values;

    public static int BlockBytes => 110;

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = KBlocks.Of(row, index, BlockBytes);
        int v = index % KBlocks.Values,
            low = block[32 + v / 128 * 32 + v % 32] >> (v / 32 % 4 * 2) & 3,
            high = block[v % 32] >> (v / 32) & 1;
        int scale = KBlocks.Scale3(ref MemoryMarshal.GetReference(block[96..]), (nuint)(v / 16));
        return KBlocks.Half(block, 108) * (scale - 32) * (low + 4 * high - 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / KBlocks.Values * 110);
        nuint v = index % KBlocks.Values;
        int scale = KBlocks.Scale3(ref Unsafe.Add(ref block, 96), v / 16) - 32;
        Vector128<byte> low = KBlocks.Bits(ref block, 32 + v / 128 * 32 + v % 32, (int)(v / 32 % 4 * 2), 3);
        Vector128<byte> high = KBlocks.Bits(ref block, v % 32, (int)(v / 32), 1);
        Vector128<byte> q = low + (high << 2) - Vector128.Create((byte)4);
        return T.Create(Nibbles.Half(in block, 108) * scale) * T.FromSBytes(q.AsSByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T> => (first, second) = (Load<T>(in row, index), Load<T>(in row, index + 16));
}

/// <summary>GGUF's Q4_K: 8 sub-blocks of 32; (d · scale) · q − (dmin · minimum), q of four bits.</summary>
internal readonly struct Q4_K : INumberFormat
{
    public static int BlockValues => KBlocks.Values;

    public static int BlockBytes => 144;

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = KBlocks.Of(row, index, BlockBytes);
        int v = index % KBlocks.Values,
            q = block[16 + v / 64 * 32 + v % 32] >> (v / 32 % 2 * 4) & 15;
        (int scale, int minimum) = KBlocks.Scales12(ref MemoryMarshal.GetReference(block[4..]), (nuint)(v / 32));
        float product = KBlocks.Half(block, 0) * scale * q;
        return product - KBlocks.Half(block, 2) * minimum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / KBlocks.Values * 144);
        nuint v = index % KBlocks.Values;
        (int scale, int minimum) = KBlocks.Scales12(ref Unsafe.Add(ref block, 4), v / 32);
        Vector128<byte> q = KBlocks.Bits(ref block, 16 + v / 64 * 32 + v % 32, (int)(v / 32 % 2 * 4), 15);
        T product = T.Create(Nibbles.Half(in block, 0) * scale) * T.FromSBytes(q.AsSByte());
        return product - T.Create(Nibbles.Half(in block, 2) * minimum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T> => (first, second) = (Load<T>(in row, index), Load<T>(in row, index + 16));
}

/// <summary>GGUF's Q5_K: 8 sub-blocks of 32; (d · scale) · q − (dmin · minimum), q of five bits.</summary>
internal readonly struct Q5_K : INumberFormat
{
    public static int BlockValues => KBlocks.Values;

    public static int BlockBytes => 176;

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = KBlocks.Of(row, index, BlockBytes);
        int v = index % KBlocks.Values,
            low = block[48 + v / 64 * 32 + v % 32] >> (v / 32 % 2 * 4) & 15,
            high = block[16 + v % 32] >> (v / 32) & 1;
        (int scale, int minimum) = KBlocks.Scales12(ref MemoryMarshal.GetReference(block[4..]), (nuint)(v / 32));
        float product = KBlocks.Half(block, 0) * scale * (low + 16 * high);
        return product - KBlocks.Half(block, 2) * minimum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / KBlocks.Values * 176);
        nuint v = index % KBlocks.Values;
        (int scale, int minimum) = KBlocks.Scales12(ref Unsafe.Add(ref block, 4), v / 32);
        Vector128<byte> q = KBlocks.Bits(ref block, 48 + v / 64 * 32 + v % 32, (int)(v / 32 % 2 * 4), 15);
        q |= KBlocks.Bits(ref block, 16 + v % 32, (int)(v / 32), 1) << 4;
        T product = T.Create(Nibbles.Half(in block, 0) * scale) * T.FromSBytes(q.AsSByte());
        return product - T.Create(Nibbles.Half(in block, 2) * minimum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T> => (first, second) = (Load<T>(in row, index), Load<T>(in row, index + 16));
}

/// <summary>GGUF's Q6_K: 16 sub-blocks of 16 with signed scales of a byte; (d · scale) · (q − 32).</summary>
internal readonly struct Q6_K : INumberFormat
{
    public static int BlockValues => KBlocks.Values;

    public static int BlockBytes => 210;

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = KBlocks.Of(row, index, BlockBytes);
        int v = index % KBlocks.Values,
            low = block[v / 128 * 64 + v % 64] >> (v / 64 % 2 * 4) & 15,
            high = block[128 + v / 128 * 32 + v % 32] >> (v / 32 % 4 * 2) & 3;
        return KBlocks.Half(block, 208) * (sbyte)block[192 + v / 16] * (low + 16 * high - 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / KBlocks.Values * 210);
        nuint v = index % KBlocks.Values;
        Vector128<byte> q = KBlocks.Bits(ref block, v / 128 * 64 + v % 64, (int)(v / 64 % 2 * 4), 15);
        q |= KBlocks.Bits(ref block, 128 + v / 128 * 32 + v % 32, (int)(v / 32 % 4 * 2), 3) << 4;
        T scale = T.Create(Nibbles.Half(in block, 208) * (sbyte)KBlocks.Byte(ref block, 192 + v / 16));
        return scale * T.FromSBytes((q - Vector128.Create((byte)32)).AsSByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T> => (first, second) = (Load<T>(in row, index), Load<T>(in row, index + 16));
}

/// <summary>GGUF's IQ4_XS: 8 sub-blocks of 32; (d · (scale − 32)) · t[q], t the table of IQ4_NL.</summary>
internal readonly struct IQ4_XS : INumberFormat
{
    public static int BlockValues => KBlocks.Values;

    public static int BlockBytes => 136;

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = KBlocks.Of(row, index, BlockBytes);
        int v = index % KBlocks.Values,
            scale = KBlocks.Scale4(ref MemoryMarshal.GetReference(block[2..]), (nuint)(v / 32)) - 32;
        return KBlocks.Half(block, 0) * scale * IQ4_NL.Table[Nibbles.At(block.Slice(8 + v / 32 * 16, 16), v % 32)];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / KBlocks.Values * 136);
        nuint v = index % KBlocks.Values;
        int scale = KBlocks.Scale4(ref Unsafe.Add(ref block, 2), v / 32) - 32;
        Vector128<byte> q = Nibbles.Load(in Unsafe.Add(ref block, 8 + v / 32 * 16), v % 32);
        T values = T.FromSBytes(Vector128.Shuffle(Vector128.Create(IQ4_NL.Table), q.AsSByte()));
        return T.Create(Nibbles.Half(in block, 0) * scale) * values;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T> => (first, second) = (Load<T>(in row, index), Load<T>(in row, index + 16));
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>
/// The order of 32 nibbles in GGUF's blocks of 32: byte j holds value j in its low and value j + 16 in its high half.
/// </summary>
/// <remarks>
/// The formats of this file share it. Each has a float16 d, some a float16 m, some 32 fifth bits; a value is a product
/// and, with m, a sum, each rounded to float32 in the order of its definition. Source of all of them: ggml-common.h and
/// ggml-quants.c of ggml-org/ggml; equal bits on the rows of types.json (GgmlFormatTests).
/// </remarks>
// Bound: half of one block, whose bytes the format's BlockBytes counts and the kernel of the matrix keeps within the
// row.
internal static class Nibbles
{
    /// <summary>The nibble of a value, 0 to 31, in the sixteen bytes of a block.</summary>
    public static int At(ReadOnlySpan<byte> bytes, int index) => bytes[index % 16] >> (index / 16 * 4) & 0xF;

    /// <summary>The nibbles of the values 0 to 15, or from 16 on, one in each byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Load(ref readonly byte bytes, nuint first)
    {
        Vector128<byte> both = Vector128.LoadUnsafe(in bytes);
        return first == 0 ? both & Vector128.Create((byte)0xF) : both >>> 4;
    }

    /// <summary>16 in each byte whose bit is set in a word of sixteen bits, else 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> FifthBits(ushort bits)
    {
        Vector128<byte> spread = Vector128.Shuffle(
            Vector128.Create(bits).AsByte(),
            Vector128.Create((byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)
        );
        Vector128<byte> places = Vector128.Create(0x8040_2010_0804_0201UL).AsByte();
        return Vector128.Equals(spread & places, places) & Vector128.Create((byte)16);
    }

    /// <summary>The float16 that a block begins with.</summary>
    public static float Scale(ReadOnlySpan<byte> block) => Half(in block[0], 0);

    /// <summary>The float16 at an offset of a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Half(ref readonly byte block, nuint offset) =>
        Float16.ToScale(Unsafe.ReadUnaligned<ushort>(in Unsafe.Add(ref Unsafe.AsRef(in block), offset)));

    /// <summary>The sixteen of the fifth bits that belong to the values from an index on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Bits(ref readonly byte bits, nuint first) =>
        Unsafe.ReadUnaligned<ushort>(in Unsafe.Add(ref Unsafe.AsRef(in bits), first / 8));
}

/// <summary>GGUF's Q4_0: float16 d, then nibbles q. A value is d · (q − 8).</summary>
internal readonly struct Q4_0 : INumberFormat
{
    public static int BlockValues => 32;

    public static int BlockBytes => 18;

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = row.Slice(index / BlockValues * BlockBytes, BlockBytes);
        return Nibbles.Scale(block) * (Nibbles.At(block[2..], index % BlockValues) - 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 18);
        Vector128<byte> q = Nibbles.Load(in Unsafe.Add(ref block, 2), index % 32) - Vector128.Create((byte)8);
        return T.Create(Nibbles.Half(in block, 0)) * T.FromSBytes(q.AsSByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 18);
        T d = T.Create(Nibbles.Half(in block, 0));
        Vector128<byte> offset = Vector128.Create((byte)8);
        first = d * T.FromSBytes((Nibbles.Load(in Unsafe.Add(ref block, 2), 0) - offset).AsSByte());
        second = d * T.FromSBytes((Nibbles.Load(in Unsafe.Add(ref block, 2), 16) - offset).AsSByte());
    }
}

/// <summary>GGUF's Q4_1: float16 d and m, then nibbles q. A value is d · q + m, rounded twice.</summary>
internal readonly struct Q4_1 : INumberFormat
{
    public static int BlockValues => 32;

    public static int BlockBytes => 20;

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = row.Slice(index / BlockValues * BlockBytes, BlockBytes);
        float product = Nibbles.Scale(block) * Nibbles.At(block[4..], index % BlockValues);
        return product + Nibbles.Scale(block[2..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 20);
        T q = T.FromSBytes(Nibbles.Load(in Unsafe.Add(ref block, 4), index % 32).AsSByte());
        return T.Create(Nibbles.Half(in block, 0)) * q + T.Create(Nibbles.Half(in block, 2));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 20);
        T d = T.Create(Nibbles.Half(in block, 0)),
            m = T.Create(Nibbles.Half(in block, 2));
        first = d * T.FromSBytes(Nibbles.Load(in Unsafe.Add(ref block, 4), 0).AsSByte()) + m;
        second = d * T.FromSBytes(Nibbles.Load(in Unsafe.Add(ref block, 4), 16).AsSByte()) + m;
    }
}

/// <summary>GGUF's Q5_0: float16 d, 32 fifth bits, then nibbles. A value is d · (q − 16), q of five bits.</summary>
internal readonly struct Q5_0 : INumberFormat
{
    public static int BlockValues => 32;

    public static int BlockBytes => 22;

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = row.Slice(index / BlockValues * BlockBytes, BlockBytes);
        int i = index % BlockValues,
            q = Nibbles.At(block[6..], i) + 16 * (int)(MemoryMarshal.Read<uint>(block[2..]) >> i & 1);
        return Nibbles.Scale(block) * (q - 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 22);
        Vector128<byte> q = Nibbles.Load(in Unsafe.Add(ref block, 6), index % 32);
        q |= Nibbles.FifthBits(Nibbles.Bits(in Unsafe.Add(ref block, 2), index % 32));
        return T.Create(Nibbles.Half(in block, 0)) * T.FromSBytes((q - Vector128.Create((byte)16)).AsSByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 22);
        T d = T.Create(Nibbles.Half(in block, 0));
        Vector128<byte> offset = Vector128.Create((byte)16),
            low = Nibbles.Load(in Unsafe.Add(ref block, 6), 0),
            high = Nibbles.Load(in Unsafe.Add(ref block, 6), 16);
        low |= Nibbles.FifthBits(Nibbles.Bits(in Unsafe.Add(ref block, 2), 0));
        high |= Nibbles.FifthBits(Nibbles.Bits(in Unsafe.Add(ref block, 2), 16));
        first = d * T.FromSBytes((low - offset).AsSByte());
        second = d * T.FromSBytes((high - offset).AsSByte());
    }
}

/// <summary>GGUF's Q5_1: float16 d and m, 32 fifth bits, then nibbles. A value is d · q + m, rounded twice.</summary>
internal readonly struct Q5_1 : INumberFormat
{
    public static int BlockValues => 32;

    public static int BlockBytes => 24;

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = row.Slice(index / BlockValues * BlockBytes, BlockBytes);
        int i = index % BlockValues,
            q = Nibbles.At(block[8..], i) + 16 * (int)(MemoryMarshal.Read<uint>(block[4..]) >> i & 1);
        float product = Nibbles.Scale(block) * q;
        return product + Nibbles.Scale(block[2..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 24);
        Vector128<byte> q = Nibbles.Load(in Unsafe.Add(ref block, 8), index % 32);
        q |= Nibbles.FifthBits(Nibbles.Bits(in Unsafe.Add(ref block, 4), index % 32));
        return T.Create(Nibbles.Half(in block, 0)) * T.FromSBytes(q.AsSByte()) + T.Create(Nibbles.Half(in block, 2));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 24);
        T d = T.Create(Nibbles.Half(in block, 0)),
            m = T.Create(Nibbles.Half(in block, 2));
        Vector128<byte> low = Nibbles.Load(in Unsafe.Add(ref block, 8), 0),
            high = Nibbles.Load(in Unsafe.Add(ref block, 8), 16);
        low |= Nibbles.FifthBits(Nibbles.Bits(in Unsafe.Add(ref block, 4), 0));
        high |= Nibbles.FifthBits(Nibbles.Bits(in Unsafe.Add(ref block, 4), 16));
        first = d * T.FromSBytes(low.AsSByte()) + m;
        second = d * T.FromSBytes(high.AsSByte()) + m;
    }
}

/// <summary>GGUF's IQ4_NL: float16 d, then nibbles that index a table t of sixteen. A value is d · t[q].</summary>
internal readonly struct IQ4_NL : INumberFormat
{
    public static int BlockValues => 32;

    public static int BlockBytes => 18;

    /// <summary>The sixteen values that a nibble stands for, denser around zero.</summary>
    public static ReadOnlySpan<sbyte> Table =>
        [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    public static float Value(ReadOnlySpan<byte> row, int index)
    {
        ReadOnlySpan<byte> block = row.Slice(index / BlockValues * BlockBytes, BlockBytes);
        return Nibbles.Scale(block) * Table[Nibbles.At(block[2..], index % BlockValues)];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 18);
        Vector128<sbyte> q = Vector128.Shuffle(
            Vector128.Create(Table),
            Nibbles.Load(in Unsafe.Add(ref block, 2), index % 32).AsSByte()
        );
        return T.Create(Nibbles.Half(in block, 0)) * T.FromSBytes(q);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T>
    {
        ref byte block = ref Unsafe.Add(ref Unsafe.AsRef(in row), index / 32 * 18);
        T d = T.Create(Nibbles.Half(in block, 0));
        Vector128<sbyte> table = Vector128.Create(Table),
            low = Nibbles.Load(in Unsafe.Add(ref block, 2), 0).AsSByte(),
            high = Nibbles.Load(in Unsafe.Add(ref block, 2), 16).AsSByte();
        first = d * T.FromSBytes(Vector128.Shuffle(table, low));
        second = d * T.FromSBytes(Vector128.Shuffle(table, high));
    }
}

// Over 300 lines: four registers make each operation four expressions, and CSharpier gives each its own line.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels;

/// <summary>
/// Sixteen lanes in four 128-bit registers of four floats: lanes 0 to 3, 4 to 7, 8 to 11 and 12 to 15. It uses portable
/// operations only and so serves SSE, Arm NEON and WebAssembly.
/// </summary>
internal readonly struct Lanes128(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    : ILanes<Lanes128>
{
    private readonly Vector128<float> _a = a;
    private readonly Vector128<float> _b = b;
    private readonly Vector128<float> _c = c;
    private readonly Vector128<float> _d = d;

    public static int Registers => 4;

    public static Lanes128 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector128<float>.Zero, Vector128<float>.Zero, Vector128<float>.Zero, Vector128<float>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Create(float value)
    {
        Vector128<float> four = Vector128.Create(value);
        return new(four, four, four, four);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(ref readonly float source, nuint index) =>
        new(
            Vector128.LoadUnsafe(in source, index),
            Vector128.LoadUnsafe(in source, index + 4),
            Vector128.LoadUnsafe(in source, index + 8),
            Vector128.LoadUnsafe(in source, index + 12)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes128 lanes, ref float destination, nuint index)
    {
        lanes._a.StoreUnsafe(ref destination, index);
        lanes._b.StoreUnsafe(ref destination, index + 4);
        lanes._c.StoreUnsafe(ref destination, index + 8);
        lanes._d.StoreUnsafe(ref destination, index + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadBFloat16(ref readonly ushort source, nuint index)
    {
        (Vector128<uint> a, Vector128<uint> b) = Vector128.Widen(Vector128.LoadUnsafe(in source, index));
        (Vector128<uint> c, Vector128<uint> d) = Vector128.Widen(Vector128.LoadUnsafe(in source, index + 8));
        return new((a << 16).AsSingle(), (b << 16).AsSingle(), (c << 16).AsSingle(), (d << 16).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadSByte(ref readonly sbyte source, nuint index)
    {
        (Vector128<short> low, Vector128<short> high) = Vector128.Widen(Vector128.LoadUnsafe(in source, index));
        (Vector128<int> a, Vector128<int> b) = Vector128.Widen(low);
        (Vector128<int> c, Vector128<int> d) = Vector128.Widen(high);
        return new(
            Vector128.ConvertToSingle(a),
            Vector128.ConvertToSingle(b),
            Vector128.ConvertToSingle(c),
            Vector128.ConvertToSingle(d)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 MultiplyAdd(Lanes128 a, Lanes128 b, Lanes128 addend) =>
        new(
            Vector128.FusedMultiplyAdd(a._a, b._a, addend._a),
            Vector128.FusedMultiplyAdd(a._b, b._b, addend._b),
            Vector128.FusedMultiplyAdd(a._c, b._c, addend._c),
            Vector128.FusedMultiplyAdd(a._d, b._d, addend._d)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator +(Lanes128 a, Lanes128 b) =>
        new(a._a + b._a, a._b + b._b, a._c + b._c, a._d + b._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator -(Lanes128 a, Lanes128 b) =>
        new(a._a - b._a, a._b - b._b, a._c - b._c, a._d - b._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator *(Lanes128 a, Lanes128 b) =>
        new(a._a * b._a, a._b * b._b, a._c * b._c, a._d * b._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator /(Lanes128 a, Lanes128 b) =>
        new(a._a / b._a, a._b / b._b, a._c / b._c, a._d / b._d);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 WhereLess(Lanes128 a, Lanes128 b, Lanes128 yes, Lanes128 no) =>
        new(
            Vector128.ConditionalSelect(Vector128.LessThan(a._a, b._a), yes._a, no._a),
            Vector128.ConditionalSelect(Vector128.LessThan(a._b, b._b), yes._b, no._b),
            Vector128.ConditionalSelect(Vector128.LessThan(a._c, b._c), yes._c, no._c),
            Vector128.ConditionalSelect(Vector128.LessThan(a._d, b._d), yes._d, no._d)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 PowerOfTwo(Lanes128 shifted) =>
        new(PowerOfTwo(shifted._a), PowerOfTwo(shifted._b), PowerOfTwo(shifted._c), PowerOfTwo(shifted._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> PowerOfTwo(Vector128<float> shifted) =>
        ((shifted.AsInt32() << 23) + Vector128.Create(0x3F80_0000)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes128 lanes) => SumQuarter((lanes._a + lanes._c) + (lanes._b + lanes._d));

    /// <summary>Adds four lanes in the order of the tree: lane i + 2 to lane i, then lane 1 to lane 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SumQuarter(Vector128<float> four)
    {
        Vector128<float> two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 2, 3));
        return two.ToScalar() + two.GetElement(1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Lanes128 lanes) =>
        MaxQuarter(
            Vector128.MaxNative(Vector128.MaxNative(lanes._a, lanes._b), Vector128.MaxNative(lanes._c, lanes._d))
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxQuarter(Vector128<float> four)
    {
        four = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadBits(ref readonly byte source, nuint offset) =>
        new(
            Vector128.LoadUnsafe(in source, offset).AsSingle(),
            Vector128.LoadUnsafe(in source, offset + 16).AsSingle(),
            Vector128.LoadUnsafe(in source, offset + 32).AsSingle(),
            Vector128.LoadUnsafe(in source, offset + 48).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadBits(ref readonly byte source, nuint offset, int blocks) =>
        new(
            Vector128.LoadUnsafe(in source, offset).AsSingle(),
            blocks > 1 ? Vector128.LoadUnsafe(in source, offset + 16).AsSingle() : default,
            blocks > 2 ? Vector128.LoadUnsafe(in source, offset + 32).AsSingle() : default,
            default
        );

    // The sixteen E2M1 values as bfloat16, which holds them exactly: here the upper bytes, in LowerBytes the lower
    // ones. For example code 3 is 1.5, which is 0x3FC0: 0x3F here and 0xC0 there.
    internal static Vector128<byte> UpperBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get =>
            Vector128.Create(
                0,
                0x3F,
                0x3F,
                0x3F,
                0x40,
                0x40,
                0x40,
                0x40,
                0x80,
                0xBF,
                0xBF,
                0xBF,
                0xC0,
                0xC0,
                0xC0,
                0xC0
            );
    }

    internal static Vector128<byte> LowerBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get =>
            Vector128.Create(0, 0x00, 0x80, 0xC0, 0x00, 0x40, 0x80, 0xC0, 0, 0x00, 0x80, 0xC0, 0x00, 0x40, 0x80, 0xC0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(Lanes128 bits, out Lanes128 k0, out Lanes128 k1, out Lanes128 k2, out Lanes128 k3)
    {
        Codes(
            bits._a,
            out Vector128<float> a0,
            out Vector128<float> a1,
            out Vector128<float> a2,
            out Vector128<float> a3
        );
        Codes(
            bits._b,
            out Vector128<float> b0,
            out Vector128<float> b1,
            out Vector128<float> b2,
            out Vector128<float> b3
        );
        Codes(
            bits._c,
            out Vector128<float> c0,
            out Vector128<float> c1,
            out Vector128<float> c2,
            out Vector128<float> c3
        );
        Codes(
            bits._d,
            out Vector128<float> d0,
            out Vector128<float> d1,
            out Vector128<float> d2,
            out Vector128<float> d3
        );
        (k0, k1, k2, k3) = (new(a0, b0, c0, d0), new(a1, b1, c1, d1), new(a2, b2, c2, d2), new(a3, b3, c3, d3));
    }

    // Each 32-bit lane of a k register holds two decoded bfloat16 values: code j in the lower half, code j + 4 in the
    // upper.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Codes(
        Vector128<float> bits,
        out Vector128<float> k0,
        out Vector128<float> k1,
        out Vector128<float> k2,
        out Vector128<float> k3
    )
    {
        LookUp(bits.AsByte() & Vector128.Create((byte)0xF), out k0, out k2);
        LookUp(bits.AsByte() >>> 4, out k1, out k3);
    }

    // Decodes the four codes of each lane, one in each of its bytes. The values of the bytes 0 and 2 go to the halves
    // of the first register, the values of the bytes 1 and 3 to the halves of the second.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LookUp(Vector128<byte> codes, out Vector128<float> first, out Vector128<float> second)
    {
        Vector128<ushort> upper = Vector128.ShuffleNative(UpperBytes, codes).AsUInt16();
        Vector128<ushort> lower = Vector128.ShuffleNative(LowerBytes, codes).AsUInt16();
        first = ((upper << 8) | (lower & Vector128.Create((ushort)0x00FF))).AsSingle();
        second = ((upper & Vector128.Create((ushort)0xFF00)) | (lower >>> 8)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 FirstValues(Lanes128 k) =>
        new(
            (k._a.AsUInt32() << 16).AsSingle(),
            (k._b.AsUInt32() << 16).AsSingle(),
            (k._c.AsUInt32() << 16).AsSingle(),
            (k._d.AsUInt32() << 16).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 SecondValues(Lanes128 k)
    {
        Vector128<uint> mask = Vector128.Create(0xFFFF_0000u);
        return new(
            (k._a.AsUInt32() & mask).AsSingle(),
            (k._b.AsUInt32() & mask).AsSingle(),
            (k._c.AsUInt32() & mask).AsSingle(),
            (k._d.AsUInt32() & mask).AsSingle()
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Scales(ref readonly byte source, nuint offset)
    {
        uint scales = Lanes.Dword(in source, offset);
        return new(Scale(scales), Scale(scales >> 8), Scale(scales >> 16), Scale(scales >> 24));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Scale(uint scale) => Vector128.Create(Mxfp4.Scale((byte)scale));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxMagnitude(Lanes128 a, Lanes128 b)
    {
        Vector128<int> mask = Vector128.Create(0x7FFF_FFFF);
        return MaxOf(
            Vector128.Max(
                Vector128.Max(
                    Vector128.Max(a._a.AsInt32() & mask, a._b.AsInt32() & mask),
                    Vector128.Max(a._c.AsInt32() & mask, a._d.AsInt32() & mask)
                ),
                Vector128.Max(
                    Vector128.Max(b._a.AsInt32() & mask, b._b.AsInt32() & mask),
                    Vector128.Max(b._c.AsInt32() & mask, b._d.AsInt32() & mask)
                )
            )
        );
    }

    /// <summary>The largest of four magnitudes, compared as integers: infinity and NaN are the largest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxOf(Vector128<int> magnitudes)
    {
        Vector128<int> two = Vector128.Max(magnitudes, Vector128.Shuffle(magnitudes, Vector128.Create(2, 3, 2, 3)));
        return BitConverter.Int32BitsToSingle(Math.Max(two.ToScalar(), two.GetElement(1)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LowBytes(Lanes128 lanes) =>
        Vector128.Narrow(
            Vector128.Narrow(lanes._a.AsUInt32(), lanes._b.AsUInt32()),
            Vector128.Narrow(lanes._c.AsUInt32(), lanes._d.AsUInt32())
        );

    /// <summary>
    /// Moves the bytes of sixteen consecutive blocks to the lanes of <see cref="BlockSums"/>: block 1 to lane 4.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> InLanes(Vector128<byte> scales) =>
        Vector128.Shuffle(scales, Vector128.Create((byte)0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));

    // A 128-bit register holds one block, and its weights are signed, so there is no offset to subtract.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 BlockSums(
        ref readonly byte blocks,
        nuint offset,
        ref readonly byte x,
        nuint at,
        ref readonly int offsets
    ) =>
        new(
            FourSums(in blocks, offset, in x, at),
            FourSums(in blocks, offset + 16, in x, at + 16),
            FourSums(in blocks, offset + 32, in x, at + 32),
            FourSums(in blocks, offset + 48, in x, at + 48)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> FourSums(ref readonly byte blocks, nuint offset, ref readonly byte x, nuint at) =>
        Vector128.ConvertToSingle(
            Vector128.Create(
                BlockSum(in blocks, offset, in x, at),
                BlockSum(in blocks, offset + 64, in x, at + 128),
                BlockSum(in blocks, offset + 128, in x, at + 256),
                BlockSum(in blocks, offset + 192, in x, at + 384)
            )
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int BlockSum(ref readonly byte blocks, nuint offset, ref readonly byte x, nuint at)
    {
        Vector128<byte> bits = Vector128.LoadUnsafe(in blocks, offset);
        Vector128<sbyte> even = Vector128.ShuffleNative(
            Mxfp4Int8.SignedTable,
            (bits & Vector128.Create((byte)0xF)).AsSByte()
        );
        Vector128<sbyte> odd = Vector128.ShuffleNative(Mxfp4Int8.SignedTable, (bits >>> 4).AsSByte());
        Vector128<sbyte> x0 = Vector128.LoadUnsafe(in x, at).AsSByte(),
            x1 = Vector128.LoadUnsafe(in x, at + 64).AsSByte();
        Vector128<short> sums =
            Vector128.WidenLower(even) * Vector128.WidenLower(x0)
            + Vector128.WidenUpper(even) * Vector128.WidenUpper(x0)
            + Vector128.WidenLower(odd) * Vector128.WidenLower(x1)
            + Vector128.WidenUpper(odd) * Vector128.WidenUpper(x1);
        return Vector128.Sum(Vector128.WidenLower(sums) + Vector128.WidenUpper(sums));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 BlockScales(Vector128<byte> scales)
    {
        Vector128<byte> bytes = InLanes(scales);
        (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(bytes);
        return new(
            FourScales(Vector128.WidenLower(low)),
            FourScales(Vector128.WidenUpper(low)),
            FourScales(Vector128.WidenLower(high)),
            FourScales(Vector128.WidenUpper(high))
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> FourScales(Vector128<uint> scales) =>
        Vector128.Max(scales << 23, Vector128.Create(0x0040_0000u)).AsSingle();
}

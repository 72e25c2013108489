using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Sixteen lanes in four 128-bit registers of four floats: lanes 0 to 3, 4 to 7, 8 to 11 and 12 to 15. It uses portable
/// operations only and so serves SSE, Arm NEON and WebAssembly.
/// </summary>
// Bound: sixteen values or bytes at the index, which every kernel keeps within its spans.
internal readonly struct Lanes128(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    : ILanes<Lanes128>
{
    public Vector128<float> A { get; } = a;
    public Vector128<float> B { get; } = b;
    public Vector128<float> C { get; } = c;
    public Vector128<float> D { get; } = d;

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
        lanes.A.StoreUnsafe(ref destination, index);
        lanes.B.StoreUnsafe(ref destination, index + 4);
        lanes.C.StoreUnsafe(ref destination, index + 8);
        lanes.D.StoreUnsafe(ref destination, index + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadBFloat16(ref readonly ushort source, nuint index)
    {
        (Vector128<uint> a, Vector128<uint> b) = Vector128.Widen(Vector128.LoadUnsafe(in source, index));
        (Vector128<uint> c, Vector128<uint> d) = Vector128.Widen(Vector128.LoadUnsafe(in source, index + 8));
        return new((a << 16).AsSingle(), (b << 16).AsSingle(), (c << 16).AsSingle(), (d << 16).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadSByte(ref readonly sbyte source, nuint index) =>
        FromSBytes(Vector128.LoadUnsafe(in source, index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 FromSBytes(Vector128<sbyte> bytes)
    {
        (Vector128<short> low, Vector128<short> high) = Vector128.Widen(bytes);
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
            Vector128.FusedMultiplyAdd(a.A, b.A, addend.A),
            Vector128.FusedMultiplyAdd(a.B, b.B, addend.B),
            Vector128.FusedMultiplyAdd(a.C, b.C, addend.C),
            Vector128.FusedMultiplyAdd(a.D, b.D, addend.D)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 MultiplyAdd(Lanes128 a, ref readonly float b, nuint index, Lanes128 addend) =>
        MultiplyAdd(a, Load(in b, index), addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator +(Lanes128 a, Lanes128 b) => new(a.A + b.A, a.B + b.B, a.C + b.C, a.D + b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator -(Lanes128 a, Lanes128 b) => new(a.A - b.A, a.B - b.B, a.C - b.C, a.D - b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator *(Lanes128 a, Lanes128 b) => new(a.A * b.A, a.B * b.B, a.C * b.C, a.D * b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator /(Lanes128 a, Lanes128 b) => new(a.A / b.A, a.B / b.B, a.C / b.C, a.D / b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 WhereLess(Lanes128 a, Lanes128 b, Lanes128 yes, Lanes128 no) =>
        new(
            Vector128.ConditionalSelect(Vector128.LessThan(a.A, b.A), yes.A, no.A),
            Vector128.ConditionalSelect(Vector128.LessThan(a.B, b.B), yes.B, no.B),
            Vector128.ConditionalSelect(Vector128.LessThan(a.C, b.C), yes.C, no.C),
            Vector128.ConditionalSelect(Vector128.LessThan(a.D, b.D), yes.D, no.D)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 PowerOfTwo(Lanes128 shifted) =>
        new(PowerOfTwo(shifted.A), PowerOfTwo(shifted.B), PowerOfTwo(shifted.C), PowerOfTwo(shifted.D));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> PowerOfTwo(Vector128<float> shifted) =>
        ((shifted.AsInt32() << 23) + Vector128.Create(0x3F80_0000)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes128 lanes) => SumQuarter((lanes.A + lanes.C) + (lanes.B + lanes.D));

    /// <summary>Adds four lanes in the order of the tree: lane i + 2 to lane i, then lane 1 to lane 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SumQuarter(Vector128<float> four)
    {
        Vector128<float> two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 2, 3));
        return two.ToScalar() + two.GetElement(1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Lanes128 lanes) =>
        MaxQuarter(Vector128.MaxNative(Vector128.MaxNative(lanes.A, lanes.B), Vector128.MaxNative(lanes.C, lanes.D)));

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
    public static Lanes128 LoadBits(ref readonly byte source, nuint offset, nuint stride) =>
        CreateBits(
            Vector128.LoadUnsafe(in source, offset),
            Vector128.LoadUnsafe(in source, offset + stride),
            Vector128.LoadUnsafe(in source, offset + 2 * stride),
            Vector128.LoadUnsafe(in source, offset + 3 * stride)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 CreateBits(uint bits) => Create(BitConverter.UInt32BitsToSingle(bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 CreateBits(Vector128<byte> four) => CreateBits(four, four, four, four);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 CreateBits(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d) =>
        new(a.AsSingle(), b.AsSingle(), c.AsSingle(), d.AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator &(Lanes128 a, Lanes128 b) => new(a.A & b.A, a.B & b.B, a.C & b.C, a.D & b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator |(Lanes128 a, Lanes128 b) => new(a.A | b.A, a.B | b.B, a.C | b.C, a.D | b.D);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator <<(Lanes128 bits, int count) =>
        new(
            (bits.A.AsUInt32() << count).AsSingle(),
            (bits.B.AsUInt32() << count).AsSingle(),
            (bits.C.AsUInt32() << count).AsSingle(),
            (bits.D.AsUInt32() << count).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator >>>(Lanes128 bits, int count) =>
        new(
            (bits.A.AsUInt32() >>> count).AsSingle(),
            (bits.B.AsUInt32() >>> count).AsSingle(),
            (bits.C.AsUInt32() >>> count).AsSingle(),
            (bits.D.AsUInt32() >>> count).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 SelectBytes(Lanes128 mask, Lanes128 a, Lanes128 b) =>
        new(
            Vector128.ConditionalSelect(mask.A, a.A, b.A),
            Vector128.ConditionalSelect(mask.B, a.B, b.B),
            Vector128.ConditionalSelect(mask.C, a.C, b.C),
            Vector128.ConditionalSelect(mask.D, a.D, b.D)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 EvenLanes(Lanes128 a, Lanes128 b)
    {
        Vector128<int> even = Vector128.Create(0, 2, 0, 2);
        return new(Pick(a.A, b.A, even), Pick(a.B, b.B, even), Pick(a.C, b.C, even), Pick(a.D, b.D, even));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 OddLanes(Lanes128 a, Lanes128 b)
    {
        Vector128<int> odd = Vector128.Create(1, 3, 1, 3);
        return new(Pick(a.A, b.A, odd), Pick(a.B, b.B, odd), Pick(a.C, b.C, odd), Pick(a.D, b.D, odd));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Pick(Vector128<float> a, Vector128<float> b, Vector128<int> lanes) =>
        Vector128.Create(Vector128.Shuffle(a, lanes).GetLower(), Vector128.Shuffle(b, lanes).GetLower());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 EveryFourth(Lanes128 a, Lanes128 b, Lanes128 c, Lanes128 d) =>
        new(
            EveryFourth(a.A, b.A, c.A, d.A),
            EveryFourth(a.B, b.B, c.B, d.B),
            EveryFourth(a.C, b.C, c.C, d.C),
            EveryFourth(a.D, b.D, c.D, d.D)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> EveryFourth(
        Vector128<float> a,
        Vector128<float> b,
        Vector128<float> c,
        Vector128<float> d
    )
    {
        Vector128<float> even = Vector128.Create(uint.MaxValue, 0, uint.MaxValue, 0).AsSingle(),
            first = Vector128.Create(ulong.MaxValue, 0).AsSingle();
        return Vector128.ConditionalSelect(
            first,
            Vector128.ConditionalSelect(even, a, b),
            Vector128.ConditionalSelect(even, c, d)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 MaxBits(Lanes128 a, Lanes128 b) =>
        new(
            Vector128.Max(a.A.AsUInt32(), b.A.AsUInt32()).AsSingle(),
            Vector128.Max(a.B.AsUInt32(), b.B.AsUInt32()).AsSingle(),
            Vector128.Max(a.C.AsUInt32(), b.C.AsUInt32()).AsSingle(),
            Vector128.Max(a.D.AsUInt32(), b.D.AsUInt32()).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LookUp(Lanes128 table, Lanes128 indices) =>
        new(
            Vector128.ShuffleNative(table.A.AsByte(), indices.A.AsByte()).AsSingle(),
            Vector128.ShuffleNative(table.B.AsByte(), indices.B.AsByte()).AsSingle(),
            Vector128.ShuffleNative(table.C.AsByte(), indices.C.AsByte()).AsSingle(),
            Vector128.ShuffleNative(table.D.AsByte(), indices.D.AsByte()).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxMagnitude(Lanes128 a, Lanes128 b)
    {
        Vector128<int> mask = Vector128.Create(0x7FFF_FFFF);
        return MaxOf(
            Vector128.Max(
                Vector128.Max(
                    Vector128.Max(a.A.AsInt32() & mask, a.B.AsInt32() & mask),
                    Vector128.Max(a.C.AsInt32() & mask, a.D.AsInt32() & mask)
                ),
                Vector128.Max(
                    Vector128.Max(b.A.AsInt32() & mask, b.B.AsInt32() & mask),
                    Vector128.Max(b.C.AsInt32() & mask, b.D.AsInt32() & mask)
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
            Vector128.Narrow(lanes.A.AsUInt32(), lanes.B.AsUInt32()),
            Vector128.Narrow(lanes.C.AsUInt32(), lanes.D.AsUInt32())
        );
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels.Registers;

/// <summary>Sixteen lanes in two 256-bit registers of eight floats (AVX2): lanes 0 to 7 and lanes 8 to 15.</summary>
// Bound: sixteen values or bytes at the index, which every kernel keeps within its spans.
internal readonly struct Lanes256(Vector256<float> low, Vector256<float> high) : ILanes<Lanes256>
{
    public Vector256<float> Low { get; } = low;
    public Vector256<float> High { get; } = high;

    public static int Registers => 2;

    public static Lanes256 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector256<float>.Zero, Vector256<float>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Create(float value) => new(Vector256.Create(value), Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(ref readonly float source, nuint index) =>
        new(Vector256.LoadUnsafe(in source, index), Vector256.LoadUnsafe(in source, index + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes256 lanes, ref float destination, nuint index)
    {
        lanes.Low.StoreUnsafe(ref destination, index);
        lanes.High.StoreUnsafe(ref destination, index + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBFloat16(ref readonly ushort source, nuint index) =>
        new(
            (Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in source, index)) << 16).AsSingle(),
            (Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in source, index + 8)) << 16).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadSByte(ref readonly sbyte source, nuint index) =>
        FromSBytes(Vector128.LoadUnsafe(in source, index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 FromSBytes(Vector128<sbyte> bytes) =>
        new(
            Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(bytes)),
            Vector256.ConvertToSingle(
                Avx2.ConvertToVector256Int32(Vector128.Shuffle(bytes.AsInt64(), Vector128.Create(1, 0)).AsSByte())
            )
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 MultiplyAdd(Lanes256 a, Lanes256 b, Lanes256 addend) =>
        new(
            Vector256.FusedMultiplyAdd(a.Low, b.Low, addend.Low),
            Vector256.FusedMultiplyAdd(a.High, b.High, addend.High)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 MultiplyAdd(Lanes256 a, ref readonly float b, nuint index, Lanes256 addend)
    {
        // A load becomes part of its instruction where no property is read after it.
        Vector256<float> low = a.Low,
            high = a.High,
            addendLow = addend.Low,
            addendHigh = addend.High;
        return new(
            Vector256.FusedMultiplyAdd(low, Vector256.LoadUnsafe(in b, index), addendLow),
            Vector256.FusedMultiplyAdd(high, Vector256.LoadUnsafe(in b, index + 8), addendHigh)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator +(Lanes256 a, Lanes256 b) => new(a.Low + b.Low, a.High + b.High);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 a, Lanes256 b) => new(a.Low - b.Low, a.High - b.High);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator *(Lanes256 a, Lanes256 b) => new(a.Low * b.Low, a.High * b.High);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator /(Lanes256 a, Lanes256 b) => new(a.Low / b.Low, a.High / b.High);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 WhereLess(Lanes256 a, Lanes256 b, Lanes256 yes, Lanes256 no) =>
        new(
            Vector256.ConditionalSelect(Vector256.LessThan(a.Low, b.Low), yes.Low, no.Low),
            Vector256.ConditionalSelect(Vector256.LessThan(a.High, b.High), yes.High, no.High)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 PowerOfTwo(Lanes256 shifted) =>
        new(
            ((shifted.Low.AsInt32() << 23) + Vector256.Create(0x3F80_0000)).AsSingle(),
            ((shifted.High.AsInt32() << 23) + Vector256.Create(0x3F80_0000)).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes256 lanes) => SumHalves(lanes.Low + lanes.High);

    /// <summary>Adds eight lanes in the order of the tree: lane i + 4 to lane i, then i + 2, then i + 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SumHalves(Vector256<float> eight) => Lanes128.SumQuarter(eight.GetLower() + eight.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Lanes256 lanes) => MaxHalves(Vector256.MaxNative(lanes.Low, lanes.High));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxHalves(Vector256<float> eight) =>
        Lanes128.MaxQuarter(Vector128.MaxNative(eight.GetLower(), eight.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBits(ref readonly byte source, nuint offset) =>
        new(
            Vector256.LoadUnsafe(in source, offset).AsSingle(),
            Vector256.LoadUnsafe(in source, offset + 32).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBits(ref readonly byte source, nuint offset, nuint stride) =>
        new(
            Vector256
                .Create(Vector128.LoadUnsafe(in source, offset), Vector128.LoadUnsafe(in source, offset + stride))
                .AsSingle(),
            Vector256
                .Create(
                    Vector128.LoadUnsafe(in source, offset + 2 * stride),
                    Vector128.LoadUnsafe(in source, offset + 3 * stride)
                )
                .AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 CreateBits(uint bits) =>
        new(Vector256.Create(bits).AsSingle(), Vector256.Create(bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 CreateBits(Vector128<byte> four) =>
        new(Vector256.Create(four).AsSingle(), Vector256.Create(four).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 CreateBits(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d) =>
        new(Vector256.Create(a, b).AsSingle(), Vector256.Create(c, d).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator &(Lanes256 a, Lanes256 b) => new(a.Low & b.Low, a.High & b.High);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator |(Lanes256 a, Lanes256 b) => new(a.Low | b.Low, a.High | b.High);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator <<(Lanes256 bits, int count) =>
        new((bits.Low.AsUInt32() << count).AsSingle(), (bits.High.AsUInt32() << count).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator >>>(Lanes256 bits, int count) =>
        new((bits.Low.AsUInt32() >>> count).AsSingle(), (bits.High.AsUInt32() >>> count).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 SelectBytes(Lanes256 mask, Lanes256 a, Lanes256 b) =>
        new(
            Avx2.BlendVariable(b.Low.AsByte(), a.Low.AsByte(), mask.Low.AsByte()).AsSingle(),
            Avx2.BlendVariable(b.High.AsByte(), a.High.AsByte(), mask.High.AsByte()).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 EvenLanes(Lanes256 a, Lanes256 b) =>
        new(Avx.Shuffle(a.Low, b.Low, 0b10_00_10_00), Avx.Shuffle(a.High, b.High, 0b10_00_10_00));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 OddLanes(Lanes256 a, Lanes256 b) =>
        new(Avx.Shuffle(a.Low, b.Low, 0b11_01_11_01), Avx.Shuffle(a.High, b.High, 0b11_01_11_01));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 EveryFourth(Lanes256 a, Lanes256 b, Lanes256 c, Lanes256 d) =>
        new(EveryFourth(a.Low, b.Low, c.Low, d.Low), EveryFourth(a.High, b.High, c.High, d.High));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> EveryFourth(
        Vector256<float> a,
        Vector256<float> b,
        Vector256<float> c,
        Vector256<float> d
    ) => Avx.Blend(Avx.Blend(Avx.Blend(a, b, 0b0010_0010), c, 0b0100_0100), d, 0b1000_1000);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 MaxBits(Lanes256 a, Lanes256 b) =>
        new(
            Vector256.Max(a.Low.AsUInt32(), b.Low.AsUInt32()).AsSingle(),
            Vector256.Max(a.High.AsUInt32(), b.High.AsUInt32()).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LookUp(Lanes256 table, Lanes256 indices) =>
        new(
            Avx2.Shuffle(table.Low.AsByte(), indices.Low.AsByte()).AsSingle(),
            Avx2.Shuffle(table.High.AsByte(), indices.High.AsByte()).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxMagnitude(Lanes256 a, Lanes256 b)
    {
        Vector256<int> mask = Vector256.Create(0x7FFF_FFFF);
        return MaxOf(
            Vector256.Max(
                Vector256.Max(a.Low.AsInt32() & mask, a.High.AsInt32() & mask),
                Vector256.Max(b.Low.AsInt32() & mask, b.High.AsInt32() & mask)
            )
        );
    }

    /// <summary>The largest of eight magnitudes, compared as integers: infinity and NaN are the largest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxOf(Vector256<int> magnitudes) =>
        Lanes128.MaxOf(Vector128.Max(magnitudes.GetLower(), magnitudes.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LowBytes(Lanes256 lanes)
    {
        Vector256<ushort> words = Vector256.Narrow(lanes.Low.AsUInt32(), lanes.High.AsUInt32());
        return Vector128.Narrow(words.GetLower(), words.GetUpper());
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels.Registers;

/// <summary>Sixteen lanes in one 512-bit register of sixteen floats (AVX-512 with BW).</summary>
// Bound: sixteen values or bytes at the index, which every kernel keeps within its spans.
internal readonly struct Lanes512(Vector512<float> value) : ILanes<Lanes512>
{
    /// <summary>The register; a codec with a trick for this width takes it.</summary>
    public Vector512<float> Value { get; } = value;

    public static int Registers => 1;

    public static Lanes512 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector512<float>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Create(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(ref readonly float source, nuint index) => new(Vector512.LoadUnsafe(in source, index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes512 lanes, ref float destination, nuint index) =>
        lanes.Value.StoreUnsafe(ref destination, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBFloat16(ref readonly ushort source, nuint index) =>
        new((Avx512F.ConvertToVector512Int32(Vector256.LoadUnsafe(in source, index)) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadSByte(ref readonly sbyte source, nuint index) =>
        FromSBytes(Vector128.LoadUnsafe(in source, index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 FromSBytes(Vector128<sbyte> bytes) =>
        new(Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(bytes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 MultiplyAdd(Lanes512 a, Lanes512 b, Lanes512 addend) =>
        new(Vector512.FusedMultiplyAdd(a.Value, b.Value, addend.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 MultiplyAdd(Lanes512 a, ref readonly float b, nuint index, Lanes512 addend) =>
        MultiplyAdd(a, Load(in b, index), addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator +(Lanes512 a, Lanes512 b) => new(a.Value + b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator -(Lanes512 a, Lanes512 b) => new(a.Value - b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator *(Lanes512 a, Lanes512 b) => new(a.Value * b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator /(Lanes512 a, Lanes512 b) => new(a.Value / b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 WhereLess(Lanes512 a, Lanes512 b, Lanes512 yes, Lanes512 no) =>
        new(Vector512.ConditionalSelect(Vector512.LessThan(a.Value, b.Value), yes.Value, no.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 PowerOfTwo(Lanes512 shifted) =>
        new(((shifted.Value.AsInt32() << 23) + Vector512.Create(0x3F80_0000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes512 lanes) => Lanes256.SumHalves(lanes.Value.GetLower() + lanes.Value.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Lanes512 lanes) =>
        Lanes256.MaxHalves(Vector256.MaxNative(lanes.Value.GetLower(), lanes.Value.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBits(ref readonly byte source, nuint offset) =>
        new(Vector512.LoadUnsafe(in source, offset).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBits(ref readonly byte source, nuint offset, nuint stride) =>
        CreateBits(
            Vector128.LoadUnsafe(in source, offset),
            Vector128.LoadUnsafe(in source, offset + stride),
            Vector128.LoadUnsafe(in source, offset + 2 * stride),
            Vector128.LoadUnsafe(in source, offset + 3 * stride)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 CreateBits(uint bits) => new(Vector512.Create(bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 CreateBits(Vector128<byte> four) => new(Vector512.Create(four).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 CreateBits(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d)
    {
        Vector512<int> four = Avx512F.InsertVector128(a.ToVector256().ToVector512().AsInt32(), b.AsInt32(), 1);
        four = Avx512F.InsertVector128(four, c.AsInt32(), 2);
        return new(Avx512F.InsertVector128(four, d.AsInt32(), 3).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator &(Lanes512 a, Lanes512 b) => new(a.Value & b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator |(Lanes512 a, Lanes512 b) => new(a.Value | b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator <<(Lanes512 bits, int count) => new((bits.Value.AsUInt32() << count).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator >>>(Lanes512 bits, int count) => new((bits.Value.AsUInt32() >>> count).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 SelectBytes(Lanes512 mask, Lanes512 a, Lanes512 b) =>
        new(Vector512.ConditionalSelect(mask.Value, a.Value, b.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 EvenLanes(Lanes512 a, Lanes512 b) => new(Avx512F.Shuffle(a.Value, b.Value, 0b10_00_10_00));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 OddLanes(Lanes512 a, Lanes512 b) => new(Avx512F.Shuffle(a.Value, b.Value, 0b11_01_11_01));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 EveryFourth(Lanes512 a, Lanes512 b, Lanes512 c, Lanes512 d)
    {
        Vector512<float> even = Vector512.Create(Vector128.Create(uint.MaxValue, 0, uint.MaxValue, 0)).AsSingle(),
            first = Vector512.Create(Vector128.Create(ulong.MaxValue, 0)).AsSingle();
        return new(
            Vector512.ConditionalSelect(
                first,
                Vector512.ConditionalSelect(even, a.Value, b.Value),
                Vector512.ConditionalSelect(even, c.Value, d.Value)
            )
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 MaxBits(Lanes512 a, Lanes512 b) =>
        new(Vector512.Max(a.Value.AsUInt32(), b.Value.AsUInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LookUp(Lanes512 table, Lanes512 indices) =>
        new(Avx512BW.Shuffle(table.Value.AsByte(), indices.Value.AsByte()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxMagnitude(Lanes512 a, Lanes512 b)
    {
        Vector512<int> mask = Vector512.Create(0x7FFF_FFFF);
        Vector512<int> larger = Vector512.Max(a.Value.AsInt32() & mask, b.Value.AsInt32() & mask);
        return Lanes256.MaxOf(Vector256.Max(larger.GetLower(), larger.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LowBytes(Lanes512 lanes) => Avx512F.ConvertToVector128Byte(lanes.Value.AsUInt32());
}

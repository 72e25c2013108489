using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>Sixteen lanes in one 512-bit register of sixteen floats (AVX-512 with BW).</summary>
internal readonly struct Lanes512(Vector512<float> value) : ILanes<Lanes512>
{
    private readonly Vector512<float> _value = value;

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
        lanes._value.StoreUnsafe(ref destination, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBFloat16(ref readonly ushort source, nuint index) =>
        new((Avx512F.ConvertToVector512Int32(Vector256.LoadUnsafe(in source, index)) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadSByte(ref readonly sbyte source, nuint index) =>
        new(Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.LoadUnsafe(in source, index))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 MultiplyAdd(Lanes512 a, Lanes512 b, Lanes512 addend) =>
        new(Vector512.FusedMultiplyAdd(a._value, b._value, addend._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator +(Lanes512 a, Lanes512 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator -(Lanes512 a, Lanes512 b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator *(Lanes512 a, Lanes512 b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator /(Lanes512 a, Lanes512 b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 WhereLess(Lanes512 a, Lanes512 b, Lanes512 yes, Lanes512 no) =>
        new(Vector512.ConditionalSelect(Vector512.LessThan(a._value, b._value), yes._value, no._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 PowerOfTwo(Lanes512 shifted) =>
        new(((shifted._value.AsInt32() << 23) + Vector512.Create(0x3F80_0000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes512 lanes) => Lanes256.SumHalves(lanes._value.GetLower() + lanes._value.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Lanes512 lanes) =>
        Lanes256.MaxHalves(Vector256.MaxNative(lanes._value.GetLower(), lanes._value.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBits(ref readonly byte source, nuint offset) =>
        new(Vector512.LoadUnsafe(in source, offset).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBits(ref readonly byte source, nuint offset, int blocks) =>
        new(
            (
                blocks switch
                {
                    1 => Vector128.LoadUnsafe(in source, offset).ToVector256().ToVector512(),
                    2 => Vector256.LoadUnsafe(in source, offset).ToVector512(),
                    _ => Vector256
                        .LoadUnsafe(in source, offset)
                        .ToVector512()
                        .WithUpper(Vector128.LoadUnsafe(in source, offset + 32).ToVector256()),
                }
            ).AsSingle()
        );

    // The table lookup of FirstValues uses the lowest four bits of a lane only, so the higher codes need no masking.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(Lanes512 bits, out Lanes512 k0, out Lanes512 k1, out Lanes512 k2, out Lanes512 k3) =>
        (k0, k1, k2, k3) = (bits, Shift(bits, 4), Shift(bits, 8), Shift(bits, 12));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 FirstValues(Lanes512 k) =>
        new(
            Avx512F.PermuteVar16x32(
                Vector512.Create(0f, 0.5f, 1f, 1.5f, 2f, 3f, 4f, 6f, -0f, -0.5f, -1f, -1.5f, -2f, -3f, -4f, -6f),
                k._value.AsInt32()
            )
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 SecondValues(Lanes512 k) => FirstValues(Shift(k, 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes512 Shift(Lanes512 bits, int count) => new((bits._value.AsInt32() >>> count).AsSingle());

    // Puts the scale byte of block q at the bottom of the four lanes of 128-bit part q and shifts it into the exponent.
    // Byte 0 must give 2⁻¹²⁷, whose bits are 0x0040_0000; as integers all other scales are larger, so the maximum
    // corrects byte 0 alone.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Scales(ref readonly byte source, nuint offset)
    {
        Vector512<byte> spread = Avx512BW.Shuffle(
            Vector512.Create(Lanes.Dword(in source, offset)).AsByte(),
            Vector512
                .Create(
                    0xFFFF_FF00u,
                    0xFFFF_FF00u,
                    0xFFFF_FF00u,
                    0xFFFF_FF00u,
                    0xFFFF_FF01u,
                    0xFFFF_FF01u,
                    0xFFFF_FF01u,
                    0xFFFF_FF01u,
                    0xFFFF_FF02u,
                    0xFFFF_FF02u,
                    0xFFFF_FF02u,
                    0xFFFF_FF02u,
                    0xFFFF_FF03u,
                    0xFFFF_FF03u,
                    0xFFFF_FF03u,
                    0xFFFF_FF03u
                )
                .AsByte()
        );
        return new(Vector512.Max(spread.AsUInt32() << 23, Vector512.Create(0x0040_0000u)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxMagnitude(Lanes512 a, Lanes512 b)
    {
        Vector512<int> mask = Vector512.Create(0x7FFF_FFFF);
        Vector512<int> larger = Vector512.Max(a._value.AsInt32() & mask, b._value.AsInt32() & mask);
        return Lanes256.MaxOf(Vector256.Max(larger.GetLower(), larger.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LowBytes(Lanes512 lanes) => Avx512F.ConvertToVector128Byte(lanes._value.AsUInt32());

    // Each of the registers a, b, c and d holds four blocks, with four partial sums a block in the lanes of one 128-bit
    // part. Two rounds of unpacking and adding leave the whole sum of block 4p + q in lane 4q + p, where p counts the
    // registers and q the parts.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 BlockSums(
        ref readonly byte blocks,
        nuint offset,
        ref readonly byte x,
        nuint at,
        ref readonly int offsets
    )
    {
        Vector512<int> a = DwordSums(in blocks, offset, in x, at),
            b = DwordSums(in blocks, offset + 64, in x, at + 128);
        Vector512<int> c = DwordSums(in blocks, offset + 128, in x, at + 256),
            d = DwordSums(in blocks, offset + 192, in x, at + 384);
        Vector512<long> ab = (Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b)).AsInt64();
        Vector512<long> cd = (Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d)).AsInt64();
        Vector512<int> sums = Avx512F.UnpackLow(ab, cd).AsInt32() + Avx512F.UnpackHigh(ab, cd).AsInt32();
        return new(Vector512.ConvertToSingle(sums - Vector512.LoadUnsafe(in offsets)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> DwordSums(ref readonly byte blocks, nuint offset, ref readonly byte x, nuint at)
    {
        Vector512<byte> bits = Vector512.LoadUnsafe(in blocks, offset),
            mask = Vector512.Create((byte)0xF);
        Vector512<byte> table = Vector512.Create(Vector256.Create(Mxfp4Int8.OffsetTable, Mxfp4Int8.OffsetTable));
        Vector512<byte> even = Avx512BW.Shuffle(table, bits & mask);
        Vector512<byte> odd = Avx512BW.Shuffle(table, (bits.AsUInt16() >>> 4).AsByte() & mask);
        Vector512<short> pairs =
            Avx512BW.MultiplyAddAdjacent(even, Vector512.LoadUnsafe(in x, at).AsSByte())
            + Avx512BW.MultiplyAddAdjacent(odd, Vector512.LoadUnsafe(in x, at + 64).AsSByte());
        return Avx512BW.MultiplyAddAdjacent(pairs, Vector512.Create((short)1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 BlockScales(Vector128<byte> scales)
    {
        Vector512<uint> bits = Avx512F.ConvertToVector512UInt32(Lanes128.InLanes(scales)) << 23;
        return new(Vector512.Max(bits, Vector512.Create(0x0040_0000u)).AsSingle());
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>Sixteen lanes in two 256-bit registers of eight floats (AVX2): lanes 0 to 7 and lanes 8 to 15.</summary>
internal readonly struct Lanes256(Vector256<float> low, Vector256<float> high) : ILanes<Lanes256>
{
    private readonly Vector256<float> _low = low;
    private readonly Vector256<float> _high = high;

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
        lanes._low.StoreUnsafe(ref destination, index);
        lanes._high.StoreUnsafe(ref destination, index + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBFloat16(ref readonly ushort source, nuint index) =>
        new(
            (Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in source, index)) << 16).AsSingle(),
            (Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in source, index + 8)) << 16).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadSByte(ref readonly sbyte source, nuint index)
    {
        Vector128<sbyte> bytes = Vector128.LoadUnsafe(in source, index);
        return new(
            Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(bytes)),
            Vector256.ConvertToSingle(
                Avx2.ConvertToVector256Int32(Vector128.Shuffle(bytes.AsInt64(), Vector128.Create(1, 0)).AsSByte())
            )
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 MultiplyAdd(Lanes256 a, Lanes256 b, Lanes256 addend) =>
        new(
            Vector256.FusedMultiplyAdd(a._low, b._low, addend._low),
            Vector256.FusedMultiplyAdd(a._high, b._high, addend._high)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator +(Lanes256 a, Lanes256 b) => new(a._low + b._low, a._high + b._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 a, Lanes256 b) => new(a._low - b._low, a._high - b._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator *(Lanes256 a, Lanes256 b) => new(a._low * b._low, a._high * b._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator /(Lanes256 a, Lanes256 b) => new(a._low / b._low, a._high / b._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 WhereLess(Lanes256 a, Lanes256 b, Lanes256 yes, Lanes256 no) =>
        new(
            Vector256.ConditionalSelect(Vector256.LessThan(a._low, b._low), yes._low, no._low),
            Vector256.ConditionalSelect(Vector256.LessThan(a._high, b._high), yes._high, no._high)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 PowerOfTwo(Lanes256 shifted) =>
        new(
            ((shifted._low.AsInt32() << 23) + Vector256.Create(0x3F80_0000)).AsSingle(),
            ((shifted._high.AsInt32() << 23) + Vector256.Create(0x3F80_0000)).AsSingle()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes256 lanes) => SumHalves(lanes._low + lanes._high);

    /// <summary>Adds eight lanes in the order of the tree: lane i + 4 to lane i, then i + 2, then i + 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SumHalves(Vector256<float> eight) => Lanes128.SumQuarter(eight.GetLower() + eight.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Lanes256 lanes) => MaxHalves(Vector256.MaxNative(lanes._low, lanes._high));

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
    public static Lanes256 LoadBits(ref readonly byte source, nuint offset, int blocks) =>
        blocks switch
        {
            1 => new(Vector128.LoadUnsafe(in source, offset).ToVector256().AsSingle(), default),
            2 => new(Vector256.LoadUnsafe(in source, offset).AsSingle(), default),
            _ => new(
                Vector256.LoadUnsafe(in source, offset).AsSingle(),
                Vector128.LoadUnsafe(in source, offset + 32).ToVector256().AsSingle()
            ),
        };

    // Each 32-bit lane of a k register holds two decoded bfloat16 values: code j in the lower half, code j + 4 in the
    // upper.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(Lanes256 bits, out Lanes256 k0, out Lanes256 k1, out Lanes256 k2, out Lanes256 k3)
    {
        Vector256<byte> mask = Vector256.Create((byte)0xF);
        LookUp(bits._low.AsByte() & mask, out Vector256<float> low0, out Vector256<float> low2);
        LookUp(bits._high.AsByte() & mask, out Vector256<float> high0, out Vector256<float> high2);
        LookUp((bits._low.AsUInt16() >>> 4).AsByte() & mask, out Vector256<float> low1, out Vector256<float> low3);
        LookUp((bits._high.AsUInt16() >>> 4).AsByte() & mask, out Vector256<float> high1, out Vector256<float> high3);
        (k0, k1, k2, k3) = (new(low0, high0), new(low1, high1), new(low2, high2), new(low3, high3));
    }

    // Decodes the four codes of each lane, one in each of its bytes. The values of the bytes 0 and 2 go to the halves
    // of the first register, the values of the bytes 1 and 3 to the halves of the second.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LookUp(Vector256<byte> codes, out Vector256<float> first, out Vector256<float> second)
    {
        Vector256<byte> upper = Avx2.Shuffle(Vector256.Create(Lanes128.UpperBytes, Lanes128.UpperBytes), codes);
        Vector256<byte> lower = Avx2.Shuffle(Vector256.Create(Lanes128.LowerBytes, Lanes128.LowerBytes), codes);
        Vector256<byte> odd = Vector256.Create((ushort)0xFF00).AsByte();
        first = Avx2.BlendVariable(lower, (upper.AsUInt16() << 8).AsByte(), odd).AsSingle();
        second = Avx2.BlendVariable((lower.AsUInt16() >>> 8).AsByte(), upper, odd).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 FirstValues(Lanes256 k) =>
        new((k._low.AsUInt32() << 16).AsSingle(), (k._high.AsUInt32() << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 SecondValues(Lanes256 k)
    {
        Vector256<uint> mask = Vector256.Create(0xFFFF_0000u);
        return new((k._low.AsUInt32() & mask).AsSingle(), (k._high.AsUInt32() & mask).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Scales(ref readonly byte source, nuint offset) =>
        new(
            Spread(
                in source,
                offset,
                Vector256.Create(
                    0xFFFF_FF00u,
                    0xFFFF_FF00u,
                    0xFFFF_FF00u,
                    0xFFFF_FF00u,
                    0xFFFF_FF01u,
                    0xFFFF_FF01u,
                    0xFFFF_FF01u,
                    0xFFFF_FF01u
                )
            ),
            Spread(
                in source,
                offset,
                Vector256.Create(
                    0xFFFF_FF02u,
                    0xFFFF_FF02u,
                    0xFFFF_FF02u,
                    0xFFFF_FF02u,
                    0xFFFF_FF03u,
                    0xFFFF_FF03u,
                    0xFFFF_FF03u,
                    0xFFFF_FF03u
                )
            )
        );

    // Puts the scale byte of a block at the bottom of its lanes and shifts it into the exponent. Byte 0 must give
    // 2⁻¹²⁷, whose bits are 0x0040_0000; as integers all other scales are larger, so the maximum corrects byte 0 alone.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Spread(ref readonly byte source, nuint offset, Vector256<uint> bytes)
    {
        Vector256<byte> spread = Avx2.Shuffle(
            Vector256.Create(Lanes.Dword(in source, offset)).AsByte(),
            bytes.AsByte()
        );
        return Vector256.Max(spread.AsUInt32() << 23, Vector256.Create(0x0040_0000u)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxMagnitude(Lanes256 a, Lanes256 b)
    {
        Vector256<int> mask = Vector256.Create(0x7FFF_FFFF);
        return MaxOf(
            Vector256.Max(
                Vector256.Max(a._low.AsInt32() & mask, a._high.AsInt32() & mask),
                Vector256.Max(b._low.AsInt32() & mask, b._high.AsInt32() & mask)
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
        Vector256<ushort> words = Vector256.Narrow(lanes._low.AsUInt32(), lanes._high.AsUInt32());
        return Vector128.Narrow(words.GetLower(), words.GetUpper());
    }

    // Lane 4q + p belongs to block 4p + q. The lower register has the lanes of q = 0 and 1, the upper those of q = 2
    // and 3, so each adds up its own blocks, of which two lie in each 256-bit load.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 BlockSums(
        ref readonly byte blocks,
        nuint offset,
        ref readonly byte x,
        nuint at,
        ref readonly int offsets
    ) =>
        new(
            HalfSums(in blocks, offset, in x, at, in offsets),
            HalfSums(in blocks, offset + 32, in x, at + 32, in Unsafe.Add(ref Unsafe.AsRef(in offsets), 8))
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> HalfSums(
        ref readonly byte blocks,
        nuint offset,
        ref readonly byte x,
        nuint at,
        ref readonly int offsets
    )
    {
        Vector256<int> a = DwordSums(in blocks, offset, in x, at),
            b = DwordSums(in blocks, offset + 64, in x, at + 128);
        Vector256<int> c = DwordSums(in blocks, offset + 128, in x, at + 256),
            d = DwordSums(in blocks, offset + 192, in x, at + 384);
        Vector256<long> ab = (Avx2.UnpackLow(a, b) + Avx2.UnpackHigh(a, b)).AsInt64();
        Vector256<long> cd = (Avx2.UnpackLow(c, d) + Avx2.UnpackHigh(c, d)).AsInt64();
        Vector256<int> sums = Avx2.UnpackLow(ab, cd).AsInt32() + Avx2.UnpackHigh(ab, cd).AsInt32();
        return Vector256.ConvertToSingle(sums - Vector256.LoadUnsafe(in offsets));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> DwordSums(ref readonly byte blocks, nuint offset, ref readonly byte x, nuint at)
    {
        Vector256<byte> bits = Vector256.LoadUnsafe(in blocks, offset),
            mask = Vector256.Create((byte)0xF);
        Vector256<byte> table = Vector256.Create(Mxfp4Int8.OffsetTable, Mxfp4Int8.OffsetTable);
        Vector256<byte> even = Avx2.Shuffle(table, bits & mask);
        Vector256<byte> odd = Avx2.Shuffle(table, (bits.AsUInt16() >>> 4).AsByte() & mask);
        Vector256<short> pairs =
            Avx2.MultiplyAddAdjacent(even, Vector256.LoadUnsafe(in x, at).AsSByte())
            + Avx2.MultiplyAddAdjacent(odd, Vector256.LoadUnsafe(in x, at + 64).AsSByte());
        return Avx2.MultiplyAddAdjacent(pairs, Vector256.Create((short)1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 BlockScales(Vector128<byte> scales)
    {
        Vector128<byte> bytes = Lanes128.InLanes(scales);
        Vector256<uint> least = Vector256.Create(0x0040_0000u);
        return new(
            Vector256.Max(Avx2.ConvertToVector256Int32(bytes).AsUInt32() << 23, least).AsSingle(),
            Vector256
                .Max(Avx2.ConvertToVector256Int32(Vector128.Create(bytes.GetUpper(), default)).AsUInt32() << 23, least)
                .AsSingle()
        );
    }
}

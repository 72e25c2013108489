using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>Sixteen lanes in two 256-bit registers: lanes 0 to 7 and 8 to 15.</summary>
internal readonly struct Lanes256(Vector256<float> low, Vector256<float> high) : ILanes<Lanes256>
{
    private readonly Vector256<float> _low = low;
    private readonly Vector256<float> _high = high;

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
    public static Lanes256 LoadBFloat16(ref readonly ushort source, nuint index) => new(
        (Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in source, index)) << 16).AsSingle(),
        (Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in source, index + 8)) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 MultiplyAdd(Lanes256 a, Lanes256 b, Lanes256 addend) => new(
        Vector256.FusedMultiplyAdd(a._low, b._low, addend._low),
        Vector256.FusedMultiplyAdd(a._high, b._high, addend._high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator +(Lanes256 a, Lanes256 b) => new(a._low + b._low, a._high + b._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 a, Lanes256 b) => new(a._low - b._low, a._high - b._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator *(Lanes256 a, Lanes256 b) => new(a._low * b._low, a._high * b._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator /(Lanes256 a, Lanes256 b) => new(a._low / b._low, a._high / b._high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 WhereLess(Lanes256 a, Lanes256 b, Lanes256 yes, Lanes256 no) => new(
        Vector256.ConditionalSelect(Vector256.LessThan(a._low, b._low), yes._low, no._low),
        Vector256.ConditionalSelect(Vector256.LessThan(a._high, b._high), yes._high, no._high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 PowerOfTwo(Lanes256 shifted) => new(
        ((shifted._low.AsInt32() << 23) + Vector256.Create(0x3F80_0000)).AsSingle(),
        ((shifted._high.AsInt32() << 23) + Vector256.Create(0x3F80_0000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes256 lanes) => SumHalves(lanes._low + lanes._high);

    /// <summary>The tree from eight lanes down.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SumHalves(Vector256<float> eight) => Lanes128.SumQuarter(eight.GetLower() + eight.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBits(ref readonly byte source, nuint offset) => new(
        Vector256.LoadUnsafe(in source, offset).AsSingle(), Vector256.LoadUnsafe(in source, offset + 32).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBits(ref readonly byte source, nuint offset, int blocks) => blocks switch
    {
        1 => new(Vector128.LoadUnsafe(in source, offset).ToVector256().AsSingle(), default),
        2 => new(Vector256.LoadUnsafe(in source, offset).AsSingle(), default),
        _ => new(Vector256.LoadUnsafe(in source, offset).AsSingle(),
            Vector128.LoadUnsafe(in source, offset + 32).ToVector256().AsSingle()),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Code(Lanes256 bits, int shift) => new(Code(bits._low, shift), Code(bits._high, shift));

    // Eight lanes hold the magnitudes, looked up by the lowest three bits; the fourth bit is the sign.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Code(Vector256<float> bits, int shift)
    {
        Vector256<float> magnitude = Avx2.PermuteVar8x32(
            Vector256.Create(0f, 0.5f, 1f, 1.5f, 2f, 3f, 4f, 6f), bits.AsInt32() >>> shift);
        Vector256<uint> sign = (bits.AsUInt32() << (28 - shift)) & Vector256.Create(0x8000_0000u);
        return (magnitude.AsUInt32() ^ sign).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Scales(uint fourScales) => new(
        Spread(fourScales, Vector256.Create(0xFFFF_FF00u, 0xFFFF_FF00u, 0xFFFF_FF00u, 0xFFFF_FF00u,
            0xFFFF_FF01u, 0xFFFF_FF01u, 0xFFFF_FF01u, 0xFFFF_FF01u)),
        Spread(fourScales, Vector256.Create(0xFFFF_FF02u, 0xFFFF_FF02u, 0xFFFF_FF02u, 0xFFFF_FF02u,
            0xFFFF_FF03u, 0xFFFF_FF03u, 0xFFFF_FF03u, 0xFFFF_FF03u)));

    // As at 512 bits: byte to the bottom of the lane, into the exponent, 0 lifted to 2⁻¹²⁷.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Spread(uint fourScales, Vector256<uint> bytes)
    {
        Vector256<byte> spread = Avx2.Shuffle(Vector256.Create(fourScales).AsByte(), bytes.AsByte());
        return Vector256.Max(spread.AsUInt32() << 23, Vector256.Create(0x0040_0000u)).AsSingle();
    }
}

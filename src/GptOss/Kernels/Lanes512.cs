using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>Sixteen lanes in one 512-bit register.</summary>
internal readonly struct Lanes512(Vector512<float> value) : ILanes<Lanes512>
{
    private readonly Vector512<float> _value = value;

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
    public static Lanes512 LoadBits(ref readonly byte source, nuint offset) =>
        new(Vector512.LoadUnsafe(in source, offset).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBits(ref readonly byte source, nuint offset, int blocks) => new((blocks switch
    {
        1 => Vector128.LoadUnsafe(in source, offset).ToVector256().ToVector512(),
        2 => Vector256.LoadUnsafe(in source, offset).ToVector512(),
        _ => Vector256.LoadUnsafe(in source, offset).ToVector512()
            .WithUpper(Vector128.LoadUnsafe(in source, offset + 32).ToVector256()),
    }).AsSingle());

    // vpermps looks at the lowest four bits of a lane only, so the other codes need no masking.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Code(Lanes512 bits, int shift) =>
        new(Avx512F.PermuteVar16x32(
            Vector512.Create(0f, 0.5f, 1f, 1.5f, 2f, 3f, 4f, 6f, -0f, -0.5f, -1f, -1.5f, -2f, -3f, -4f, -6f),
            bits._value.AsInt32() >>> shift));

    // The byte of block q goes to the bottom of the four lanes of 128-bit part q, then into the exponent. Exponent 0 with
    // the mantissa's top bit is 2⁻¹²⁷, and as an integer it is less than every other scale: hence the maximum.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Scales(uint fourScales)
    {
        Vector512<byte> spread = Avx512BW.Shuffle(Vector512.Create(fourScales).AsByte(), Vector512.Create(
            0xFFFF_FF00u, 0xFFFF_FF00u, 0xFFFF_FF00u, 0xFFFF_FF00u, 0xFFFF_FF01u, 0xFFFF_FF01u, 0xFFFF_FF01u, 0xFFFF_FF01u,
            0xFFFF_FF02u, 0xFFFF_FF02u, 0xFFFF_FF02u, 0xFFFF_FF02u, 0xFFFF_FF03u, 0xFFFF_FF03u, 0xFFFF_FF03u, 0xFFFF_FF03u)
            .AsByte());
        return new(Vector512.Max(spread.AsUInt32() << 23, Vector512.Create(0x0040_0000u)).AsSingle());
    }
}

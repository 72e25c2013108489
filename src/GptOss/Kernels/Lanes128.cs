using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels;

/// <summary>Sixteen lanes in four 128-bit registers, by portable operations only: SSE, Arm NEON, WebAssembly.</summary>
internal readonly struct Lanes128(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    : ILanes<Lanes128>
{
    private readonly Vector128<float> _a = a;
    private readonly Vector128<float> _b = b;
    private readonly Vector128<float> _c = c;
    private readonly Vector128<float> _d = d;

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
    public static Lanes128 Load(ref readonly float source, nuint index) => new(
        Vector128.LoadUnsafe(in source, index), Vector128.LoadUnsafe(in source, index + 4),
        Vector128.LoadUnsafe(in source, index + 8), Vector128.LoadUnsafe(in source, index + 12));

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
    public static Lanes128 MultiplyAdd(Lanes128 a, Lanes128 b, Lanes128 addend) => new(
        Vector128.FusedMultiplyAdd(a._a, b._a, addend._a), Vector128.FusedMultiplyAdd(a._b, b._b, addend._b),
        Vector128.FusedMultiplyAdd(a._c, b._c, addend._c), Vector128.FusedMultiplyAdd(a._d, b._d, addend._d));

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
    public static Lanes128 WhereLess(Lanes128 a, Lanes128 b, Lanes128 yes, Lanes128 no) => new(
        Vector128.ConditionalSelect(Vector128.LessThan(a._a, b._a), yes._a, no._a),
        Vector128.ConditionalSelect(Vector128.LessThan(a._b, b._b), yes._b, no._b),
        Vector128.ConditionalSelect(Vector128.LessThan(a._c, b._c), yes._c, no._c),
        Vector128.ConditionalSelect(Vector128.LessThan(a._d, b._d), yes._d, no._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 PowerOfTwo(Lanes128 shifted) =>
        new(PowerOfTwo(shifted._a), PowerOfTwo(shifted._b), PowerOfTwo(shifted._c), PowerOfTwo(shifted._d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> PowerOfTwo(Vector128<float> shifted) =>
        ((shifted.AsInt32() << 23) + Vector128.Create(0x3F80_0000)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes128 lanes) => SumQuarter((lanes._a + lanes._c) + (lanes._b + lanes._d));

    /// <summary>The tree from four lanes down.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SumQuarter(Vector128<float> four)
    {
        Vector128<float> two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 2, 3));
        return two.ToScalar() + two.GetElement(1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadBits(ref readonly byte source, nuint offset) => new(
        Vector128.LoadUnsafe(in source, offset).AsSingle(), Vector128.LoadUnsafe(in source, offset + 16).AsSingle(),
        Vector128.LoadUnsafe(in source, offset + 32).AsSingle(), Vector128.LoadUnsafe(in source, offset + 48).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadBits(ref readonly byte source, nuint offset, int blocks) => new(
        Vector128.LoadUnsafe(in source, offset).AsSingle(),
        blocks > 1 ? Vector128.LoadUnsafe(in source, offset + 16).AsSingle() : default,
        blocks > 2 ? Vector128.LoadUnsafe(in source, offset + 32).AsSingle() : default,
        default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Code(Lanes128 bits, int shift) =>
        new(Code(bits._a, shift), Code(bits._b, shift), Code(bits._c, shift), Code(bits._d, shift));

    // A byte table of twice the magnitudes; the upper three bytes of a lane look up entry 0, which is zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Code(Vector128<float> bits, int shift)
    {
        Vector128<byte> twice = Vector128.Shuffle(
            Vector128.Create((byte)0, 1, 2, 3, 4, 6, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0),
            ((bits.AsUInt32() >>> shift) & Vector128.Create(7u)).AsByte());
        Vector128<float> magnitude = Vector128.ConvertToSingle(twice.AsInt32()) * 0.5f;
        Vector128<uint> sign = (bits.AsUInt32() << (28 - shift)) & Vector128.Create(0x8000_0000u);
        return (magnitude.AsUInt32() ^ sign).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Scales(uint fourScales) => new(
        Scale(fourScales), Scale(fourScales >> 8), Scale(fourScales >> 16), Scale(fourScales >> 24));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Scale(uint scale) => Vector128.Create(Mxfp4.Scale((byte)scale));
}

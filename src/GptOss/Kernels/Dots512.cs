using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>
/// Integer dot products of sixteen weight rows in a 512-bit register (AVX-512BW), for doubled MXFP4 weights: −12 to 12,
/// stored as 0 to 24. Four products a step are summed in 16 bits, which such small weights cannot overflow; each lane
/// has two such sums, one in each half.
/// </summary>
/// <remarks>
/// A half of a lane adds 16 products of a block. Without the offset a weight is at most 12 in magnitude, so the sum is
/// at most 12 · 127 · 16 = 24,384 and fits in 16 bits. A sum that exceeds 16 bits on the way wraps around and still
/// ends with the right value.
/// </remarks>
internal readonly struct Dots512(Vector512<int> value) : IDots<Dots512>
{
    private readonly Vector512<int> _value = value;

    public static int Rows => 16;
    public static int Steps => 8;

    public static int Offset(int offset) => offset;

    public static int Start(int offset, (int First, int Second) pairs) =>
        (-offset * pairs.First & 0xFFFF) | (-offset * pairs.Second << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512 LoadWeights(ref readonly byte source, nuint offset) =>
        new(Vector512.LoadUnsafe(in source, offset).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512 Broadcast(ref readonly byte source, nuint offset) =>
        new(Vector512.Create(Unsafe.ReadUnaligned<int>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512 AddDots(Dots512 sums, Dots512 weights, Dots512 activations) =>
        new(
            (
                Avx512BW.MultiplyAddAdjacent(weights._value.AsByte(), activations._value.AsSByte())
                + sums._value.AsInt16()
            ).AsInt32()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512 ToSingle(Dots512 sums) =>
        new(
            Vector512
                .ConvertToSingle(Avx512BW.MultiplyAddAdjacent(sums._value.AsInt16(), Vector512.Create((short)1)))
                .AsInt32()
        );

    public static Dots512 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector512<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512 Load(ref readonly float source, nuint index) =>
        new(Vector512.LoadUnsafe(in source, index).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Dots512 value, ref float destination, nuint index) =>
        value._value.AsSingle().StoreUnsafe(ref destination, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512 BroadcastSingle(ref readonly byte source, nuint offset) => Broadcast(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512 LoadBFloat16(ref readonly byte source, nuint offset) =>
        new(Avx512F.ConvertToVector512Int32(Vector256.LoadUnsafe(in source, offset).AsUInt16()) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512 operator *(Dots512 a, Dots512 b) =>
        new((a._value.AsSingle() * b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512 operator +(Dots512 a, Dots512 b) =>
        new((a._value.AsSingle() + b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512 MultiplyAdd(Dots512 a, Dots512 b, Dots512 addend) =>
        new(Vector512.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), addend._value.AsSingle()).AsInt32());
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>
/// Integer dot products of eight weight rows in a 256-bit register (AVX2), for doubled MXFP4 weights: −12 to 12, stored
/// as 0 to 24. Four products a step are summed in 16 bits, which such small weights cannot overflow.
/// </summary>
internal readonly struct Dots256(Vector256<int> value) : IDots<Dots256>
{
    private readonly Vector256<int> _value = value;

    public static int Rows => 8;
    public static int Steps => 8;

    public static int Offset(int offset) => offset;

    public static int Start(int offset, (int First, int Second) pairs) => Dots512.Start(offset, pairs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256 LoadWeights(ref readonly byte source, nuint offset) =>
        new(Vector256.LoadUnsafe(in source, offset).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256 Broadcast(ref readonly byte source, nuint offset) =>
        new(Vector256.Create(Unsafe.ReadUnaligned<int>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256 AddDots(Dots256 sums, Dots256 weights, Dots256 activations) =>
        new(
            (
                Avx2.MultiplyAddAdjacent(weights._value.AsByte(), activations._value.AsSByte()) + sums._value.AsInt16()
            ).AsInt32()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256 ToSingle(Dots256 sums) =>
        new(
            Vector256
                .ConvertToSingle(Avx2.MultiplyAddAdjacent(sums._value.AsInt16(), Vector256.Create((short)1)))
                .AsInt32()
        );

    public static Dots256 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector256<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256 Load(ref readonly float source, nuint index) =>
        new(Vector256.LoadUnsafe(in source, index).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Dots256 value, ref float destination, nuint index) =>
        value._value.AsSingle().StoreUnsafe(ref destination, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256 BroadcastSingle(ref readonly byte source, nuint offset) => Broadcast(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256 LoadBFloat16(ref readonly byte source, nuint offset) =>
        new(Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in source, offset).AsUInt16()) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256 operator *(Dots256 a, Dots256 b) =>
        new((a._value.AsSingle() * b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256 operator +(Dots256 a, Dots256 b) =>
        new((a._value.AsSingle() + b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256 MultiplyAdd(Dots256 a, Dots256 b, Dots256 addend) =>
        new(Vector256.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), addend._value.AsSingle()).AsInt32());
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>
/// Integer dot products of eight weight rows in a 256-bit register (AVX2): two products a step, signed bytes widened to
/// 16 bits and summed in 32, for weights of any eight bits.
/// </summary>
internal readonly struct WideDots256(Vector256<int> value) : IDots<WideDots256>
{
    private readonly Vector256<int> _value = value;

    public static int Rows => 8;
    public static int Steps => 16;

    public static int Offset(int offset) => 0;

    public static int Start(int offset, (int First, int Second) pairs) => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots256 LoadWeights(ref readonly byte source, nuint offset) =>
        new(Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(in source, offset).AsSByte()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots256 Broadcast(ref readonly byte source, nuint offset) =>
        new(Vector256.Create(Unsafe.ReadUnaligned<int>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots256 AddDots(WideDots256 sums, WideDots256 weights, WideDots256 activations) =>
        new(Avx2.MultiplyAddAdjacent(weights._value.AsInt16(), activations._value.AsInt16()) + sums._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots256 ToSingle(WideDots256 sums) => new(Vector256.ConvertToSingle(sums._value).AsInt32());

    public static WideDots256 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector256<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots256 Load(ref readonly float source, nuint index) =>
        new(Vector256.LoadUnsafe(in source, index).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(WideDots256 value, ref float destination, nuint index) =>
        value._value.AsSingle().StoreUnsafe(ref destination, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots256 BroadcastSingle(ref readonly byte source, nuint offset) => Broadcast(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots256 LoadBFloat16(ref readonly byte source, nuint offset) =>
        new(Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in source, offset).AsUInt16()) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots256 operator *(WideDots256 a, WideDots256 b) =>
        new((a._value.AsSingle() * b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots256 operator +(WideDots256 a, WideDots256 b) =>
        new((a._value.AsSingle() + b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots256 MultiplyAdd(WideDots256 a, WideDots256 b, WideDots256 addend) =>
        new(Vector256.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), addend._value.AsSingle()).AsInt32());
}

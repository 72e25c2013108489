using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>
/// Integer dot products of sixteen weight rows in a 512-bit register (AVX-512BW): two products a step, signed bytes
/// widened to 16 bits and summed in 32, for weights of any eight bits.
/// </summary>
internal readonly struct WideDots512(Vector512<int> value) : IDots<WideDots512>
{
    private readonly Vector512<int> _value = value;

    public static int Rows => 16;
    public static int Steps => 16;

    public static int Offset(int offset) => 0;

    public static int Start(int offset, (int First, int Second) pairs) => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots512 LoadWeights(ref readonly byte source, nuint offset) =>
        new(Avx512BW.ConvertToVector512Int16(Vector256.LoadUnsafe(in source, offset).AsSByte()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots512 Broadcast(ref readonly byte source, nuint offset) =>
        new(Vector512.Create(Unsafe.ReadUnaligned<int>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots512 AddDots(WideDots512 sums, WideDots512 weights, WideDots512 activations) =>
        new(Avx512BW.MultiplyAddAdjacent(weights._value.AsInt16(), activations._value.AsInt16()) + sums._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots512 ToSingle(WideDots512 sums) => new(Vector512.ConvertToSingle(sums._value).AsInt32());

    public static WideDots512 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector512<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots512 Load(ref readonly float source, nuint index) =>
        new(Vector512.LoadUnsafe(in source, index).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(WideDots512 value, ref float destination, nuint index) =>
        value._value.AsSingle().StoreUnsafe(ref destination, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots512 BroadcastSingle(ref readonly byte source, nuint offset) => Broadcast(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots512 LoadBFloat16(ref readonly byte source, nuint offset) =>
        new(Avx512F.ConvertToVector512Int32(Vector256.LoadUnsafe(in source, offset).AsUInt16()) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots512 operator *(WideDots512 a, WideDots512 b) =>
        new((a._value.AsSingle() * b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots512 operator +(WideDots512 a, WideDots512 b) =>
        new((a._value.AsSingle() + b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideDots512 MultiplyAdd(WideDots512 a, WideDots512 b, WideDots512 addend) =>
        new(Vector512.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), addend._value.AsSingle()).AsInt32());
}

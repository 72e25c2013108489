using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Integer dot products of sixteen weight rows in a 512-bit register (AVX-512BW), multiplied as <typeparamref
/// name="TProducts"/> says.
/// </summary>
// Bound: one register of bytes or rows at the offset, which Int8Panel keeps within its panel.
internal readonly struct Dots512<TProducts>(Vector512<int> value) : IDots<Dots512<TProducts>>
    where TProducts : struct, IProducts<Vector512<int>>
{
    private readonly Vector512<int> _value = value;

    public static int Rows => Vector512<int>.Count;
    public static bool IsUnsigned => TProducts.IsUnsigned;
    public static int Steps => TProducts.Steps;

    public static int Start(int offset, (int First, int Second) pairs) => TProducts.Start(offset, pairs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512<TProducts> LoadWeights(ref readonly byte source, nuint offset) =>
        new(TProducts.LoadWeights(in source, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512<TProducts> Broadcast(ref readonly byte source, nuint offset) =>
        new(Vector512.Create(Unsafe.ReadUnaligned<int>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512<TProducts> AddDots(
        Dots512<TProducts> sums,
        Dots512<TProducts> weights,
        Dots512<TProducts> activations
    ) => new(TProducts.AddDots(sums._value, weights._value, activations._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512<TProducts> ToSingle(Dots512<TProducts> sums) =>
        new(Vector512.ConvertToSingle(TProducts.Total(sums._value)).AsInt32());

    public static Dots512<TProducts> Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector512<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512<TProducts> Load(ref readonly float source, nuint index) =>
        new(Vector512.LoadUnsafe(in source, index).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Dots512<TProducts> value, ref float destination, nuint index) =>
        value._value.AsSingle().StoreUnsafe(ref destination, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512<TProducts> BroadcastSingle(ref readonly byte source, nuint offset) =>
        Broadcast(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512<TProducts> LoadBFloat16(ref readonly byte source, nuint offset) =>
        new(Avx512F.ConvertToVector512Int32(Vector256.LoadUnsafe(in source, offset).AsUInt16()) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512<TProducts> operator *(Dots512<TProducts> a, Dots512<TProducts> b) =>
        new((a._value.AsSingle() * b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512<TProducts> operator +(Dots512<TProducts> a, Dots512<TProducts> b) =>
        new((a._value.AsSingle() + b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots512<TProducts> MultiplyAdd(
        Dots512<TProducts> a,
        Dots512<TProducts> b,
        Dots512<TProducts> addend
    ) => new(Vector512.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), addend._value.AsSingle()).AsInt32());
}

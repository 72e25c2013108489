using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Integer dot products of eight weight rows in a 256-bit register (AVX2), multiplied as <typeparamref
/// name="TProducts"/> says.
/// </summary>
// Bound: one register of bytes or rows at the offset, which Int8Panel keeps within its panel.
internal readonly struct Dots256<TProducts>(Vector256<int> value) : IDots<Dots256<TProducts>>
    where TProducts : struct, IProducts<Vector256<int>>
{
    private readonly Vector256<int> _value = value;

    public static int Rows => Vector256<int>.Count;
    public static bool IsUnsigned => TProducts.IsUnsigned;
    public static int Steps => TProducts.Steps;

    public static int Start(int offset, (int First, int Second) pairs) => TProducts.Start(offset, pairs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256<TProducts> LoadWeights(ref readonly byte source, nuint offset) =>
        new(TProducts.LoadWeights(in source, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256<TProducts> Broadcast(ref readonly byte source, nuint offset) =>
        new(Vector256.Create(Unsafe.ReadUnaligned<int>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256<TProducts> AddDots(
        Dots256<TProducts> sums,
        Dots256<TProducts> weights,
        Dots256<TProducts> activations
    ) => new(TProducts.AddDots(sums._value, weights._value, activations._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256<TProducts> ToSingle(Dots256<TProducts> sums) =>
        new(Vector256.ConvertToSingle(TProducts.Total(sums._value)).AsInt32());

    public static Dots256<TProducts> Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector256<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256<TProducts> Load(ref readonly float source, nuint index) =>
        new(Vector256.LoadUnsafe(in source, index).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Dots256<TProducts> value, ref float destination, nuint index) =>
        value._value.AsSingle().StoreUnsafe(ref destination, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256<TProducts> BroadcastSingle(ref readonly byte source, nuint offset) =>
        Broadcast(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256<TProducts> LoadBFloat16(ref readonly byte source, nuint offset) =>
        new(Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in source, offset).AsUInt16()) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256<TProducts> operator *(Dots256<TProducts> a, Dots256<TProducts> b) =>
        new((a._value.AsSingle() * b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256<TProducts> operator +(Dots256<TProducts> a, Dots256<TProducts> b) =>
        new((a._value.AsSingle() + b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots256<TProducts> MultiplyAdd(
        Dots256<TProducts> a,
        Dots256<TProducts> b,
        Dots256<TProducts> addend
    ) => new(Vector256.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), addend._value.AsSingle()).AsInt32());
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Integer dot products of four weight rows in a 128-bit register (SSE2, Arm NEON, WebAssembly), multiplied as
/// <typeparamref name="TProducts"/> says.
/// </summary>
// Bound: one register of bytes or rows at the offset, which Int8Panel keeps within its panel.
internal readonly struct Dots128<TProducts>(Vector128<int> value) : IDots<Dots128<TProducts>>
    where TProducts : struct, IProducts<Vector128<int>>
{
    private readonly Vector128<int> _value = value;

    public static int Rows => Vector128<int>.Count;
    public static bool IsUnsigned => TProducts.IsUnsigned;
    public static int Steps => TProducts.Steps;

    public static int Start(int offset, (int First, int Second) pairs) => TProducts.Start(offset, pairs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128<TProducts> LoadWeights(ref readonly byte source, nuint offset) =>
        new(TProducts.LoadWeights(in source, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128<TProducts> Broadcast(ref readonly byte source, nuint offset) =>
        new(Vector128.Create(Unsafe.ReadUnaligned<int>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128<TProducts> AddDots(
        Dots128<TProducts> sums,
        Dots128<TProducts> weights,
        Dots128<TProducts> activations
    ) => new(TProducts.AddDots(sums._value, weights._value, activations._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128<TProducts> ToSingle(Dots128<TProducts> sums) =>
        new(Vector128.ConvertToSingle(TProducts.Total(sums._value)).AsInt32());

    public static Dots128<TProducts> Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector128<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128<TProducts> Load(ref readonly float source, nuint index) =>
        new(Vector128.LoadUnsafe(in source, index).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Dots128<TProducts> value, ref float destination, nuint index) =>
        value._value.AsSingle().StoreUnsafe(ref destination, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128<TProducts> BroadcastSingle(ref readonly byte source, nuint offset) =>
        Broadcast(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128<TProducts> LoadBFloat16(ref readonly byte source, nuint offset) =>
        new(
            Vector128
                .WidenLower(
                    Vector128
                        .CreateScalar(Unsafe.ReadUnaligned<ulong>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset)))
                        .AsUInt16()
                )
                .AsInt32() << 16
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128<TProducts> operator *(Dots128<TProducts> a, Dots128<TProducts> b) =>
        new((a._value.AsSingle() * b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128<TProducts> operator +(Dots128<TProducts> a, Dots128<TProducts> b) =>
        new((a._value.AsSingle() + b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128<TProducts> MultiplyAdd(
        Dots128<TProducts> a,
        Dots128<TProducts> b,
        Dots128<TProducts> addend
    ) => new(Vector128.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), addend._value.AsSingle()).AsInt32());
}

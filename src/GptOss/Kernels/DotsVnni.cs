using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>
/// Integer dot products of eight weight rows in a 256-bit register on processors with AVX-VNNI: four products a step,
/// summed in 32 bits by one instruction, for weights of any eight bits.
/// </summary>
internal readonly struct DotsVnni(Vector256<int> value) : IDots<DotsVnni>
{
    private readonly Vector256<int> _value = value;

    public static int Rows => 8;
    public static int Steps => 8;

    public static int Offset(int offset) => offset;

    public static int Start(int offset, (int First, int Second) pairs) => -offset * (pairs.First + pairs.Second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DotsVnni LoadWeights(ref readonly byte source, nuint offset) =>
        new(Vector256.LoadUnsafe(in source, offset).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DotsVnni Broadcast(ref readonly byte source, nuint offset) =>
        new(Vector256.Create(Unsafe.ReadUnaligned<int>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DotsVnni AddDots(DotsVnni sums, DotsVnni weights, DotsVnni activations) =>
        new(AvxVnni.MultiplyWideningAndAdd(sums._value, weights._value.AsByte(), activations._value.AsSByte()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DotsVnni ToSingle(DotsVnni sums) => new(Vector256.ConvertToSingle(sums._value).AsInt32());

    public static DotsVnni Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector256<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DotsVnni Load(ref readonly float source, nuint index) =>
        new(Vector256.LoadUnsafe(in source, index).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(DotsVnni value, ref float destination, nuint index) =>
        value._value.AsSingle().StoreUnsafe(ref destination, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DotsVnni BroadcastSingle(ref readonly byte source, nuint offset) => Broadcast(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DotsVnni LoadBFloat16(ref readonly byte source, nuint offset) =>
        new(Avx2.ConvertToVector256Int32(Vector128.LoadUnsafe(in source, offset).AsUInt16()) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DotsVnni operator *(DotsVnni a, DotsVnni b) =>
        new((a._value.AsSingle() * b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DotsVnni operator +(DotsVnni a, DotsVnni b) =>
        new((a._value.AsSingle() + b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DotsVnni MultiplyAdd(DotsVnni a, DotsVnni b, DotsVnni addend) =>
        new(Vector256.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), addend._value.AsSingle()).AsInt32());
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Integer dot products of four weight rows in a 128-bit register (SSE2, Arm NEON, WebAssembly): two products a step,
/// signed bytes widened to 16 bits, for weights of any eight bits.
/// </summary>
internal readonly struct Dots128(Vector128<int> value) : IDots<Dots128>
{
    private readonly Vector128<int> _value = value;

    public static int Rows => 4;
    public static int Steps => 16;

    public static bool IsUnsigned => false;

    public static int Start(int offset, (int First, int Second) pairs) => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128 LoadWeights(ref readonly byte source, nuint offset) =>
        new(
            Vector128
                .WidenLower(
                    Vector128
                        .CreateScalar(Unsafe.ReadUnaligned<ulong>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset)))
                        .AsSByte()
                )
                .AsInt32()
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128 Broadcast(ref readonly byte source, nuint offset) =>
        new(Vector128.Create(Unsafe.ReadUnaligned<int>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128 AddDots(Dots128 sums, Dots128 weights, Dots128 activations) =>
        new(AddPairs(sums._value, weights._value.AsInt16(), activations._value.AsInt16()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> AddPairs(Vector128<int> sums, Vector128<short> a, Vector128<short> b)
    {
        if (Sse2.IsSupported)
            return Sse2.MultiplyAddAdjacent(a, b) + sums;
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.AddPairwise(
                    AdvSimd.MultiplyWideningLower(a.GetLower(), b.GetLower()),
                    AdvSimd.MultiplyWideningUpper(a, b)
                ) + sums;
        // Elsewhere each 32-bit lane multiplies its low halves, sign-extended by two shifts, and its high halves.
        return (a.AsInt32() << 16 >> 16) * (b.AsInt32() << 16 >> 16) + (a.AsInt32() >> 16) * (b.AsInt32() >> 16) + sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128 ToSingle(Dots128 sums) => new(Vector128.ConvertToSingle(sums._value).AsInt32());

    public static Dots128 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector128<int>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128 Load(ref readonly float source, nuint index) =>
        new(Vector128.LoadUnsafe(in source, index).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Dots128 value, ref float destination, nuint index) =>
        value._value.AsSingle().StoreUnsafe(ref destination, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128 BroadcastSingle(ref readonly byte source, nuint offset) => Broadcast(in source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128 LoadBFloat16(ref readonly byte source, nuint offset) =>
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
    public static Dots128 operator *(Dots128 a, Dots128 b) =>
        new((a._value.AsSingle() * b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128 operator +(Dots128 a, Dots128 b) =>
        new((a._value.AsSingle() + b._value.AsSingle()).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Dots128 MultiplyAdd(Dots128 a, Dots128 b, Dots128 addend) =>
        new(Vector128.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), addend._value.AsSingle()).AsInt32());
}

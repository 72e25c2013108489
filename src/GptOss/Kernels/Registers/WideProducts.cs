using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Products of signed bytes that are widened to 16 bits and summed in 32 (SSE2, AVX2, AVX-512BW, Arm NEON,
/// WebAssembly): two a step, for weights of any eight bits.
/// </summary>
// Bound: one register of bytes or rows at the offset, which Int8Panel keeps within its panel.
internal readonly struct WideProducts : IProducts<Vector512<int>>, IProducts<Vector256<int>>, IProducts<Vector128<int>>
{
    public static int Steps => 16;
    public static bool IsUnsigned => false;

    public static int Start(int offset, (int First, int Second) pairs) => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<int> IProducts<Vector512<int>>.LoadWeights(ref readonly byte source, nuint offset) =>
        Avx512BW.ConvertToVector512Int16(Vector256.LoadUnsafe(in source, offset).AsSByte()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> IProducts<Vector256<int>>.LoadWeights(ref readonly byte source, nuint offset) =>
        Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(in source, offset).AsSByte()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<int> IProducts<Vector128<int>>.LoadWeights(ref readonly byte source, nuint offset)
    {
        ulong eight = Unsafe.ReadUnaligned<ulong>(in Unsafe.Add(ref Unsafe.AsRef(in source), offset));
        return Vector128.WidenLower(Vector128.CreateScalar(eight).AsSByte()).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddDots(Vector512<int> sums, Vector512<int> weights, Vector512<int> activations) =>
        Avx512BW.MultiplyAddAdjacent(weights.AsInt16(), activations.AsInt16()) + sums;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddDots(Vector256<int> sums, Vector256<int> weights, Vector256<int> activations) =>
        Avx2.MultiplyAddAdjacent(weights.AsInt16(), activations.AsInt16()) + sums;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddDots(Vector128<int> sums, Vector128<int> weights, Vector128<int> activations)
    {
        Vector128<short> a = weights.AsInt16(),
            b = activations.AsInt16();
        if (Sse2.IsSupported)
            return Sse2.MultiplyAddAdjacent(a, b) + sums;
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.AddPairwise(
                    AdvSimd.MultiplyWideningLower(a.GetLower(), b.GetLower()),
                    AdvSimd.MultiplyWideningUpper(a, b)
                ) + sums;
        // Elsewhere each 32-bit lane multiplies its low halves, sign-extended by two shifts, and its high halves.
        return (weights << 16 >> 16) * (activations << 16 >> 16) + (weights >> 16) * (activations >> 16) + sums;
    }

    public static Vector512<int> Total(Vector512<int> sums) => sums;

    public static Vector256<int> Total(Vector256<int> sums) => sums;

    public static Vector128<int> Total(Vector128<int> sums) => sums;
}

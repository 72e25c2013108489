using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Products of bytes that are summed in 16 bits (AVX2, AVX-512BW), for doubled MXFP4 weights: −12 to 12, stored as 0 to
/// 24. Each lane has two such sums, one in each half.
/// </summary>
/// <remarks>
/// A half of a lane adds 16 products of a block. Without the offset a weight is at most 12 in magnitude, so the sum is
/// at most 12 · 127 · 16 = 24,384 and fits in 16 bits. A sum that exceeds 16 bits on the way wraps around and still
/// ends with the right value.
/// </remarks>
// Bound: one register of bytes or rows at the offset, which Int8Panel keeps within its panel.
internal readonly struct ByteProducts : IProducts<Vector512<int>>, IProducts<Vector256<int>>
{
    public static int Steps => 8;
    public static bool IsUnsigned => true;

    public static int Start(int offset, (int First, int Second) pairs) =>
        (-offset * pairs.First & 0xFFFF) | (-offset * pairs.Second << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<int> IProducts<Vector512<int>>.LoadWeights(ref readonly byte source, nuint offset) =>
        Vector512.LoadUnsafe(in source, offset).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> IProducts<Vector256<int>>.LoadWeights(ref readonly byte source, nuint offset) =>
        Vector256.LoadUnsafe(in source, offset).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddDots(Vector512<int> sums, Vector512<int> weights, Vector512<int> activations) =>
        (Avx512BW.MultiplyAddAdjacent(weights.AsByte(), activations.AsSByte()) + sums.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddDots(Vector256<int> sums, Vector256<int> weights, Vector256<int> activations) =>
        (Avx2.MultiplyAddAdjacent(weights.AsByte(), activations.AsSByte()) + sums.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Total(Vector512<int> sums) =>
        Avx512BW.MultiplyAddAdjacent(sums.AsInt16(), Vector512.Create((short)1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Total(Vector256<int> sums) =>
        Avx2.MultiplyAddAdjacent(sums.AsInt16(), Vector256.Create((short)1));
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Products of signed bytes that are widened to 16 bits and summed in 32 (AVX2, AVX-512BW): two a step, for weights of
/// any eight bits.
/// </summary>
internal readonly struct WideProducts : IProducts<Vector512<int>>, IProducts<Vector256<int>>
{
    public static bool IsUnsigned => false;

    public static int Start(int offset, (int First, int Second) pairs) => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<int> IProducts<Vector512<int>>.LoadWeights(ref readonly byte source, nuint offset) =>
        Avx512BW.ConvertToVector512Int16(Vector256.LoadUnsafe(in source, offset).AsSByte()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> IProducts<Vector256<int>>.LoadWeights(ref readonly byte source, nuint offset) =>
        Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(in source, offset).AsSByte()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddDots(Vector512<int> sums, Vector512<int> weights, Vector512<int> activations) =>
        Avx512BW.MultiplyAddAdjacent(weights.AsInt16(), activations.AsInt16()) + sums;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddDots(Vector256<int> sums, Vector256<int> weights, Vector256<int> activations) =>
        Avx2.MultiplyAddAdjacent(weights.AsInt16(), activations.AsInt16()) + sums;

    public static Vector512<int> Total(Vector512<int> sums) => sums;

    public static Vector256<int> Total(Vector256<int> sums) => sums;
}

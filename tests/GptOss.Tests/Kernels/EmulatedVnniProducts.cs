using System.Runtime.Intrinsics;
using GptOss.Kernels;
using GptOss.Kernels.Registers;

namespace GptOss.Tests.Kernels;

/// <summary>
/// <see cref="VnniProducts"/> but for its one instruction, which is spelled out: so layout, offset and start are tried
/// on processors that lack it.
/// </summary>
/// <remarks>
/// Source of the instruction: Intel 64 and IA-32 Architectures Software Developer's Manual, VPDPBUSD.
/// </remarks>
internal readonly struct EmulatedVnniProducts : IProducts<Vector256<int>>
{
    public static bool IsUnsigned => VnniProducts.IsUnsigned;

    public static int Start(int offset, (int First, int Second) pairs) => VnniProducts.Start(offset, pairs);

    public static Vector256<int> LoadWeights(ref readonly byte source, nuint offset) =>
        Vector256.LoadUnsafe(in source, offset).AsInt32();

    public static Vector256<int> AddDots(Vector256<int> sums, Vector256<int> weights, Vector256<int> activations)
    {
        Vector256<int> result = sums;
        for (int lane = 0; lane < Vector256<int>.Count; lane++)
        {
            int sum = result[lane];
            for (int i = 4 * lane; i < 4 * lane + 4; i++)
                sum += weights.AsByte()[i] * activations.AsSByte()[i];
            result = result.WithElement(lane, sum);
        }
        return result;
    }

    public static Vector256<int> Total(Vector256<int> sums) => sums;
}

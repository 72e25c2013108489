using System.Runtime.Intrinsics;
using GptOss.Kernels.Registers;

namespace GptOss.Tests.Kernels;

/// <summary>
/// <see cref="DpProducts"/> but for its one instruction, which is spelled out: so layout and decoding are tried on
/// processors that lack it.
/// </summary>
/// <remarks>Source of the instruction: Arm Architecture Reference Manual, SDOT (vector).</remarks>
internal readonly struct EmulatedDpProducts : IProducts<Vector128<int>>
{
    public static int Steps => DpProducts.Steps;
    public static bool IsUnsigned => DpProducts.IsUnsigned;

    public static int Start(int offset, (int First, int Second) pairs) => DpProducts.Start(offset, pairs);

    public static Vector128<int> LoadWeights(ref readonly byte source, nuint offset) =>
        DpProducts.LoadWeights(in source, offset);

    public static Vector128<int> AddDots(Vector128<int> sums, Vector128<int> weights, Vector128<int> activations)
    {
        Vector128<int> result = sums;
        for (int lane = 0; lane < Vector128<int>.Count; lane++)
        {
            int sum = result[lane];
            for (int i = 4 * lane; i < 4 * lane + 4; i++)
                sum += weights.AsSByte()[i] * activations.AsSByte()[i];
            result = result.WithElement(lane, sum);
        }
        return result;
    }

    public static Vector128<int> Total(Vector128<int> sums) => DpProducts.Total(sums);
}

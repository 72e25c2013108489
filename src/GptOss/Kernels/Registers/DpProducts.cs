using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Products of signed bytes on Arm processors with dot products (Armv8.2 and later): four a step, summed in 32 bits by
/// one instruction, for weights of any eight bits.
/// </summary>
/// <remarks>Source: Arm Architecture Reference Manual, SDOT (vector).</remarks>
// Bound: one register of bytes or rows at the offset, which Int8Panel keeps within its panel.
internal readonly struct DpProducts : IProducts<Vector128<int>>
{
    public static int Steps => 8;
    public static bool IsUnsigned => false;

    public static int Start(int offset, (int First, int Second) pairs) => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> LoadWeights(ref readonly byte source, nuint offset) =>
        Vector128.LoadUnsafe(in source, offset).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddDots(Vector128<int> sums, Vector128<int> weights, Vector128<int> activations) =>
        Dp.DotProduct(sums, weights.AsSByte(), activations.AsSByte());

    public static Vector128<int> Total(Vector128<int> sums) => sums;
}

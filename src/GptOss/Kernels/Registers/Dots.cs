using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace GptOss.Kernels.Registers;

/// <summary>
/// A computation with 8-bit weights that is written once and runs on every instruction set: the fields hold its inputs
/// and outputs, and <see cref="Dots"/> chooses the registers.
/// </summary>
internal interface IDotsKernel
{
    void Run<T>()
        where T : struct, IDots<T>;
}

/// <summary>
/// Runs a kernel for 8-bit weights on the fastest integer registers of this process. It is the only place that lists
/// them; the JIT compiles one branch only.
/// </summary>
internal static class Dots
{
    /// <summary>Runs a kernel whose stored weights are at most 24: 16 bits hold the sums of a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunSmall<TKernel>(in TKernel kernel)
        where TKernel : struct, IDotsKernel, allows ref struct => Run<TKernel, ByteProducts>(kernel);

    /// <summary>Runs a kernel whose stored weights may be any eight bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TKernel>(in TKernel kernel)
        where TKernel : struct, IDotsKernel, allows ref struct => Run<TKernel, WideProducts>(kernel);

    // The products are those that x64 has without VNNI. VNNI of 256 bits is faster than products of 512 bits which are
    // widened, and slower than those which are not.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Run<TKernel, TProducts>(in TKernel kernel)
        where TKernel : struct, IDotsKernel, allows ref struct
        where TProducts : struct, IProducts<Vector512<int>>, IProducts<Vector256<int>>
    {
#if NET11_0_OR_GREATER
        if (VnniProducts.IsWideSupported)
        {
            kernel.Run<Dots512<VnniProducts>>();
            return;
        }
#endif
        if (Vector512.IsHardwareAccelerated && (typeof(TProducts) == typeof(ByteProducts) || !VnniProducts.IsSupported))
            kernel.Run<Dots512<TProducts>>();
        else if (VnniProducts.IsSupported)
            kernel.Run<Dots256<VnniProducts>>();
        else if (Vector256.IsHardwareAccelerated)
            kernel.Run<Dots256<TProducts>>();
        else if (Dp.IsSupported)
            kernel.Run<Dots128<DpProducts>>();
        else if (Vector128.IsHardwareAccelerated)
            kernel.Run<Dots128<WideProducts>>();
        else
            kernel.Run<Dots1>();
    }
}

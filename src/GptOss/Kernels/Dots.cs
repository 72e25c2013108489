using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

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
        where TKernel : struct, IDotsKernel, allows ref struct
    {
        if (Vector512.IsHardwareAccelerated)
            kernel.Run<Dots512>();
        else if (AvxVnni.IsSupported)
            kernel.Run<DotsVnni>();
        else if (Vector256.IsHardwareAccelerated)
            kernel.Run<Dots256>();
        else if (Vector128.IsHardwareAccelerated)
            kernel.Run<Dots128>();
        else
            kernel.Run<Dots1>();
    }

    /// <summary>Runs a kernel whose stored weights may be any eight bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TKernel>(in TKernel kernel)
        where TKernel : struct, IDotsKernel, allows ref struct
    {
        if (AvxVnni.IsSupported)
            kernel.Run<DotsVnni>();
        else if (Vector512.IsHardwareAccelerated)
            kernel.Run<WideDots512>();
        else if (Vector256.IsHardwareAccelerated)
            kernel.Run<WideDots256>();
        else if (Vector128.IsHardwareAccelerated)
            kernel.Run<Dots128>();
        else
            kernel.Run<Dots1>();
    }
}

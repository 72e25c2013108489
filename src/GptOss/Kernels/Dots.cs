using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>Integer work that is written once for every kind of processor.</summary>
internal interface IDotsKernel
{
    void Run<T>()
        where T : struct, IDots<T>;
}

/// <summary>
/// The only place where the kinds of integer registers are enumerated; the JIT keeps one of the branches.
/// </summary>
internal static class Dots
{
    /// <summary>For weights of at most 24: 16 bits hold a block's sums.</summary>
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

    /// <summary>For weights of any eight bits.</summary>
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

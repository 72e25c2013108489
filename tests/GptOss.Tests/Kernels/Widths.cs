using System.Runtime.Intrinsics;
using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

/// <summary>Runs a kernel at a width of the test's choice, where the library would take the widest.</summary>
internal static class Widths
{
    public static TheoryData<int> All => [512, 256, 128, 1];

    public static void Run<TKernel>(int width, in TKernel kernel)
        where TKernel : struct, ILaneKernel, allows ref struct
    {
        bool present = width switch
        {
            512 => Vector512.IsHardwareAccelerated,
            256 => Vector256.IsHardwareAccelerated,
            128 => Vector128.IsHardwareAccelerated,
            _ => true,
        };
        Assert.SkipUnless(present, $"this process has no registers of {width} bits");
        switch (width)
        {
            case 512:
                kernel.Run<Lanes512>();
                break;
            case 256:
                kernel.Run<Lanes256>();
                break;
            case 128:
                kernel.Run<Lanes128>();
                break;
            default:
                kernel.Run<Lanes1>();
                break;
        }
    }
}

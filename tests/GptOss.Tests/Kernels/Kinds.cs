using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using GptOss.Kernels;

namespace GptOss.Tests.Kernels;

/// <summary>
/// Runs an integer kernel on the kind of registers of the test's choice, where the library would take the best.
/// </summary>
internal static class Kinds
{
    /// <summary>Kinds whose sums hold weights of any eight bits.</summary>
    public static TheoryData<string> Wide => ["vnni", "emulated vnni", "wide512", "wide256", "128", "1"];

    public static TheoryData<string> All => ["512", "256", "vnni", "emulated vnni", "wide512", "wide256", "128", "1"];

    public static void Run<TKernel>(string kind, in TKernel kernel)
        where TKernel : struct, IDotsKernel, allows ref struct
    {
        bool present = kind switch
        {
            "512" or "wide512" => Vector512.IsHardwareAccelerated,
            "256" or "wide256" => Vector256.IsHardwareAccelerated,
            "vnni" => AvxVnni.IsSupported,
            "emulated vnni" => Avx2.IsSupported,
            "128" => Vector128.IsHardwareAccelerated,
            _ => true,
        };
        Assert.SkipUnless(present, $"this process has no registers of the kind {kind}");
        switch (kind)
        {
            case "512":
                kernel.Run<Dots512>();
                break;
            case "256":
                kernel.Run<Dots256>();
                break;
            case "vnni":
                kernel.Run<DotsVnni>();
                break;
            case "emulated vnni":
                kernel.Run<EmulatedVnni>();
                break;
            case "wide512":
                kernel.Run<WideDots512>();
                break;
            case "wide256":
                kernel.Run<WideDots256>();
                break;
            case "128":
                kernel.Run<Dots128>();
                break;
            default:
                kernel.Run<Dots1>();
                break;
        }
    }
}

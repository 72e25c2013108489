using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using GptOss.Kernels.Registers;

namespace GptOss.Tests.Kernels;

/// <summary>
/// Runs a kernel on the registers of the test's choice, where the library would take the best, and lists the registers
/// that this process has. The lists are data of theories, so that a failing case names its registers and its shape.
/// </summary>
internal static class Registers
{
    private static readonly int[] WidthsOfProcess = [.. new[] { 512, 256, 128, 1 }.Where(IsPresent)];

    // Their sums hold weights of any eight bits.
    private static readonly string[] WideKindsOfProcess =
    [
        .. new[] { "vnni512", "vnni", "emulated vnni", "dp", "emulated dp", "wide512", "wide256", "128", "1" }.Where(
            IsPresent
        ),
    ];

    private static readonly string[] KindsOfProcess =
    [
        .. new[] { "512", "256" }.Where(IsPresent),
        .. WideKindsOfProcess,
    ];

    /// <summary>Widths of float registers.</summary>
    public static TheoryData<int> Widths => [.. WidthsOfProcess];

    /// <summary>Kinds of integer registers.</summary>
    public static TheoryData<string> Kinds => [.. KindsOfProcess];

    /// <summary>Kinds of integer registers whose sums hold weights of any eight bits.</summary>
    public static TheoryData<string> WideKinds => [.. WideKindsOfProcess];

    /// <summary>Names of the widths of float registers, for lists of other data than theories.</summary>
    public static IReadOnlyList<string> WidthNames => [.. WidthsOfProcess.Select(width => $"{width}")];

    /// <summary>Names of the kinds of integer registers, for lists of other data than theories.</summary>
    public static IReadOnlyList<string> KindNames => KindsOfProcess;

    /// <summary>Names of the kinds whose sums hold weights of any eight bits.</summary>
    public static IReadOnlyList<string> WideKindNames => WideKindsOfProcess;

    /// <summary>Each width with each length from 1 on.</summary>
    public static MatrixTheoryData<int, int> WidthsUpTo(int length) =>
        new(WidthsOfProcess, Enumerable.Range(1, length));

    public static MatrixTheoryData<int, int> WidthsWith(int[] lengths) => new(WidthsOfProcess, lengths);

    public static MatrixTheoryData<string, int> KindsWith(int[] lengths) => new(KindsOfProcess, lengths);

    public static MatrixTheoryData<string, int> WideKindsWith(int[] lengths) => new(WideKindsOfProcess, lengths);

    /// <summary>Runs a kernel of float lanes at a width.</summary>
    public static void Run<TKernel>(int width, in TKernel kernel)
        where TKernel : struct, ILaneKernel, allows ref struct
    {
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

    /// <summary>Runs a kernel of integer dot products on a kind of registers.</summary>
    public static void Run<TKernel>(string kind, in TKernel kernel)
        where TKernel : struct, IDotsKernel, allows ref struct
    {
        switch (kind)
        {
            case "512":
                kernel.Run<Dots512<ByteProducts>>();
                break;
            case "256":
                kernel.Run<Dots256<ByteProducts>>();
                break;
#if NET11_0_OR_GREATER
            case "vnni512":
                kernel.Run<Dots512<VnniProducts>>();
                break;
#endif
            case "vnni":
                kernel.Run<Dots256<VnniProducts>>();
                break;
            case "emulated vnni":
                kernel.Run<Dots256<EmulatedVnniProducts>>();
                break;
            case "dp":
                kernel.Run<Dots128<DpProducts>>();
                break;
            case "emulated dp":
                kernel.Run<Dots128<EmulatedDpProducts>>();
                break;
            case "wide512":
                kernel.Run<Dots512<WideProducts>>();
                break;
            case "wide256":
                kernel.Run<Dots256<WideProducts>>();
                break;
            case "128":
                kernel.Run<Dots128<WideProducts>>();
                break;
            default:
                kernel.Run<Dots1>();
                break;
        }
    }

    private static bool IsPresent(int width) => IsPresent($"{width}");

    private static bool IsPresent(string kind) =>
        kind switch
        {
            "512" or "wide512" => Vector512.IsHardwareAccelerated,
            "256" or "wide256" => Vector256.IsHardwareAccelerated,
#if NET11_0_OR_GREATER
            "vnni512" => AvxVnni.V512.IsSupported && Vector512.IsHardwareAccelerated,
#else
            "vnni512" => false,
#endif
            "vnni" => VnniProducts.IsSupported,
            "emulated vnni" => Avx2.IsSupported,
            "dp" => Dp.IsSupported,
            "emulated dp" => Vector128.IsHardwareAccelerated,
            "128" => Vector128.IsHardwareAccelerated,
            _ => true,
        };
}

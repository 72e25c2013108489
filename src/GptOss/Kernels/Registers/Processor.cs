using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Names the instruction sets that the processor has and this process does not use, for a warning to the user. The
/// cause is a program that was compiled ahead of time for older processors, or a switch in the environment.
/// </summary>
internal static class Processor
{
    /// <summary>
    /// The unused instruction sets, without which a model runs many times slower than it could; as a rule empty.
    /// </summary>
    public static IReadOnlyList<string> Unused { get; } =
        X86Base.IsSupported ? Missing(X86Base.CpuId, Avx2.IsSupported, Fma.IsSupported) : [];

    /// <summary>Compares what the processor reports with what the process uses.</summary>
    /// <param name="cpuId">Gives the registers EAX, EBX, ECX and EDX for a leaf and a subleaf.</param>
    /// <param name="hasAvx2">Whether the process uses AVX2.</param>
    /// <param name="hasFma">Whether the process uses fused multiply-add.</param>
    internal static string[] Missing(
        Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> cpuId,
        bool hasAvx2,
        bool hasFma
    )
    {
        const int Fma = 1 << 12,
            SavedByTheSystem = 1 << 27,
            Avx2 = 1 << 5;
        int leaves = cpuId(0, 0).Eax,
            basic = cpuId(1, 0).Ecx,
            extended = leaves >= 7 ? cpuId(7, 0).Ebx : 0;
        if ((basic & SavedByTheSystem) == 0)
            return []; // the operating system does not save wide registers, so no program can use them
        List<string> missing = [];
        if ((extended & Avx2) != 0 && !hasAvx2)
            missing.Add("AVX2");
        if ((basic & Fma) != 0 && !hasFma)
            missing.Add("FMA");
        return [.. missing];
    }
}

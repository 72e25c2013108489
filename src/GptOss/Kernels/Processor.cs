using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>
/// What the processor could do and this process does not: a program compiled ahead of time for older ones, or a switch.
/// </summary>
internal static class Processor
{
    /// <summary>
    /// The instruction sets without which a model runs many times slower than this processor could; empty as a rule.
    /// </summary>
    public static IReadOnlyList<string> Unused { get; } =
        X86Base.IsSupported ? Missing(X86Base.CpuId, Avx2.IsSupported, Fma.IsSupported) : [];

    /// <param name="cpuId">Gives EAX, EBX, ECX and EDX of a leaf and its part.</param>
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
            return []; // the system does not save wide registers, so nobody may use them
        List<string> missing = [];
        if ((extended & Avx2) != 0 && !hasAvx2)
            missing.Add("AVX2");
        if ((basic & Fma) != 0 && !hasFma)
            missing.Add("FMA");
        return [.. missing];
    }
}

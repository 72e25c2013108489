using System.Diagnostics;
using System.Globalization;

namespace GptOss.Cli.Bench;

/// <summary>The most memory this process has had resident, mapped files included.</summary>
internal static class PeakMemory
{
    public static long Bytes()
    {
        const string Status = "/proc/self/status",
            Field = "VmHWM:";
        if (
            OperatingSystem.IsLinux()
            && File.Exists(Status)
            && File.ReadLines(Status).FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal))
                is { } found
            && long.TryParse(
                found[Field.Length..].Replace("kB", "", StringComparison.Ordinal),
                CultureInfo.InvariantCulture,
                out long kilobytes
            )
        )
            return kilobytes * 1024;
        using var self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }
}

using System.Globalization;

namespace GptOss.Cli.Bench;

/// <summary>Memory that this process can still take.</summary>
internal static class AvailableMemory
{
    /// <summary>How many bytes: the smaller of what the system has free and what the process's limit allows.</summary>
    public static long Bytes()
    {
        // On Linux the garbage collector's figure knows the limit of a container, but not what other processes hold.
        long limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return Math.Min(limit, FreeOnLinux() ?? limit);
    }

    private static long? FreeOnLinux()
    {
        const string File = "/proc/meminfo",
            Field = "MemAvailable:";
        if (!OperatingSystem.IsLinux() || !System.IO.File.Exists(File))
            return null;
        string? line = System
            .IO.File.ReadLines(File)
            .FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal));
        return
            line?[Field.Length..].Replace("kB", "", StringComparison.Ordinal) is { } number
            && long.TryParse(
                number,
                NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
                CultureInfo.InvariantCulture,
                out long kilobytes
            )
            ? kilobytes * 1024
            : null;
    }
}

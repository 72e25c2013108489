using System.Globalization;

namespace GptOss.Model;

/// <summary>How much memory there is, and how much of it is free.</summary>
internal static class FreeMemory
{
    /// <summary>
    /// Bytes that this process can still take: the smaller of what the system has free and what the process's limit
    /// allows.
    /// </summary>
    public static long Bytes() => Math.Min(LimitBytes, OnLinux() ?? long.MaxValue);

    /// <summary>
    /// The most bytes that the process may take, what it has already taken among them. It knows the limit of a
    /// container, but not what other processes hold.
    /// </summary>
    public static long LimitBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>What the system has free now; null where it does not tell, which is all but Linux.</summary>
    public static long? OnLinux()
    {
        const string MemoryInfo = "/proc/meminfo",
            Field = "MemAvailable:";
        if (!OperatingSystem.IsLinux() || !File.Exists(MemoryInfo))
            return null;
        string? line = File.ReadLines(MemoryInfo)
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

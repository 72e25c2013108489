using System.Globalization;

namespace GptOss.Model;

/// <summary>How much memory there is, and how much of it is free.</summary>
internal static class FreeMemory
{
    // A group without a limit has none in its file, or 64 bits of it.
    private const long Unlimited = 1L << 60;

    /// <summary>
    /// Bytes that this process can still take: the smaller of what the system has free and what the process's limit
    /// leaves beside what it holds.
    /// </summary>
    public static long Bytes() => Math.Min(LimitBytes - HeldBytes, OnLinux() ?? long.MaxValue);

    /// <summary>
    /// The most bytes that the process may take, what it has already taken among them. It knows the limit of a
    /// container, but not what other processes hold.
    /// </summary>
    /// <remarks>
    /// The collector's own figure is three quarters of a container's limit on Linux: what it lets the managed heap
    /// have, and of no meaning for weights.
    /// </remarks>
    public static long LimitBytes => OfGroups() ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    // Mapped files can go whenever another needs the memory.
    private static long HeldBytes => Field("/proc/self/status", "RssAnon:") ?? Environment.WorkingSet;

    /// <summary>The least limit of the control groups that the process is in; null where none has one.</summary>
    /// <param name="groups">The file that lists the groups: a line <c>number:controllers:path</c> for each.</param>
    /// <param name="root">The folder of the groups' own files.</param>
    internal static long? OfGroups(string groups = "/proc/self/cgroup", string root = "/sys/fs/cgroup")
    {
        if (!File.Exists(groups))
            return null;
        long least = Unlimited;
        foreach (string line in File.ReadLines(groups))
        {
            if (line.Split(':', 3) is not [_, var controllers, var path])
                continue;
            (string folder, string file)? place =
                controllers.Length == 0 ? (root, "memory.max")
                : controllers.Split(',').Contains("memory") ? (root + "/memory", "memory.limit_in_bytes")
                : null;
            // The limits of all groups above hold too. In a container the path is often the host's, and only the
            // topmost folder is there.
            for (string at = path.TrimEnd('/'); place is var (own, name); at = at[..at.LastIndexOf('/')])
            {
                least = Math.Min(least, Number($"{own}{at}/{name}") ?? Unlimited);
                if (at.Length == 0)
                    break;
            }
        }
        return least < Unlimited ? least : null;
    }

    /// <summary>What the system has free now; null where it does not tell, which is all but Linux.</summary>
    public static long? OnLinux()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        return Field("/proc/meminfo", "MemAvailable:");
    }

    // A field of a file of Linux, which is in kilobytes; null where it is not there.
    private static long? Field(string file, string name)
    {
        if (!File.Exists(file))
            return null;
        string? line = File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return
            line?[name.Length..].Replace("kB", "", StringComparison.Ordinal) is { } number
            && long.TryParse(
                number,
                NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
                CultureInfo.InvariantCulture,
                out long kilobytes
            )
            ? kilobytes * 1024
            : null;
    }

    // A file that holds one number; null where it holds a word, such as "max", or may not be read.
    private static long? Number(string file)
    {
        try
        {
            return
                File.Exists(file)
                && long.TryParse(
                    File.ReadAllText(file),
                    NumberStyles.AllowTrailingWhite,
                    CultureInfo.InvariantCulture,
                    out long number
                )
                ? number
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

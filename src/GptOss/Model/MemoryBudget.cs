using System.Globalization;

namespace GptOss.Model;

/// <summary>
/// How much memory keys and values may take where nobody says it: half of what is free once the weights have their
/// place. It is at least one context of 4,096 tokens, and at most what the sequences that run at once can use.
/// </summary>
/// <remarks>
/// Half, because activations, the managed heap and other programs need memory too, and pages that hold prefixes for
/// later requests fill the budget in time. The least may be more than what is free: then the system swaps or refuses,
/// but a model that can hold no conversation would be no use.
/// </remarks>
internal static class MemoryBudget
{
    /// <summary>The context that fits into every budget.</summary>
    public const int LeastContext = 4096;

    // The least and the most are reckoned with passes of this many rows: in sliding layers a sequence holds the
    // pages of the pass beside those of the window.
    private const int Rows = 512;

    /// <summary>The budget in bytes that this machine or container allows now.</summary>
    /// <param name="config">The sizes of the model.</param>
    /// <param name="format">The number format of stored keys and values.</param>
    /// <param name="contextLength">The most tokens of a sequence.</param>
    /// <param name="running">The most sequences that run at once.</param>
    /// <param name="weightBytes">Bytes of mapped weights. They lie in the page cache, which the system counts as free
    /// but every pass needs.</param>
    public static long Default(
        ModelConfig config,
        KeyValueFormat format,
        int contextLength,
        int running,
        long weightBytes
    ) =>
        Of(
            AvailableBytes() - weightBytes,
            contextLength,
            running,
            PageGroup.Of(config, new KvHeadLayout(format, config.HeadDim))
        );

    /// <summary>The budget in bytes where the given bytes are free, the weights not counted.</summary>
    public static long Of(long free, int contextLength, int running, ReadOnlySpan<PageGroup> groups)
    {
        long least = PageGroup.MostBytes(groups, Math.Min(LeastContext, contextLength), Rows),
            longest = PageGroup.MostBytes(groups, contextLength, Rows),
            most = longest > long.MaxValue / running ? long.MaxValue : running * longest;
        return Math.Clamp(free / 2, least, most);
    }

    /// <summary>
    /// Bytes that this process can still take: the smaller of what the system has free and what the process's limit
    /// allows.
    /// </summary>
    public static long AvailableBytes()
    {
        // On Linux the garbage collector's figure knows the limit of a container, but not what other processes hold.
        long limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return Math.Min(limit, FreeOnLinux() ?? limit);
    }

    private static long? FreeOnLinux()
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

namespace GptOss.Hub;

/// <summary>What a download asks of the machine that a test must be able to replace.</summary>
internal sealed record HubHooks
{
    public static HubHooks None { get; } = new();

    /// <summary>Waits for a time; a test does not want to.</summary>
    public Func<TimeSpan, CancellationToken, Task> Delay { get; init; } = Task.Delay;

    /// <summary>Bytes that are free where a folder lies; null where the system does not tell.</summary>
    public Func<string, long?> FreeBytes { get; init; } = Disk.FreeBytes;

    /// <summary>Called with a file and its length before bytes are written; a test throws here.</summary>
    public Action<string, long>? BeforeWrite { get; init; }

    /// <summary>Whether links can be made in a folder.</summary>
    public Func<string, bool> CanLink { get; init; } = Disk.CanLink;
}

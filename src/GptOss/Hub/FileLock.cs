namespace GptOss.Hub;

/// <summary>
/// The lock that Hugging Face's tools hold while a blob is written: <c>flock</c> on a file that stays there.
/// </summary>
/// <remarks>
/// On Linux a FileStream that shares nothing and fcntl.flock of Python shut each other out; HubLockTests holds that.
/// </remarks>
internal static class FileLock
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    /// <summary>Takes the lock; while another has it, asks every second.</summary>
    /// <param name="path">The file of the lock, whose folder is made.</param>
    /// <param name="delay">Waits between two tries.</param>
    /// <param name="isBusy">Told once that another process has the lock.</param>
    /// <param name="cancellation">Ends the waiting early.</param>
    public static async Task<IDisposable> TakeAsync(
        string path,
        Func<TimeSpan, CancellationToken, Task> delay,
        Action isBusy,
        CancellationToken cancellation
    )
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        for (bool isSaid = false; ; isSaid = true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (TryTake(path) is { } taken)
                return taken;
            if (!isSaid)
                isBusy();
            await delay(BetweenTries, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the lock; null where another process has it.</summary>
    public static IDisposable? TryTake(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (Disk.IsInUse(e))
        {
            return null;
        }
    }
}

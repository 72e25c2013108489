namespace GptOss.Checkpoint;

/// <summary>Follows the reading of files into memory, and ends it where nobody wants it any more.</summary>
/// <param name="total">Bytes of all files.</param>
/// <param name="progress">Told the fraction that was read, 0 to 1; null for nobody.</param>
/// <param name="cancellation">Ends the reading between two pieces.</param>
internal sealed class CopyProgress(long total, IProgress<double>? progress, CancellationToken cancellation)
{
    private long _read;

    /// <summary>Whoever reads without anybody that waits to hear of it.</summary>
    public static CopyProgress None => new(0, null, CancellationToken.None);

    /// <summary>Called after each piece.</summary>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public void Add(long bytes)
    {
        cancellation.ThrowIfCancellationRequested();
        _read += bytes;
        progress?.Report((double)_read / total);
    }
}

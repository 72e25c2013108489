namespace GptOss;

/// <summary>How far a download has come, all of its files together.</summary>
/// <param name="File">The file that the report is about, as the repository names it.</param>
/// <param name="Done">Bytes that are here, of all files, those of earlier downloads among them.</param>
/// <param name="Total">Bytes of all files that are needed.</param>
/// <param name="BytesPerSecond">Speed of the last seconds; 0 where nothing arrives.</param>
/// <param name="Waiting">Why nothing arrives and for how long that will be; null while bytes arrive.</param>
public readonly record struct DownloadProgress(
    string File,
    long Done,
    long Total,
    double BytesPerSecond,
    string? Waiting
)
{
    /// <summary>Time until all is here at this speed; null where nothing arrives.</summary>
    public TimeSpan? Left => BytesPerSecond > 0 ? TimeSpan.FromSeconds((Total - Done) / BytesPerSecond) : null;
}

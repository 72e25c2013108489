using System.Diagnostics;

namespace GptOss.Chat;

/// <summary>
/// Passes the engine's reports of how far a prompt has been read on to the caller, at most ten times a second. Holds
/// the state of one request.
/// </summary>
/// <param name="progress">The caller's receiver of reports.</param>
internal sealed class ReadingPace(IProgress<PromptProgress> progress)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);

    private long? _last;

    /// <summary>
    /// Passes a report on if it is the first or the last, or if 0.1 s have gone by since the one before.
    /// </summary>
    public void Report(PromptProgress value)
    {
        if (_last is { } last && value.Processed < value.Total && Stopwatch.GetElapsedTime(last) < Shortest)
            return;
        _last = Stopwatch.GetTimestamp();
        progress.Report(value);
    }
}

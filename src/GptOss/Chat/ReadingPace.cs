using System.Diagnostics;

namespace GptOss.Chat;

/// <summary>Passes on how far a prompt has been read, at most ten times a second. For one request.</summary>
/// <param name="progress">Who wants to know.</param>
internal sealed class ReadingPace(IProgress<PromptProgress> progress)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);

    private long? _last;

    /// <summary>The first and the last report of a prompt are always passed on.</summary>
    public void Report(PromptProgress value)
    {
        if (_last is { } last && value.Processed < value.Total && Stopwatch.GetElapsedTime(last) < Shortest)
            return;
        _last = Stopwatch.GetTimestamp();
        progress.Report(value);
    }
}

using GptOss.AspNetCore.Answers;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Wire;

/// <summary>How fast a prompt was read and an answer written, by the names that llama.cpp's clients read.</summary>
internal sealed record ReplyTimings(
    long CacheN,
    long PromptN,
    double PromptMs,
    double PromptPerSecond,
    long PredictedN,
    double PredictedMs,
    double PredictedPerSecond
)
{
    /// <summary>The figures of an answer that is over.</summary>
    public static ReplyTimings Of(UsageDetails usage, ReplyPace pace)
    {
        long cached = usage.CachedInputTokenCount ?? 0,
            read = Math.Max(0, (usage.InputTokenCount ?? 0) - cached),
            written = usage.OutputTokenCount ?? 0;
        return new ReplyTimings(
            cached,
            read,
            Milliseconds(pace.Reading),
            Rate(read, pace.Reading),
            written,
            Milliseconds(pace.Writing),
            Rate(written, pace.Writing)
        );
    }

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 1);

    private static double Rate(long tokens, TimeSpan time) =>
        time > TimeSpan.Zero ? Math.Round(tokens / time.TotalSeconds, 1) : 0;
}

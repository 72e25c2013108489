namespace GptOss.AspNetCore.Admission;

/// <summary>How long the last answers took, which says when a full server may have room; thread-safe.</summary>
internal sealed class RunTimes
{
    private const int Kept = 20;

    private readonly Lock _lock = new();
    private readonly Queue<TimeSpan> _last = new();

    /// <summary>Notes how long an answer took.</summary>
    public void Add(TimeSpan time)
    {
        lock (_lock)
        {
            _last.Enqueue(time);
            if (_last.Count > Kept)
                _last.Dequeue();
        }
    }

    /// <summary>The median of the last answers' times, 1 to 60 seconds.</summary>
    public TimeSpan RetryAfter
    {
        get
        {
            TimeSpan[] sorted;
            lock (_lock)
                sorted = [.. _last.Order()];
            double median = sorted.Length > 0 ? sorted[sorted.Length / 2].TotalSeconds : 0;
            return TimeSpan.FromSeconds(Math.Clamp(Math.Ceiling(median), 1, 60));
        }
    }
}

namespace GptOss.AspNetCore.Admission;

/// <summary>
/// Tells a full server how long to hold back a refusal: not at all where a crowd comes once, and the longer the more of
/// it asks again at once, so that refusing leaves the processor to the answers. Thread-safe.
/// </summary>
/// <param name="time">Measures how quickly refusals follow each other.</param>
internal sealed class RefusalPace(TimeProvider time)
{
    private const int AtOnce = 256;

    // A hundred refusals a second: more of them take little of a core, and yet hold up the passes of the others.
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(10),
        Longest = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _due = TimeSpan.MinValue;

    /// <summary>How long the next refusal is held back, at most a second.</summary>
    public TimeSpan Next()
    {
        TimeSpan now = time.GetElapsedTime(_start);
        lock (_lock)
        {
            TimeSpan earliest = now - AtOnce * Between;
            _due = _due < earliest ? earliest : _due;
            TimeSpan wait = _due - now;
            if (wait >= Longest)
                return Longest;
            _due += Between;
            return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }
    }
}

namespace GptOss.AspNetCore.Answers;

/// <summary>Remembers how far a prompt has been read, and wakes whoever waits for news of it; thread-safe.</summary>
/// <param name="elapsed">The time since the request came.</param>
/// <param name="begun">Called once the reading has begun; on the model's own thread, perhaps more than once.</param>
internal sealed class PromptTracker(Func<TimeSpan> elapsed, Action begun) : IProgress<PromptProgress>
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = New();
    private PromptProgress? _last;
    private TimeSpan? _began;
    private TimeSpan _lastAt;

    /// <summary>The last news; null where there was none.</summary>
    public PromptProgress? Last
    {
        get
        {
            lock (_lock)
                return _last;
        }
    }

    /// <summary>When the reading began, since the request came; null where it has not.</summary>
    public TimeSpan? Began
    {
        get
        {
            lock (_lock)
                return _began;
        }
    }

    /// <summary>When the last news came, since the request came; null where none did.</summary>
    public TimeSpan? LastAt
    {
        get
        {
            lock (_lock)
                return _began is null ? null : _lastAt;
        }
    }

    /// <summary>Completes with the next news.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock)
                return _changed.Task;
        }
    }

    // The model's own thread calls this: whoever waits is woken on another one.
    void IProgress<PromptProgress>.Report(PromptProgress value)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _lastAt = elapsed();
            _began ??= _lastAt;
            _last = value;
            (changed, _changed) = (_changed, New());
        }
        begun();
        changed.SetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

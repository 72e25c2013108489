namespace GptOss.Generation;

/// <summary>
/// A place in a queue that was taken for a request before it is ready. Disposing it frees the place, unless a request
/// has come into it. Thread-safe.
/// </summary>
/// <param name="free">Tells the queue, which has counted the place, that nobody came into it.</param>
internal sealed class QueuePlace(Action free) : IDisposable
{
    private bool _isOver;

    /// <summary>Gives the place to a request; false where it was given or freed before.</summary>
    public bool TryGive() => !Interlocked.Exchange(ref _isOver, true);

    public void Dispose()
    {
        if (TryGive())
            free();
    }
}

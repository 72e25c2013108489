namespace GptOss.Generation;

/// <summary>
/// A place in a queue that was taken for a request before it is ready. Disposing it frees the place, unless a request
/// has come into it. Thread-safe.
/// </summary>
/// <param name="queue">The queue, which has counted the place.</param>
internal sealed class QueuePlace(RequestQueue queue) : IDisposable
{
    private bool _isOver;

    /// <summary>Gives the place to a request; false where it was given or freed before.</summary>
    public bool TryGive() => !Interlocked.Exchange(ref _isOver, true);

    public void Dispose()
    {
        if (TryGive())
            queue.GiveUp();
    }
}

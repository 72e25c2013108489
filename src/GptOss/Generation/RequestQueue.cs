using System.Diagnostics.CodeAnalysis;

namespace GptOss.Generation;

/// <summary>
/// The requests that wait to be worked on: those of higher priority first, and among equals the one that came first.
/// </summary>
/// <remarks>Thread-safe: callers add, the scheduler's loop takes.</remarks>
/// <param name="capacity">The most requests that may wait.</param>
internal sealed class RequestQueue(int capacity)
{
    private readonly Lock _lock = new();
    private readonly List<Sequence> _waiting = [];
    private bool _isClosed;

    /// <summary>Whether a request waits that could go on.</summary>
    public bool HasReady
    {
        get
        {
            lock (_lock)
                return _waiting.Exists(IsReady);
        }
    }

    /// <summary>Refuses another request where it would find neither a place to run nor one to wait.</summary>
    /// <param name="freePlaces">How many requests more may run: as many of those that wait are about to begin.</param>
    /// <exception cref="EngineBusyException">As many requests wait as may wait.</exception>
    public void ThrowIfFull(int freePlaces)
    {
        lock (_lock)
        {
            // Those who were cancelled have no place any more, though the loop has not taken them yet.
            int length = _waiting.Count(waiting => !IsStopped(waiting)) - freePlaces;
            if (length >= capacity)
                throw new EngineBusyException(length);
        }
    }

    /// <summary>Adds a request behind all others of its priority; false where the queue was closed.</summary>
    public bool TryAdd(Sequence sequence)
    {
        lock (_lock)
        {
            if (!_isClosed)
                _waiting.Insert(Place(waiting => waiting.Priority >= sequence.Priority), sequence);
            return !_isClosed;
        }
    }

    /// <summary>Puts a request that had begun before all others of its priority.</summary>
    public void PutBack(Sequence sequence)
    {
        lock (_lock)
            _waiting.Insert(Place(waiting => waiting.Priority > sequence.Priority), sequence);
    }

    /// <summary>
    /// Takes the request that is next, if it can be worked on; false where none waits or it cannot. A request that was
    /// paused and whose reader does not read is passed over.
    /// </summary>
    /// <param name="canJoin">Whether there is room for the request that is next.</param>
    /// <param name="sequence">The request that was taken.</param>
    public bool TryTake(Predicate<Sequence> canJoin, [NotNullWhen(true)] out Sequence? sequence)
    {
        lock (_lock)
            sequence = _waiting.Find(IsReady);
        if (sequence is null || !canJoin(sequence))
            return false;
        lock (_lock)
            return _waiting.Remove(sequence);
    }

    /// <summary>Takes all requests that were cancelled while they waited.</summary>
    public IReadOnlyList<Sequence> TakeStopped()
    {
        lock (_lock)
        {
            if (!_waiting.Exists(IsStopped))
                return [];
            List<Sequence> stopped = _waiting.FindAll(IsStopped);
            _waiting.RemoveAll(IsStopped);
            return stopped;
        }
    }

    /// <summary>Takes all requests that wait.</summary>
    public IReadOnlyList<Sequence> TakeAll()
    {
        lock (_lock)
        {
            Sequence[] all = [.. _waiting];
            _waiting.Clear();
            return all;
        }
    }

    /// <summary>Takes all requests that wait, and none can be added any more.</summary>
    public IReadOnlyList<Sequence> Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            return TakeAll();
        }
    }

    private static bool IsReady(Sequence sequence) => sequence.CanResume;

    private static bool IsStopped(Sequence sequence) => sequence.Stop.IsCancellationRequested;

    private int Place(Predicate<Sequence> isBefore)
    {
        int place = 0;
        while (place < _waiting.Count && isBefore(_waiting[place]))
            place++;
        return place;
    }
}

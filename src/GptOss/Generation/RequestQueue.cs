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

    /// <exception cref="EngineBusyException">As many requests wait as may wait.</exception>
    public void ThrowIfFull()
    {
        lock (_lock)
            if (_waiting.Count >= capacity)
                throw new EngineBusyException(_waiting.Count);
    }

    /// <summary>Adds a request behind all others of its priority.</summary>
    public bool TryAdd(Sequence sequence)
    {
        lock (_lock)
            _waiting.Insert(Place(waiting => waiting.Priority >= sequence.Priority), sequence);
        return true;
    }

    /// <summary>Puts a request that had begun before all others of its priority.</summary>
    public void PutBack(Sequence sequence)
    {
        lock (_lock)
            _waiting.Insert(Place(waiting => waiting.Priority > sequence.Priority), sequence);
    }

    /// <summary>Takes the request that is next, if it can be worked on; false where none waits or it cannot.</summary>
    /// <param name="canJoin">Whether there is room for the request that is next.</param>
    /// <param name="sequence">The request that was taken.</param>
    public bool TryTake(Predicate<Sequence> canJoin, [NotNullWhen(true)] out Sequence? sequence)
    {
        lock (_lock)
            sequence = _waiting.Count > 0 ? _waiting[0] : null;
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

    public IReadOnlyList<Sequence> Close() => TakeAll();

    private static bool IsStopped(Sequence sequence) => sequence.Stop.IsCancellationRequested;

    private int Place(Predicate<Sequence> isBefore)
    {
        int place = 0;
        while (place < _waiting.Count && isBefore(_waiting[place]))
            place++;
        return place;
    }
}

using System.Diagnostics.CodeAnalysis;

namespace GptOss.Generation;

/// <summary>
/// The requests that wait to be worked on: those of higher priority first, and among equals the one that came first.
/// </summary>
/// <remarks>
/// <para>
/// Thread-safe: callers add, the scheduler's loop takes. A request is accepted or refused once, before anything is done
/// for it, and its place is counted in the same step, so that no number of threads passes the limit together.
/// </para>
/// <para>
/// As many requests are accepted as may run and wait together. So one that is paused, and waits again, makes the queue
/// no fuller than it was.
/// </para>
/// </remarks>
/// <param name="capacity">The most requests that may wait.</param>
/// <param name="maxRunning">The most requests that may run.</param>
internal sealed class RequestQueue(int capacity, int maxRunning)
{
    private readonly Lock _lock = new();
    private readonly List<Sequence> _waiting = [];
    private long _arrived;
    private int _coming;
    private int _running;
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

    /// <summary>Whether a request that came now would be refused.</summary>
    public bool IsFull
    {
        get
        {
            lock (_lock)
                return Length() >= capacity;
        }
    }

    /// <summary>
    /// Accepts a request, which <see cref="TryAdd"/> or <see cref="GiveUp"/> must follow, or refuses it where it would
    /// find neither a place to run nor one to wait.
    /// </summary>
    /// <param name="isOwed">Whether the request goes on with an answer that was accepted before, so that it is never
    /// refused.</param>
    /// <exception cref="EngineBusyException">As many requests wait as may wait.</exception>
    public void Accept(bool isOwed)
    {
        lock (_lock)
        {
            int length = Length();
            if (length >= capacity && !isOwed)
                throw new EngineBusyException(length, capacity);
            _coming++;
        }
    }

    /// <summary>Accepts a request that is not ready to be added.</summary>
    /// <exception cref="EngineBusyException">As many requests wait as may wait.</exception>
    public QueuePlace Reserve()
    {
        Accept(isOwed: false);
        return new QueuePlace(GiveUp);
    }

    /// <summary>Frees the place of a request that was accepted and will not be added.</summary>
    public void GiveUp()
    {
        lock (_lock)
            _coming--;
    }

    /// <summary>
    /// Adds a request that was accepted behind all others of its priority; false where the queue was closed.
    /// </summary>
    public bool TryAdd(Sequence sequence)
    {
        lock (_lock)
        {
            _coming--;
            sequence.Arrival = ++_arrived;
            if (!_isClosed)
                Insert(sequence);
            return !_isClosed;
        }
    }

    /// <summary>Frees the place of a request that was taken and runs no more.</summary>
    public void Leave()
    {
        lock (_lock)
            _running--;
    }

    /// <summary>Lets a request that had begun wait again, before all of its priority that came later.</summary>
    public void PutBack(Sequence sequence)
    {
        lock (_lock)
        {
            _running--;
            Insert(sequence);
        }
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
        {
            bool isTaken = _waiting.Remove(sequence);
            _running += isTaken ? 1 : 0;
            return isTaken;
        }
    }

    /// <summary>Takes all requests that were cancelled while they waited.</summary>
    public IReadOnlyList<Sequence> TakeStopped()
    {
        lock (_lock)
        {
            // Each is asked once, since it may be cancelled at any moment: one that stopped between two questions would
            // be removed and not taken.
            List<Sequence> stopped = _waiting.FindAll(IsStopped);
            foreach (Sequence sequence in stopped)
                _waiting.Remove(sequence);
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

    // Those who were cancelled have no place any more, though the loop has not taken them yet.
    private int Length() => _coming + _waiting.Count(waiting => !IsStopped(waiting)) - (maxRunning - _running);

    private static bool IsReady(Sequence sequence) => sequence.CanResume;

    private static bool IsStopped(Sequence sequence) => sequence.Stop.IsCancellationRequested;

    private void Insert(Sequence sequence)
    {
        int place = _waiting.FindIndex(waiting => IsBefore(sequence, waiting));
        _waiting.Insert(place < 0 ? _waiting.Count : place, sequence);
    }

    private static bool IsBefore(Sequence one, Sequence other) =>
        one.Priority > other.Priority || (one.Priority == other.Priority && one.Arrival < other.Arrival);
}

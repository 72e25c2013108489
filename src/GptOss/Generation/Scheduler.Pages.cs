using GptOss.Model;

namespace GptOss.Generation;

/// <summary>
/// Places and pages: who may join, who is paused where pages run out, who leaves, and which pages are kept for later
/// requests.
/// </summary>
internal sealed partial class Scheduler
{
    /// <summary>Whether a request that came now would be refused.</summary>
    public bool IsFull => _queue.IsFull;

    /// <summary>Takes a place in the queue for a request that is not ready to be submitted.</summary>
    /// <exception cref="EngineBusyException">As many requests wait as may wait.</exception>
    public QueuePlace Reserve() => _queue.Reserve();

    /// <summary>Lets the loop look who can go on, since pages were released that were not its own.</summary>
    public void LookAgain() => _thread.Wake();

    // A sequence whose reader does not read cannot go on. It gives its place and its pages to one that waits.
    private void Admit()
    {
        while (true)
            if (
                _running.Count < _maxRunning
                && _queue.TryTake(waiting => _admission.CanJoin(waiting, _running), out Sequence? sequence)
            )
            {
                _running.Add(sequence);
                Guarded(sequence, static admitted => admitted.Begin());
            }
            else if (_queue.HasReady && _running.FindLast(IsStalled) is { } stalled)
                Pause(stalled);
            else
                return;
    }

    private static bool IsStalled(Sequence sequence) => !sequence.HasRoom;

    // Where pages run out, a sequence gives its own back and is computed again later, so that nothing fails. A
    // sequence that runs alone takes fewer rows, since a pass of 512 rows needs more pages of sliding layers than
    // decoding did. If even one row finds no page though nobody else holds any, the sequence has filled all the memory
    // there is: its answer ends as in a full context. What holds pages beside it is a prefix that is saved or loaded,
    // and whoever does that wakes the loop when it is done.
    private void ReservePages()
    {
        for (int i = 0; i < _plan.Shares.Count; )
        {
            (Sequence sequence, int rows) = _plan.Shares[i];
            if (TryReserve(sequence, rows) is not { } isReserved)
                i = 0; // the system has no memory, which ended the sequence
            else if (isReserved)
                i++;
            else if (_plan.TryDropGuess(i))
                continue;
            else if (_running.Count > 1)
            {
                Pause(Victim());
                i = 0; // what was reserved before stays so
            }
            else if (rows > 1)
                _plan.Halve();
            else if (_engine.Cache.Pool.HeldBytes > sequence.Kv.HeldBytes)
                Pause(sequence);
            else
            {
                _plan.Clear();
                sequence.EndAsFull();
                End(sequence, error: null);
            }
        }
    }

    // One that cannot go on because its reader does not read; else of those with the lowest priority the one that
    // arrived last.
    private Sequence Victim() =>
        _running.FindLast(IsStalled) ?? _running.MinBy(sequence => (sequence.Priority, -sequence.Arrival))!;

    // Null where the system has no memory even after the pool gave back all that nobody needs now.
    private bool? TryReserve(Sequence sequence, int rows)
    {
        for (bool isLastTry = false; ; isLastTry = true)
            try
            {
                // What cannot succeed must not cost the prefixes that are kept.
                int end = sequence.Kv.Length + rows;
                return _engine.Cache.Pool.CouldRent(sequence.Kv.MissingBytes(end)) && sequence.Kv.TryReserve(end);
            }
            catch (OutOfMemoryException error)
            {
                if (isLastTry)
                {
                    _plan.Remove(sequence);
                    End(sequence, error);
                    return null;
                }
                _prefixes.Clear();
                _engine.Cache.Pool.Trim();
            }
    }

    private void Pause(Sequence sequence)
    {
        _running.Remove(sequence);
        _plan.Remove(sequence);
        sequence.Kv.Clear();
        sequence.KeptPages = 0;
        sequence.Telemetry.Pause();
        _queue.PutBack(sequence);
    }

    private void Leave(Sequence sequence)
    {
        if (_running.Remove(sequence))
            _queue.Leave();
    }

    private void End(Sequence sequence, Exception? error)
    {
        Leave(sequence);
        try
        {
            if (error is not null)
                sequence.Fail(error);
            else
                TryKeep(sequence, isComplete: true);
        }
        finally
        {
            sequence.Release(); // whatever happens: nobody else knows the sequence any more
        }
    }

    private void EndAll(Exception error)
    {
        foreach (Sequence sequence in _running.ToArray())
            End(sequence, error);
        foreach (Sequence sequence in _queue.TakeAll())
            Refuse(sequence, error);
    }

    // Ends a sequence that waits. The figures hear of a beginning even so, since they count those that wait.
    private static void Refuse(Sequence sequence, Exception error)
    {
        sequence.Fail(error);
        try
        {
            sequence.BeginUntold();
        }
        catch (Exception)
        {
            // The listener's own error does not matter beside that of the sequence.
        }
        sequence.Release();
    }

    private void KeepFullPages(Sequence sequence)
    {
        int full = sequence.Kv.Length / PageGroup.Positions;
        if (full == sequence.KeptPages)
            return;
        sequence.KeptPages = full;
        TryKeep(sequence, isComplete: false);
    }

    // A prefix that cannot be kept is computed again. The answer does not depend on it: memory may be short, or a
    // listener may have disposed the model.
    private void TryKeep(Sequence sequence, bool isComplete)
    {
        try
        {
            _prefixes.Keep(sequence.Kv, sequence.Tokens, sequence.Scope, isComplete);
        }
        catch (Exception error) when (error is ObjectDisposedException or OutOfMemoryException) { }
    }
}

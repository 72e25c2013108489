using System.Diagnostics;

namespace GptOss.Generation;

/// <summary>
/// Ends a pass early whose work is not wanted any more. A pass changes nothing before its end, so that only its time is
/// lost: the sequences that go on are planned again.
/// </summary>
/// <remarks>
/// A long pass of several sequences ends when the first of them is cancelled, so that nobody waits for the chunk of a
/// prompt that nobody wants. That costs the others the time of the pass. So it never happens twice in a row: the pass
/// behind a stopped one ends only when all of its sequences are cancelled, as a short pass does. However often clients
/// cancel, every second pass brings the others on.
/// <para>
/// The large pass of a prompt that runs alone ends when a request arrives early in it, which would else wait for most
/// of the pass. How often that may be is not known here (<see cref="PassBudget.Yielded"/>).
/// </para>
/// </remarks>
internal sealed class PassStop : IDisposable
{
    private readonly List<CancellationTokenRegistration> _registrations = [];
    private CancellationTokenSource _source = new();
    private bool _isForOne;
    private int _missing;

    private readonly Lock _arrival = new();
    private long _yieldsUntil; // a time stamp; 0 where no pass runs that ends for those who arrive

    /// <summary>Whether the last pass was ended for one of its sequences, at the cost of others.</summary>
    public bool HasCostOthers { get; private set; }

    /// <summary>Whether the last pass was ended for a request that arrived.</summary>
    public bool HasYielded { get; private set; }

    /// <summary>Begins a pass; returns what ends the pass early.</summary>
    /// <param name="shares">The sequences of the pass.</param>
    /// <param name="isLong">Whether the pass is expected to take longer than a cancellation may wait.</param>
    /// <param name="yieldSeconds">How long from now on the pass ends for a request that arrives.</param>
    public CancellationToken Begin(List<(Sequence Sequence, int Rows)> shares, bool isLong, double yieldSeconds = 0)
    {
        lock (_arrival)
        {
            HasYielded = false;
            if (yieldSeconds > 0)
                _yieldsUntil = Stopwatch.GetTimestamp() + (long)(yieldSeconds * Stopwatch.Frequency);
        }
        _isForOne = isLong && !HasCostOthers && shares.Count > 1;
        _missing = _isForOne ? 1 : shares.Count;
        foreach ((Sequence sequence, _) in shares)
            _registrations.Add(sequence.Stop.UnsafeRegister(static self => ((PassStop)self!).OneIsCancelled(), this));
        return _source.Token;
    }

    /// <summary>
    /// Tells, on any thread, that a request waits which could join: a pass ends of which too much is left.
    /// </summary>
    public void Arrive()
    {
        lock (_arrival)
        {
            if (Stopwatch.GetTimestamp() >= _yieldsUntil)
                return;
            HasYielded = true;
            _source.Cancel();
        }
    }

    /// <summary>Ends the pass, stopped or not; a cancellation that comes later ends no other pass.</summary>
    public void End()
    {
        lock (_arrival)
            _yieldsUntil = 0;
        foreach (CancellationTokenRegistration registration in _registrations)
            registration.Dispose(); // waits for a cancellation that is being told now
        HasCostOthers = _isForOne && _source.IsCancellationRequested;
        _registrations.Clear();
        if (!_source.IsCancellationRequested)
            return;
        _source.Dispose();
        _source = new CancellationTokenSource();
    }

    public void Dispose() => _source.Dispose();

    private void OneIsCancelled()
    {
        if (Interlocked.Decrement(ref _missing) == 0)
            _source.Cancel();
    }
}

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
/// </remarks>
internal sealed class PassStop : IDisposable
{
    private readonly List<CancellationTokenRegistration> _registrations = [];
    private CancellationTokenSource _source = new();
    private bool _isForOne;
    private int _missing;

    /// <summary>Whether the last pass was ended for one of its sequences, at the cost of others.</summary>
    public bool HasCostOthers { get; private set; }

    /// <summary>Begins a pass; returns what ends the pass early.</summary>
    /// <param name="shares">The sequences of the pass.</param>
    /// <param name="isLong">Whether the pass is expected to take longer than a cancellation may wait.</param>
    public CancellationToken Begin(List<(Sequence Sequence, int Rows)> shares, bool isLong)
    {
        _isForOne = isLong && !HasCostOthers && shares.Count > 1;
        _missing = _isForOne ? 1 : shares.Count;
        foreach ((Sequence sequence, _) in shares)
            _registrations.Add(sequence.Stop.UnsafeRegister(static self => ((PassStop)self!).OneIsCancelled(), this));
        return _source.Token;
    }

    /// <summary>Ends the pass, stopped or not; a cancellation that comes later ends no other pass.</summary>
    public void End()
    {
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

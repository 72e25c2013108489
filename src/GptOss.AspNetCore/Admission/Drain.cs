namespace GptOss.AspNetCore.Admission;

/// <summary>
/// The end of a server: new requests are refused, those that wait are sent away, and those that run go on for a while.
/// Thread-safe.
/// </summary>
internal sealed class Drain : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _beginning = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _hasBegun;
    private int _running;

    /// <summary>Cancelled when the server begins to end, for requests that wait.</summary>
    public CancellationToken Beginning => _beginning.Token;

    /// <summary>Cancelled when the time of the running requests is over.</summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Whether the server ends.</summary>
    public bool HasBegun => Volatile.Read(ref _hasBegun);

    /// <summary>How many requests are answered now.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Counts a request in; false where the server ends. <see cref="Leave"/> follows.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (_hasBegun)
                return false;
            _running++;
            return true;
        }
    }

    /// <summary>Counts a request out that was counted in.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _running--;
            if (_running == 0 && _hasBegun)
                _empty.TrySetResult();
        }
    }

    /// <summary>Waits until the running requests are done; ends them when their time is over.</summary>
    /// <param name="limit">How long they may go on.</param>
    /// <param name="cancellation">Ends them at once.</param>
    public async Task EndAsync(TimeSpan limit, CancellationToken cancellation)
    {
        // Long enough to write a last event, and no longer: a client that does not read shall not hold the server.
        TimeSpan farewell = TimeSpan.FromSeconds(2);
        lock (_lock)
        {
            _hasBegun = true;
            if (_running == 0)
                _empty.TrySetResult();
        }
        await _beginning.CancelAsync().ConfigureAwait(false);
        if (await IsEmptyAsync(limit, cancellation).ConfigureAwait(false))
            return;
        await _ending.CancelAsync().ConfigureAwait(false);
        await IsEmptyAsync(farewell, CancellationToken.None).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _beginning.Dispose();
        _ending.Dispose();
    }

    private async Task<bool> IsEmptyAsync(TimeSpan limit, CancellationToken cancellation)
    {
        try
        {
            await _empty.Task.WaitAsync(limit, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }
}

using System.Threading.RateLimiting;
using GptOss.AspNetCore.Faults;

namespace GptOss.AspNetCore.Admission;

/// <summary>
/// Lets some requests run and some wait, and refuses the others at once; for clients that have no queue of their own.
/// Thread-safe.
/// </summary>
internal sealed class RunGate : IDisposable
{
    private readonly ConcurrencyLimiter _limiter;
    private readonly int _queued;
    private readonly TimeSpan _maxWait;
    private readonly RunTimes _times;

    /// <param name="running">The most requests that run at the same time.</param>
    /// <param name="queued">The most requests that wait, the oldest first.</param>
    /// <param name="maxWait">How long a request waits for its turn.</param>
    /// <param name="times">Says when a refused request may try again.</param>
    public RunGate(int running, int queued, TimeSpan maxWait, RunTimes times)
    {
        _limiter = new ConcurrencyLimiter(
            new ConcurrencyLimiterOptions
            {
                PermitLimit = running,
                QueueLimit = queued,
                QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            }
        );
        _queued = queued;
        _maxWait = maxWait;
        _times = times;
    }

    /// <summary>How many requests wait now.</summary>
    public long Queued => _limiter.GetStatistics()!.CurrentQueuedCount;

    /// <summary>Whether a request that came now would be refused.</summary>
    public bool IsFull =>
        _limiter.GetStatistics()! is { CurrentAvailablePermits: 0 } now && now.CurrentQueuedCount >= _queued;

    /// <summary>Waits for the request's turn; disposing the lease lets the next one run.</summary>
    /// <exception cref="FaultException">The queue is full, or the turn did not come in time.</exception>
    /// <exception cref="OperationCanceledException">The request was cancelled while it waited.</exception>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellation)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        waiting.CancelAfter(_maxWait);
        RateLimitLease lease;
        try
        {
            lease = await _limiter.AcquireAsync(1, waiting.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new FaultException(KnownFaults.Overloaded(_times.RetryAfter));
        }
        if (lease.IsAcquired)
            return lease;
        lease.Dispose();
        throw new FaultException(KnownFaults.Overloaded(_times.RetryAfter));
    }

    public void Dispose() => _limiter.Dispose();
}

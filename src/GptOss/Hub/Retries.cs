namespace GptOss.Hub;

/// <summary>Waits between attempts, longer each time, until it has been enough.</summary>
/// <param name="delay">Waits for a time.</param>
/// <param name="says">Told why nothing happens and for how long; null where it goes on.</param>
internal sealed class Retries(Func<TimeSpan, CancellationToken, Task> delay, Action<string?> says)
{
    private const double Spread = 0.25;

    private static readonly int[] Seconds = [1, 2, 4, 8, 8];

    private int _failures;
    private long _furthest;

    /// <summary>
    /// Bytes have arrived: the count of failures begins anew where more is here than ever before. A server that begins
    /// with the first byte every time, and breaks off every time, would else be asked for ever.
    /// </summary>
    /// <param name="length">How many bytes are here.</param>
    public void Progressed(long length)
    {
        if (length <= _furthest)
            return;
        _furthest = length;
        _failures = 0;
    }

    /// <summary>Waits before the next attempt.</summary>
    /// <exception cref="HubException">It has been tried often enough.</exception>
    public async Task AfterAsync(TransientException failure, CancellationToken cancellation)
    {
        if (_failures == Seconds.Length)
            throw failure.Final;
        TimeSpan wait = failure.Wait ?? Spreaded(Seconds[_failures]);
        _failures++;
        says($"{failure.Cause}; again in {Math.Ceiling(wait.TotalSeconds):0} s");
        await delay(wait, cancellation).ConfigureAwait(false);
        says(null);
    }

    /// <summary>Tries until it succeeds, or has been tried often enough.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> attempt, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await attempt().ConfigureAwait(false);
            }
            catch (TransientException failure)
            {
                await AfterAsync(failure, cancellation).ConfigureAwait(false);
            }
        }
    }

    // Many clients that failed at once shall not come back at once.
    private static TimeSpan Spreaded(int seconds) =>
        TimeSpan.FromSeconds(seconds * (1 - Spread + 2 * Spread * Random.Shared.NextDouble()));
}

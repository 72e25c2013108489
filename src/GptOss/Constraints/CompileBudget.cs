namespace GptOss.Constraints;

/// <summary>
/// The work that the compilation of one grammar may take. It is counted in steps and not in time, so that a grammar is
/// refused on every machine or on none.
/// </summary>
/// <param name="cancellation">Looked at every 10,000 steps.</param>
internal sealed class CompileBudget(CancellationToken cancellation = default)
{
    /// <summary>The most steps of a compilation: less than a second's work.</summary>
    public const long MostSteps = 200_000_000;

    private const long Look = 10_000;

    private long _nextLook = Look;

    /// <summary>The steps taken so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Takes some of the steps.</summary>
    /// <exception cref="LimitException">The compilation has taken more than <see cref="MostSteps"/>.</exception>
    /// <exception cref="OperationCanceledException">The compilation was cancelled.</exception>
    public void Take(long steps)
    {
        Steps += steps;
        if (Steps < _nextLook)
            return;
        _nextLook = Steps + Look;
        cancellation.ThrowIfCancellationRequested();
        if (Steps > MostSteps)
            throw new LimitException($"takes more than {MostSteps:N0} steps to compile");
    }
}

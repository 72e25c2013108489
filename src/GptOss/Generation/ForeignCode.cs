namespace GptOss.Generation;

/// <summary>
/// A stretch of code that calls what others wrote: listeners to the figures, a progress, a guide. What they leave in
/// the ExecutionContext of the thread, such as an AsyncLocal or a current activity, goes when the stretch ends.
/// </summary>
/// <remarks>
/// The scheduler's loop calls the code of all requests on one thread, and the next must not find what the one before
/// has left. Nothing is allocated. A thread that has suppressed the flow of its context keeps what is left.
/// </remarks>
internal readonly ref struct ForeignCode : IDisposable
{
    private readonly ExecutionContext? _own = ExecutionContext.Capture();

    public ForeignCode() { }

    public void Dispose()
    {
        if (_own is not null)
            ExecutionContext.Restore(_own);
    }
}

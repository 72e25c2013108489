namespace GptOss.Generation;

/// <summary>
/// Ends the sequences whose logits are not finite, with the name of the tensor at fault. The search through all weights
/// runs once for a model and beside the passes, so that other sequences go on meanwhile.
/// </summary>
/// <param name="engine">The engine that knows how to search.</param>
internal sealed class FaultSearch(Engine engine)
{
    private Task<NumericFaultException>? _search;

    /// <summary>
    /// Ends a sequence that met the fault, once the search is done. The caller no longer works on it.
    /// </summary>
    public void End(Sequence sequence)
    {
        CancellationToken closing = engine.Closing;
        _search ??= Task.Run(() => engine.ExplainFault(closing), CancellationToken.None);
        _ = _search.ContinueWith(
            search =>
            {
                sequence.Fail(
                    search.IsCompletedSuccessfully ? search.Result
                    : closing.IsCancellationRequested ? engine.Disposed()
                    : search.Exception?.InnerException ?? engine.Disposed()
                );
                sequence.Release();
            },
            TaskScheduler.Default
        );
    }

    /// <summary>
    /// Waits until nothing reads the weights any more. The sequences may end a little later, in code of listeners that
    /// must not be waited for: one of them may be what disposes the model.
    /// </summary>
    public void Wait() => ((IAsyncResult?)_search)?.AsyncWaitHandle.WaitOne();
}

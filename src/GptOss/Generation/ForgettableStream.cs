namespace GptOss.Generation;

/// <summary>
/// The stream of an answer that a reader holds. If the reader forgets to dispose it, the garbage collector ends the
/// request, so that its keys and values do not stay in memory.
/// </summary>
/// <remarks>
/// The scheduler's loop refers to the sequence but not to this object, so that only the reader keeps this object alive.
/// </remarks>
/// <param name="sequence">The request that the loop works on.</param>
internal sealed class ForgettableStream(Sequence sequence) : ITokenStream
{
    ~ForgettableStream() => sequence.Dispose();

    public EndReason End => sequence.End;

    public int CachedTokens => sequence.CachedTokens;

    public IAsyncEnumerable<GeneratedToken> ReadAsync(CancellationToken cancellation = default) =>
        sequence.ReadAsync(cancellation);

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        sequence.Dispose();
    }
}

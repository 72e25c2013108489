namespace GptOss.Generation;

/// <summary>
/// An answer in its reader's hands. Collected without having been disposed, it lets go of the sequence's keys and
/// values.
/// </summary>
/// <remarks>
/// The loop knows the sequence and would keep it for a reader that never comes back; it does not know this object.
/// </remarks>
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

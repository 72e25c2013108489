using System.Runtime.CompilerServices;
using GptOss.Generation;

namespace GptOss;

/// <summary>The tokens that continue a prompt, as they are made, and why they ended.</summary>
/// <remarks>
/// Nothing is computed before it is enumerated, and every enumeration generates anew. The model works a little ahead of
/// the reader, and stops when the enumeration is left. An enumerator has one reader.
/// </remarks>
public sealed class TokenGeneration : IAsyncEnumerable<int>
{
    private readonly ITokenSource _source;
    private readonly GenerationRequest _request;
    private readonly CancellationToken _cancellation;

    internal TokenGeneration(ITokenSource source, GenerationRequest request, CancellationToken cancellation)
    {
        _source = source;
        _request = request;
        _cancellation = cancellation;
    }

    /// <summary>
    /// Why the last enumeration ended; <see cref="EndReason.None"/> until it has. Of several at the same time, the one
    /// that ended last counts.
    /// </summary>
    public EndReason End { get; private set; }

    /// <summary>Begins to generate the tokens.</summary>
    /// <exception cref="ArgumentException">
    /// While enumerating: the prompt is empty, or an id of it is not in the vocabulary.
    /// </exception>
    /// <exception cref="ContextLengthException">While enumerating: the prompt does not fit.</exception>
    /// <exception cref="EngineBusyException">While enumerating: as many requests wait as may wait.</exception>
    /// <exception cref="NumericFaultException">While enumerating: the model's output is not finite.</exception>
    /// <exception cref="CheckpointException">While enumerating: a file of the model was changed since it was
    /// opened.</exception>
    /// <exception cref="ObjectDisposedException">While enumerating: the model was disposed.</exception>
    public IAsyncEnumerator<int> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        ReadAsync(_cancellation).GetAsyncEnumerator(cancellationToken);

    private async IAsyncEnumerable<int> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        End = EndReason.None;
        using ITokenStream tokens = _source.Submit(_request, cancellation);
        await foreach (GeneratedToken token in tokens.ReadAsync(cancellation).ConfigureAwait(false))
            yield return token.Id;
        End = tokens.End;
    }
}

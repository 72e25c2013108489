using GptOss.Model;
using GptOss.Sampling;

namespace GptOss.Generation;

/// <summary>Decides which requests are taken, and which of those that wait may be worked on now.</summary>
/// <param name="engine">The engine, whose context and memory are the limits.</param>
/// <param name="prefixes">The prefixes with which a request may begin.</param>
internal sealed class Admission(Engine engine, PrefixCache prefixes)
{
    /// <summary>Refuses what can never be answered.</summary>
    /// <exception cref="ContextLengthException">The prompt leaves no room for an answer.</exception>
    /// <exception cref="ArgumentException">The prompt is empty or holds an id outside the vocabulary, or the logit bias
    /// forbids every token.</exception>
    public void Check(GenerationRequest request)
    {
        if (request.Prompt.Count == 0)
            throw new ArgumentException("The prompt is empty.", nameof(request));
        if (request.Prompt.Count >= engine.ContextLength)
            throw new ContextLengthException(request.Prompt.Count, engine.ContextLength);
        KvCache cache = engine.Cache;
        if (
            cache.BytesFor(request.Prompt.Count + 1, PassBudget.ChunkRows) is var needed
            && needed > cache.Pool.BudgetBytes
        )
            throw ContextLengthException.NoPages(
                request.Prompt.Count,
                needed,
                cache.Pool.BudgetBytes,
                PageGroup.MeanBytes(cache.Pool.Groups)
            );
        int vocabulary = engine.Weights.Config.VocabSize;
        foreach (int token in request.Prompt)
            if ((uint)token >= (uint)vocabulary)
                throw new ArgumentOutOfRangeException(
                    nameof(request),
                    token,
                    $"Token ids go from 0 to {vocabulary - 1}."
                );
        Penalties.RequireChoice(request.Sampling.LogitBias, vocabulary, nameof(request));
    }

    /// <summary>
    /// Lets a request begin with the prefix that is known, and tells whether there is room for the rest of its prompt
    /// and a page more, beside what the others still need for theirs. A request that cannot join holds nothing.
    /// </summary>
    /// <remarks>
    /// A request always joins where nobody else holds a page: one that could never fit was refused. Pages are held by
    /// those that run, and by prefixes that are being saved or loaded.
    /// </remarks>
    /// <param name="sequence">The request that is next.</param>
    /// <param name="running">The requests that run.</param>
    public bool CanJoin(Sequence sequence, IReadOnlyList<Sequence> running)
    {
        PagePool pool = engine.Cache.Pool;
        try
        {
            prefixes.Adopt(sequence.Kv, sequence.Tokens, sequence.Scope);
        }
        catch (OutOfMemoryException)
        {
            // The system has no memory for the copy of a page. The prefix is computed again, which may find some.
        }
        long needed = MissingBytes(sequence),
            promised = running.Sum(MissingBytes);
        bool isAlone = running.Count == 0 && pool.HeldBytes == sequence.Kv.HeldBytes;
        if (isAlone || (pool.CouldRent(needed + promised) && pool.TryMakeRoom(needed)))
            return true;
        sequence.Kv.Clear();
        return false;
    }

    // What a request needs for all of its tokens and a page more, beyond the pages that it holds.
    private long MissingBytes(Sequence sequence)
    {
        int rows = sequence.IsReadingPrompt ? PassBudget.ChunkRows : 1;
        long whole = engine.Cache.BytesFor(sequence.Tokens.Length + PageGroup.Positions, rows);
        return Math.Max(0, whole - sequence.Kv.HeldBytes);
    }
}

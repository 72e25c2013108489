namespace GptOss.Generation;

/// <summary>
/// A request for an answer in token ids: the prompt, how tokens are chosen, and what ends the answer.
/// </summary>
internal sealed record GenerationRequest
{
    /// <summary>The token ids of the prompt, at least one.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    public SamplingOptions Sampling { get; init; } = SamplingOptions.Default;

    /// <summary>The most tokens of the answer; null for as many as the context holds.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Tokens that end the answer; they are its last token.</summary>
    public IReadOnlyCollection<int> StopTokens { get; init; } = [];

    /// <summary>
    /// Prefixes are found only among those of the same scope; null is a scope of its own, which most requests share.
    /// </summary>
    public string? Scope { get; init; }

    /// <summary>Requests of higher priority are worked on first; 0 for most.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// Whether this goes on with an answer that was accepted before; a full queue takes such a request all the same.
    /// </summary>
    public bool IsOwed { get; init; }

    /// <summary>
    /// Whether tokens are guessed from what came before, and several verified in one pass. The answer stays the same.
    /// </summary>
    public bool PromptLookup { get; init; }

    /// <summary>
    /// For measurements: the answer's first tokens, which take the place of those that are chosen; null for none.
    /// </summary>
    public IReadOnlyList<int>? Script { get; init; }

    /// <summary>
    /// How many of the most likely tokens are reported with each choice; null reports no probabilities.
    /// </summary>
    public int? LogProbabilities { get; init; }

    /// <summary>
    /// Called by the scheduler's loop with the part of the prompt that has been read; null for nobody. An exception
    /// that it throws ends the request.
    /// </summary>
    public Action<PromptProgress>? PromptRead { get; init; }

    /// <summary>
    /// Gets the keys and values of the whole prompt when the answer ends; null for nobody. Without it they are
    /// released.
    /// </summary>
    public PageHandover? Handover { get; init; }

    /// <summary>Says which tokens may come, and which come without a choice; null leaves all to the model.</summary>
    public ITokenGuide? Guide { get; init; }
}

/// <summary>A token of an answer, with its probability where the request asked for it.</summary>
/// <param name="Id">The token's number in the vocabulary.</param>
/// <param name="LogProbability">The token's log-probability; null where the request asked for none, or where a guide
/// dictated the token.</param>
/// <param name="Best">The most likely tokens at its place; null where <paramref name="LogProbability"/> is.</param>
internal readonly record struct GeneratedToken(
    int Id,
    float? LogProbability = null,
    IReadOnlyList<LikelyToken>? Best = null
);

/// <summary>The tokens of an answer while it is being made. Disposing it ends the request.</summary>
internal interface ITokenStream : IDisposable
{
    /// <summary>Gives the answer's tokens as they are made. May be called once.</summary>
    IAsyncEnumerable<GeneratedToken> ReadAsync(CancellationToken cancellation = default);

    /// <summary>Why the answer ended; valid once the stream has ended.</summary>
    EndReason End { get; }

    /// <summary>Tokens of the prompt whose keys and values were found again; valid once a token has come.</summary>
    int CachedTokens { get; }
}

/// <summary>Makes answers to requests: a model's engine, or in tests a script.</summary>
internal interface ITokenSource
{
    /// <summary>Takes a place in the queue for a request that is not ready to be submitted.</summary>
    QueuePlace Reserve();

    /// <summary>Begins to work on a request, in the place that was taken for it where there is one.</summary>
    ITokenStream Submit(GenerationRequest request, CancellationToken cancellation, QueuePlace? place = null);
}

using GptOss.Sampling;

namespace GptOss.Generation;

/// <summary>What a request wants of the engine: token ids in, token ids out.</summary>
internal sealed record GenerationRequest
{
    /// <summary>At least one id.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    public SamplingOptions Sampling { get; init; } = SamplingOptions.Default;

    /// <summary>The most tokens of the answer; null for as many as the context holds.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Tokens that end the answer; they are its last token.</summary>
    public IReadOnlyCollection<int> StopTokens { get; init; } = [];

    /// <summary>
    /// How many of the most likely tokens are reported with each choice; null reports no probabilities.
    /// </summary>
    public int? LogProbabilities { get; init; }

    /// <summary>
    /// Told how far the prompt has been read, by the engine's loop; null tells nobody. What it throws ends the request.
    /// </summary>
    public Action<PromptProgress>? PromptRead { get; init; }

    /// <summary>Looks at every token and may put others behind it; null for none.</summary>
    public ITokenGuide? Guide { get; init; }
}

/// <summary>Watches an answer grow and may dictate what follows: how a reasoning budget closes a channel.</summary>
internal interface ITokenGuide
{
    /// <summary>
    /// Told of every token of the answer, dictated ones included. Called by the engine's loop, so it must be quick.
    /// </summary>
    /// <returns>Tokens that follow instead of chosen ones; empty to let the model choose.</returns>
    IReadOnlyList<int> After(int token);
}

/// <summary>A token of an answer.</summary>
/// <param name="Id">The token.</param>
/// <param name="LogProbability">Its own log-probability; null where none were asked for, or where a guide dictated
/// it.</param>
/// <param name="Best">The most likely tokens at its place; null like the above.</param>
internal readonly record struct GeneratedToken(
    int Id,
    float? LogProbability = null,
    IReadOnlyList<TokenLogProbability>? Best = null
);

/// <summary>An answer as it is made.</summary>
internal interface ITokenStream : IDisposable
{
    /// <summary>The answer's tokens. May be read once.</summary>
    IAsyncEnumerable<GeneratedToken> ReadAsync(CancellationToken cancellation = default);

    /// <summary>Valid once the stream has ended.</summary>
    EndReason End { get; }

    /// <summary>Tokens of the prompt whose keys and values were found again; valid once a token has come.</summary>
    int CachedTokens { get; }
}

/// <summary>What makes answers: a model's engine, or a script in its place.</summary>
internal interface ITokenSource
{
    /// <summary>Begins to work on a request.</summary>
    ITokenStream Submit(GenerationRequest request, CancellationToken cancellation);
}

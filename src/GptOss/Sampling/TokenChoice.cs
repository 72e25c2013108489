namespace GptOss.Sampling;

/// <summary>A token to be chosen from one row of logits, and what came of it. Reused from token to token.</summary>
internal sealed class TokenChoice
{
    /// <summary>The settings of the request, whose bias leaves at least one token.</summary>
    public required SamplingOptions Options { get; set; }

    /// <summary>The seed of the request.</summary>
    public required ulong Seed { get; set; }

    /// <summary>Index of the row of logits that the token is chosen from.</summary>
    public int Row { get; set; }

    /// <summary>Position of the token to be chosen.</summary>
    public ulong Position { get; set; }

    /// <summary>The tokens of prompt and answer, for penalties; null where there are none.</summary>
    public TokenHistory? History { get; init; }

    /// <summary>The tokens that may be chosen; null for all.</summary>
    public TokenMask? Allowed { get; set; }

    /// <summary>Tokens that the penalties do not touch; null for none.</summary>
    public TokenMask? Spared { get; set; }

    /// <summary>
    /// How many of the most likely tokens are listed; null computes no probabilities.
    /// </summary>
    public int? LogProbabilities { get; init; }

    /// <summary>
    /// Whether the logits cannot be sampled (<see cref="Sampler.CanBeSampled"/>); then there is no token.
    /// </summary>
    public bool IsDamaged { get; internal set; }

    /// <summary>Whether the bias forbids every token that is allowed; then there is no token.</summary>
    public bool IsForbidden { get; internal set; }

    /// <summary>What went wrong while the token was chosen or taken in; null if nothing did.</summary>
    public Exception? Fault { get; internal set; }

    /// <summary>The chosen token; −1 where there is none.</summary>
    public int Token { get; internal set; } = -1;

    /// <summary>The log-probability of the token, where they were asked for.</summary>
    public float LogProbability { get; internal set; }

    /// <summary>The most likely tokens, best first, where they were asked for.</summary>
    public LikelyToken[]? Likely { get; internal set; }
}

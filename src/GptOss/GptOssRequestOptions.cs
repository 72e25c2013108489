namespace GptOss;

/// <summary>What a request can ask for that <c>ChatOptions</c> has no member for.</summary>
/// <remarks>
/// Given through <c>ChatOptions.RawRepresentationFactory</c>:
/// <c>new ChatOptions { RawRepresentationFactory = _ => new GptOssRequestOptions { ReasoningBudget = 500 } }</c>.
/// </remarks>
public sealed record GptOssRequestOptions
{
    internal static GptOssRequestOptions Default { get; } = new();

    /// <summary>
    /// The most tokens of reasoning in the answer: after these the reasoning is closed and the answer begun. Null sets no
    /// limit. At least 0.
    /// </summary>
    public int? ReasoningBudget
    {
        get;
        init => field = value is null or >= 0 ? value
            : throw new ArgumentOutOfRangeException(nameof(ReasoningBudget), value, "ReasoningBudget must be at least 0.");
    }

    /// <summary>As <see cref="SamplingOptions.MinP"/>; null for 0.</summary>
    public float? MinP { get; init; }

    /// <summary>As <see cref="SamplingOptions.RepetitionPenalty"/>; null for 1.</summary>
    public float? RepetitionPenalty { get; init; }

    /// <summary>As <see cref="SamplingOptions.LogitBias"/>.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>
    /// How many of the most likely tokens are reported with each token of the answer, 0 to 20: the message's
    /// <c>AdditionalProperties["logprobs"]</c> is then a list of <see cref="TokenProbability"/>, one for each token that the
    /// model chose. Null reports none.
    /// </summary>
    public int? LogProbabilities
    {
        get;
        init => field = value is null or (>= 0 and <= 20) ? value
            : throw new ArgumentOutOfRangeException(
                nameof(LogProbabilities), value, "LogProbabilities must be between 0 and 20.");
    }

    /// <summary>
    /// Harmony with its markers spelled out, which stands behind the rendered conversation in place of the turn that the
    /// model would begin: <c>&lt;|start|&gt;assistant&lt;|channel|&gt;final&lt;|message|&gt;Once upon</c> lets it go on from there.
    /// Trusted text only, since it can say anything in anybody's name. Null lets the model begin its turn.
    /// </summary>
    public string? RawHarmonyText { get; init; }

    /// <summary>
    /// Whether the message's <c>AdditionalProperties</c> hold what the model read and wrote, as Harmony with its markers
    /// spelled out: <c>"harmony.prompt"</c> up to the first token that the model chose, <c>"harmony.answer"</c> from there.
    /// </summary>
    public bool IncludeRawHarmony { get; init; }

    /// <summary>The date that the model is told; null for today's. A fixed one keeps prompts the same.</summary>
    public DateOnly? CurrentDate { get; init; }

    /// <summary>Which earlier reasoning the model is shown again.</summary>
    public KeepReasoning KeepReasoning
    {
        get;
        init => field = Enum.IsDefined(value) ? value
            : throw new ArgumentOutOfRangeException(nameof(KeepReasoning), value, "KeepReasoning is not a known mode.");
    }

    /// <summary>
    /// Whether functions' schemas are put into words that Harmony has, so that every property's name and every value of an
    /// enumeration is shown. False writes them as the reference library does, which ignores what it does not know.
    /// </summary>
    public bool CleanSchemas { get; init; } = true;
}

/// <summary>Which reasoning of earlier turns a prompt still holds.</summary>
public enum KeepReasoning
{
    /// <summary>That of a turn which is not finished: between calls of functions. What the model was trained with.</summary>
    Unfinished,

    /// <summary>All of it.</summary>
    All,

    /// <summary>What OpenAI's harmony library keeps.</summary>
    AsHarmony,
}

/// <summary>A token of an answer and how likely it was.</summary>
/// <param name="Token">The token's id.</param>
/// <param name="LogProbability">The natural logarithm of its probability.</param>
/// <param name="Best">The most likely tokens at its place, best first; empty in the entries of this list.</param>
public sealed record TokenProbability(int Token, float LogProbability, IReadOnlyList<TokenProbability> Best);

namespace GptOss;

/// <summary>What a request can ask of GptOss beyond <c>ChatOptions</c>: returned by its <c>RawRepresentationFactory</c>.</summary>
/// <remarks>What is set here wins over the same setting of <c>ChatOptions</c>.</remarks>
public sealed record GptOssRequestOptions
{
    /// <summary>The most tokens of reasoning; then the engine closes the channel and opens the answer. Null sets no limit.</summary>
    public int? ReasoningBudget
    {
        get;
        init => field = value is null or >= 0 ? value
            : throw new ArgumentOutOfRangeException(nameof(ReasoningBudget), value, "ReasoningBudget must be at least 0.");
    }

    /// <summary>As <see cref="SamplingOptions.MinP"/>.</summary>
    public float? MinP { get; init; }

    /// <summary>As <see cref="SamplingOptions.RepetitionPenalty"/>.</summary>
    public float? RepetitionPenalty { get; init; }

    /// <summary>As <see cref="SamplingOptions.LogitBias"/>.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>
    /// How many of the most likely tokens are reported for every token of the answer, 0 to 20, in the update's
    /// <c>AdditionalProperties["logprobs"]</c> as a list of <see cref="TokenProbability"/>. Null reports none.
    /// </summary>
    public int? LogProbabilities
    {
        get;
        init => field = value is null or (>= 0 and <= 20) ? value
            : throw new ArgumentOutOfRangeException(nameof(LogProbabilities), value, "LogProbabilities must be between 0 and 20.");
    }

    /// <summary>The date that the model is told; null tells it today's.</summary>
    public DateOnly? CurrentDate { get; init; }

    /// <summary>Which earlier reasoning the model is shown again.</summary>
    public KeepReasoning KeepReasoning { get; init; }

    /// <summary>
    /// Text that stands behind the rendered conversation, in place of the turn that the model would begin: Harmony with its
    /// special tokens spelled out. Trusted text only, since it can say anything in anybody's name.
    /// </summary>
    public string? RawHarmonyText { get; init; }
}

/// <summary>Which reasoning of earlier turns a prompt still holds.</summary>
public enum KeepReasoning
{
    /// <summary>That of a turn which is not finished: between calls of tools. What the model was trained with.</summary>
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

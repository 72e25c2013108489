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
    /// The most tokens of reasoning in the answer: after these the reasoning is closed and the answer begun. Null sets
    /// no limit. At least 0.
    /// </summary>
    public int? ReasoningBudget
    {
        get;
        init =>
            field = value is null or >= 0
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(ReasoningBudget),
                    value,
                    "ReasoningBudget must be at least 0."
                );
    }

    /// <summary>As <see cref="SamplingOptions.MinP"/>; null for 0.</summary>
    public float? MinP { get; init; }

    /// <summary>As <see cref="SamplingOptions.RepetitionPenalty"/>; null for 1.</summary>
    public float? RepetitionPenalty { get; init; }

    /// <summary>
    /// As <see cref="SamplingOptions.LogitBias"/>; null for none. Forbidding every token is an
    /// <see cref="ArgumentException"/> of the request.
    /// </summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>
    /// How many of the most likely tokens are reported with each token of the answer, 0 to 20, one entry for each token
    /// that the model chose: <see cref="TokenProbability"/> reads them from the message, and from each update of a
    /// stream those of its own tokens. Null reports none.
    /// </summary>
    public int? LogProbabilities
    {
        get;
        init =>
            field = value is null or (>= 0 and <= 20)
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(LogProbabilities),
                    value,
                    "LogProbabilities must be between 0 and 20."
                );
    }

    /// <summary>
    /// Harmony with its markers spelled out, which stands behind the rendered conversation in place of the turn that
    /// the model would begin: <c>&lt;|start|&gt;assistant&lt;|channel|&gt;final&lt;|message|&gt;Once upon</c> lets it
    /// go on from there. Trusted text only, since it can say anything in anybody's name. Null lets the model begin its
    /// turn.
    /// </summary>
    /// <remarks>
    /// What it has of the answer must be a beginning of what the answer is held to, or the request is an
    /// <see cref="InvalidOperationException"/>: a call begins behind its channel
    /// (<c>&lt;|channel|&gt;commentary to=functions.f</c>), as the model was trained, and no other recipient or order
    /// fits unless <see cref="FreeCalls"/> is set.
    /// </remarks>
    public string? RawHarmonyText { get; init; }

    /// <summary>
    /// Whether the message's <c>AdditionalProperties</c> hold what the model read and wrote, as Harmony with its
    /// markers spelled out: <c>"harmony.prompt"</c> up to the first token that the model chose, <c>"harmony.answer"</c>
    /// from there.
    /// </summary>
    /// <remarks>
    /// For looking for faults: whoever stores the message stores every prompt of the conversation with it, so that what
    /// is stored grows with the square of the conversation's length.
    /// </remarks>
    public bool IncludeRawHarmony { get; init; }

    /// <summary>What the final answer is held to; null for nothing more than <c>ResponseFormat</c> says.</summary>
    /// <remarks>
    /// Excludes a <c>ResponseFormat</c> of JSON, which says the same. Where <c>ToolMode</c> requires a call there is no
    /// final answer, and neither of them counts.
    /// </remarks>
    public GptOssGrammar? Grammar { get; init; }

    /// <summary>
    /// Whether the arguments of all calls are held to the schemas of their functions. Where <c>ToolMode</c> requires a
    /// call they are so in any case, and those of a function whose <c>AdditionalProperties</c> have <c>strict</c> with
    /// the value true are so too. A schema that cannot be held to is a <see cref="SchemaException"/> of the request.
    /// </summary>
    public bool StrictTools { get; init; }

    /// <summary>How the schemas of <c>ResponseFormat</c> and of strict calls are read.</summary>
    public SchemaOptions Schemas
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Schemas));
    } = SchemaOptions.Default;

    /// <summary>
    /// Whether calls are left to the model alone, so that it may call functions that nobody offers, with arguments that
    /// are no JSON. False holds every call to a function that is offered and to a JSON object.
    /// </summary>
    /// <remarks>Excludes <see cref="StrictTools"/> and a <c>ToolMode</c> that requires a call.</remarks>
    public bool FreeCalls { get; init; }

    /// <summary>
    /// How often within one request with <see cref="FreeCalls"/> the model is told that a call cannot be carried out,
    /// and goes on: its arguments are no JSON object, or it calls a function although none is offered. 2 by default, at
    /// least 0. What is still broken then is a call whose <c>InformationalOnly</c> is set, so that nobody carries it
    /// out.
    /// </summary>
    public int RepairCalls
    {
        get;
        init =>
            field =
                value >= 0
                    ? value
                    : throw new ArgumentOutOfRangeException(
                        nameof(RepairCalls),
                        value,
                        "RepairCalls must be at least 0."
                    );
    } = 2;

    /// <summary>
    /// Whether a stream gives a call's arguments while the model writes them, as <see cref="CallDelta"/>s before the
    /// whole call. A response that is not streamed holds none.
    /// </summary>
    /// <remarks>
    /// Pieces were given also of a call that turns out to be cut off or broken. Where <see cref="RepairCalls"/> lets
    /// the model try again, the next try has another id, and no whole call follows the first.
    /// </remarks>
    public bool StreamCalls { get; init; }

    /// <summary>
    /// Whether the model remembers this answer, and completes earlier ones that come back without their reasoning or
    /// their properties: for hosts whose callers drop these. An answer is known by its <c>MessageId</c> or by the id of
    /// its call, and has to have the same text and, as JSON values, the same arguments. False takes the history as it
    /// is.
    /// </summary>
    public bool RecallAnswers { get; init; }

    /// <summary>
    /// 32 hexadecimal digits of which the ids of the answer are made: <c>gptoss-</c> and the digits of its message and
    /// response, <c>call_</c> and the digits of its call. Null draws them.
    /// </summary>
    /// <remarks>
    /// No two answers of a conversation may have the same. A loop that invokes functions makes several answers, and
    /// calls the <c>RawRepresentationFactory</c> for each.
    /// </remarks>
    /// <exception cref="ArgumentException">There are not 32 of them, or one is no hexadecimal digit.</exception>
    public string? AnswerId
    {
        get;
        init =>
            field =
                value is null || (value.Length == 32 && value.All(char.IsAsciiHexDigit))
                    ? value
                    : throw new ArgumentException(
                        $"AnswerId must be 32 hexadecimal digits, but is '{Printable.Name(value)}'.",
                        nameof(AnswerId)
                    );
    }

    /// <summary>
    /// Told how far the prompt has been read: at its begin, at most ten times a second, and at its end. Null tells
    /// nobody.
    /// </summary>
    /// <remarks>
    /// The model's own thread calls it, so it must be quick; what it throws ends the request. It sees no AsyncLocal and
    /// no activity of the caller, and what it sets of them is gone when it returns.
    /// </remarks>
    public IProgress<PromptProgress>? PromptProgress { get; init; }

    /// <summary>The date that the model is told; null for today's. A fixed one keeps prompts the same.</summary>
    public DateOnly? CurrentDate { get; init; }

    /// <summary>Which earlier reasoning the model is shown again.</summary>
    public KeepReasoning KeepReasoning
    {
        get;
        init =>
            field = Enum.IsDefined(value)
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(KeepReasoning),
                    value,
                    "KeepReasoning is not a known mode."
                );
    }

    /// <summary>
    /// Whose computed prompts this request may use again, and who may use its own: requests with the same text here.
    /// Null is a scope that all requests without one share.
    /// </summary>
    /// <remarks>
    /// A prompt that begins as an earlier one is answered sooner. A host with several tenants gives each a scope, so
    /// that none learns by the time of an answer what another one asked.
    /// </remarks>
    public string? CacheScope { get; init; }

    /// <summary>
    /// Requests of higher priority are worked on before others that wait; 0 by default. Among equals the one that came
    /// first is first.
    /// </summary>
    public int Priority { get; init; }

    /// <summary>
    /// Whether tokens of the answer are guessed from what came before in the prompt and the answer, so that one pass
    /// verifies several of them. The answer is the same; one that copies much, such as an edit of a text, comes sooner.
    /// </summary>
    public bool PromptLookup { get; init; }

    /// <summary>
    /// Whether functions' schemas are put into words that Harmony has, so that every property's name and every value of
    /// an enumeration is shown. False writes them as the reference library does, which ignores what it does not know.
    /// </summary>
    public bool CleanSchemas { get; init; } = true;
}

/// <summary>Which reasoning of earlier turns a prompt still holds.</summary>
public enum KeepReasoning
{
    /// <summary>
    /// The reasoning of a turn that is not finished stays, as between calls of functions. The model was trained so.
    /// </summary>
    Unfinished,

    /// <summary>The reasoning of every message stays.</summary>
    All,

    /// <summary>The reasoning that OpenAI's harmony library keeps stays.</summary>
    AsHarmony,
}

/// <summary>How far a prompt has been read.</summary>
/// <param name="Total">How many tokens the prompt has.</param>
/// <param name="Cached">Tokens of the prompt whose keys and values were found again, so that they needed no
/// reading.</param>
/// <param name="Processed">Tokens of the prompt that have been read so far, the cached ones included.</param>
public readonly record struct PromptProgress(int Total, int Cached, int Processed);

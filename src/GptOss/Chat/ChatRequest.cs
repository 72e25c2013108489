using GptOss.Constraints;
using GptOss.Generation;
using GptOss.Harmony;

namespace GptOss.Chat;

/// <summary>
/// A request that has been read and checked: the prompt as token ids, and what the caller wants of the answer.
/// </summary>
/// <remarks>
/// <see cref="RequestReader"/> makes it out of the caller's messages and options, and <see cref="RequestRunner"/> has
/// the model answer it. It holds no state of an answer: parser, reasoning budget and counters are made by the
/// <see cref="AnswerTranslator"/> of each answer.
/// </remarks>
internal sealed record ChatRequest
{
    /// <summary>
    /// The prompt, the sampling and the limits. Its <see cref="GenerationRequest.Guide"/> and
    /// <see cref="GenerationRequest.PromptRead"/> are null: they belong to one answer.
    /// </summary>
    public required GenerationRequest Generation { get; init; }

    /// <summary>
    /// The last tokens of the prompt, which begin the answer: <c>&lt;|start|&gt;assistant</c>, or what the caller has
    /// written in Harmony.
    /// </summary>
    public required IReadOnlyList<int> Begun { get; init; }

    /// <summary>What the answer is held to; null where it is left to the model alone.</summary>
    public required AnswerConstraint? Constraint { get; init; }

    /// <summary>Where the answer begins in its constraint: behind <see cref="Begun"/>.</summary>
    public required ConstraintState ConstraintStart { get; init; }

    /// <summary>The ids of Harmony's markers, such as <c>&lt;|start|&gt;</c>.</summary>
    public required SpecialTokens Special { get; init; }

    /// <summary>The most tokens of reasoning; null for no limit.</summary>
    public required int? ReasoningBudget { get; init; }

    /// <summary>Whether the caller set a limit to the answer's tokens.</summary>
    public required bool IsLimited { get; init; }

    /// <summary>How often the model may be told that a call cannot be carried out.</summary>
    public required int RepairCalls { get; init; }

    /// <summary>
    /// Whether the model's <see cref="AnswerMemory"/> is used: it completes earlier answers of the history and keeps
    /// this one.
    /// </summary>
    public required bool RecallsAnswers { get; init; }

    /// <summary>
    /// Whether the caller asked for an answer in a form such as JSON. What the model says before such an answer is then
    /// given as reasoning, so that the text can be parsed.
    /// </summary>
    public required bool HasForm { get; init; }

    /// <summary>The kinds of contents that the prompt leaves out, for the log.</summary>
    public required IReadOnlyList<string> PassedOver { get; init; }

    /// <summary>The functions that the model may call.</summary>
    public required OfferedTools Tools { get; init; }

    /// <summary>The texts that end the answer where one of them comes.</summary>
    public required IReadOnlyList<string> StopSequences { get; init; }

    /// <summary>Whether the caller wants to see the reasoning.</summary>
    public required bool ShowsReasoning { get; init; }

    /// <summary>Whether a stream gives the arguments of a call while the model writes them.</summary>
    public required bool StreamsCalls { get; init; }

    /// <summary>Whether prompt and answer are reported in Harmony.</summary>
    public required bool ReportsHarmony { get; init; }

    /// <summary>Whether the answer's probabilities are reported.</summary>
    public bool ReportsProbabilities => Generation.LogProbabilities is not null;

    /// <summary>Who is told how far the prompt has been read; null for nobody.</summary>
    public required IProgress<PromptProgress>? PromptProgress { get; init; }
}

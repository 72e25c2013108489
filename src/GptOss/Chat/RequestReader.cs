using System.Globalization;
using System.Text.Json;
using GptOss.Constraints;
using GptOss.Generation;
using GptOss.Harmony;
using GptOss.Sampling;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace GptOss.Chat;

/// <summary>
/// Turns a caller's messages and <see cref="ChatOptions"/> into a <see cref="ChatRequest"/>: the prompt as token ids,
/// the sampling and the limits. Whatever is wrong with messages or options is refused here, before the model works.
/// </summary>
/// <remarks>
/// The history that the caller passes is the whole conversation. Only where
/// <see cref="GptOssRequestOptions.RecallAnswers"/> is set does the prompt also depend on the model's
/// <see cref="AnswerMemory"/>, which gives back what a caller has dropped of earlier answers. Thread-safe.
/// </remarks>
/// <param name="source">The model, its tokenizer and its limits.</param>
/// <param name="logger">Gets a warning where a tool's schema is too big to be shown whole.</param>
internal sealed class RequestReader(ChatSource source, ILogger logger)
{
    private readonly SpecialTokens _special = source.Special;
    private readonly HarmonyRenderer _renderer = new(source.Special);
    private readonly ConstraintReader _constraints = new(source);
    private readonly int[] _stopTokens =
    [
        .. new int?[] { source.Special.Return, source.Special.Call, source.Special.EndOfText }.OfType<int>(),
    ];

    /// <summary>Checks the options, translates the history and encodes the prompt.</summary>
    /// <param name="messages">The caller's history, oldest message first.</param>
    /// <param name="options">The caller's options; null for the defaults.</param>
    /// <param name="own">The options that only this client has, from the options' RawRepresentationFactory.</param>
    /// <param name="isLimited">Whether a history that cannot fit into the context is refused before it is
    /// encoded.</param>
    /// <param name="cancellation">Ends the reading, which takes seconds for a long history.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range.</exception>
    /// <exception cref="InvalidOperationException">A function that is not offered is required, options exclude each
    /// other, or the caller's own beginning of the answer does not fit what it is held to.</exception>
    /// <exception cref="SchemaException">A schema cannot be held to.</exception>
    /// <exception cref="ArgumentException">Two functions have one name, or the logit bias forbids every
    /// token.</exception>
    /// <exception cref="NotSupportedException">A user's message holds a picture, sound or file.</exception>
    /// <exception cref="ContextLengthException">The texts are too long to be even counted.</exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public ChatRequest Read(
        IReadOnlyList<ChatMessage> messages,
        ChatOptions? options,
        GptOssRequestOptions own,
        bool isLimited = true,
        CancellationToken cancellation = default
    )
    {
        options ??= new ChatOptions();
        if (options.MaxOutputTokens is < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options),
                options.MaxOutputTokens,
                "ChatOptions.MaxOutputTokens must be at least 1."
            );
        }
        Penalties.RequireChoice(own.LogitBias, source.Tokenizer.VocabularySize, nameof(options));
        OfferedTools tools = OfferedTools.From(options);
        if (
            isLimited
            && own.RawHarmonyText is { } text
            && source.Tokenizer.FewestTokens([text]) is var fewest
            && fewest > source.ContextLength
        )
            throw ContextLengthException.AtLeast(fewest, source.ContextLength);
        IReadOnlyList<int> begun = own.RawHarmonyText is { } raw
            ? RawHarmony.Encode(raw, source.Tokenizer, cancellation)
            : _special.AssistantPrompt;
        AnswerConstraint? constraint = _constraints.Read(options, own, tools, cancellation);
        HistoryTranslator history = Translate(messages, options, own, tools);
        return new ChatRequest
        {
            Generation = new GenerationRequest
            {
                Prompt = [.. Render(history, own, isLimited, cancellation), .. begun],
                Sampling = Sampling(options, own),
                MaxTokens = options.MaxOutputTokens ?? source.MaxOutputTokens,
                StopTokens = _stopTokens,
                LogProbabilities = own.LogProbabilities,
                Priority = own.Priority,
                PromptLookup = own.PromptLookup,
                Scope = own.CacheScope,
            },
            Begun = begun,
            Constraint = constraint,
            ConstraintStart = constraint is null ? default : Behind(begun, constraint),
            Special = _special,
            ReasoningBudget = own.ReasoningBudget,
            IsLimited = options.MaxOutputTokens is not null,
            RepairCalls = own.RepairCalls,
            RecallsAnswers = own.RecallAnswers,
            HasForm = options.ResponseFormat is ChatResponseFormatJson || own.Grammar is not null,
            PassedOver = history.PassedOver,
            Tools = tools,
            StopSequences = [.. options.StopSequences ?? []],
            StreamsCalls = own.StreamCalls,
            ReportsHarmony = own.IncludeRawHarmony,
            ShowsReasoning = options.Reasoning?.Output != ReasoningOutput.None,
            PromptProgress = own.PromptProgress,
        };
    }

    // The caller may have written more than the beginning of the turn: the answer goes on behind that.
    private ConstraintState Behind(IReadOnlyList<int> begun, AnswerConstraint constraint)
    {
        ConstraintState state = constraint.Turn.Start;
        for (int at = FirstOfTurn(begun); at < begun.Count; at++)
            if (!constraint.Turn.TryAdvance(state, begun[at], out state))
                throw new InvalidOperationException(
                    $"GptOssRequestOptions.RawHarmonyText does not fit {constraint.Name}: behind "
                        + $"'{Printable.Name(source.Tokenizer.Decode(begun.Take(at)))}' it goes on with "
                        + $"'{Printable.Name(source.Tokenizer.Decode([begun[at]]))}'. Set FreeCalls to let the model "
                        + "go on from any text."
                );
        return state.IsComplete
            ? throw new InvalidOperationException(
                "GptOssRequestOptions.RawHarmonyText is a whole turn, behind which nothing can come. Let it end within "
                    + "one, or set FreeCalls."
            )
            : state;
    }

    // Behind the last <|start|>assistant.
    private int FirstOfTurn(IReadOnlyList<int> begun)
    {
        IReadOnlyList<int> opening = _special.AssistantPrompt;
        for (int at = begun.Count - opening.Count; at >= 0; at--)
            if (begun.Skip(at).Take(opening.Count).SequenceEqual(opening))
                return at + opening.Count;
        return 0;
    }

    private HistoryTranslator Translate(
        IReadOnlyList<ChatMessage> messages,
        ChatOptions options,
        GptOssRequestOptions own,
        OfferedTools tools
    )
    {
        DateOnly date = own.CurrentDate ?? DateOnly.FromDateTime(source.Time.GetLocalNow().DateTime);
        var system = new HarmonyContent.SystemInfo
        {
            CurrentDate = date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ReasoningEffort = options.Reasoning?.Effort switch
            {
                ReasoningEffort.None or ReasoningEffort.Low => Effort.Low,
                ReasoningEffort.High or ReasoningEffort.ExtraHigh => Effort.High,
                _ => Effort.Medium,
            },
        };
        var developer = new HarmonyContent.DeveloperInfo
        {
            Instructions = string.IsNullOrEmpty(options.Instructions) ? null : options.Instructions,
            Tools = tools.Listed.Count > 0 ? [new ToolNamespace(ToolNamespace.FunctionsName, null, tools.Listed)] : [],
            ResponseFormats = options.ResponseFormat is ChatResponseFormatJson json ? [Form(json)] : [],
        };
        return HistoryTranslator.Translate(
            messages,
            system,
            developer,
            tools,
            source.Tokenizer,
            own.RecallAnswers ? message => source.Memory.Find(message, own.CacheScope) : null
        );
    }

    private List<int> Render(
        HistoryTranslator history,
        GptOssRequestOptions own,
        bool isLimited,
        CancellationToken cancellation
    ) =>
        _renderer.Render(
            history.Messages,
            new RenderOptions
            {
                Form = RenderForm.Conversation,
                RecipientBehindChannel = true,
                CleanSchemas = own.CleanSchemas,
                Shortened = sentence => ChatLog.SchemaShortened(logger, sentence),
                ContextLength = isLimited ? source.ContextLength : null,
                Cancellation = cancellation,
                Analysis = own.KeepReasoning switch
                {
                    KeepReasoning.All => AnalysisMode.KeepAll,
                    KeepReasoning.AsHarmony => AnalysisMode.HarmonyExact,
                    _ => AnalysisMode.DropFinished,
                },
            }
        );

    private static ResponseFormat Form(ChatResponseFormatJson json) =>
        json.Schema is { } schema
            ? new ResponseFormat(json.SchemaName ?? "answer", json.SchemaDescription, schema)
            : new ResponseFormat("answer", "A JSON object.", JsonElement.Parse("""{"type":"object"}"""));

    private static SamplingOptions Sampling(ChatOptions options, GptOssRequestOptions own) =>
        new()
        {
            Temperature = options.Temperature ?? SamplingOptions.Default.Temperature,
            TopP = options.TopP ?? SamplingOptions.Default.TopP,
            TopK = options.TopK,
            FrequencyPenalty = options.FrequencyPenalty ?? 0,
            PresencePenalty = options.PresencePenalty ?? 0,
            MinP = own.MinP ?? 0,
            RepetitionPenalty = own.RepetitionPenalty ?? 1,
            LogitBias = own.LogitBias,
            Seed = options.Seed is { } seed ? unchecked((ulong)seed) : null,
        };
}

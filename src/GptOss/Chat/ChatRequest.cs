using System.Globalization;
using System.Text.Json;
using GptOss.Generation;
using GptOss.Harmony;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace GptOss.Chat;

/// <summary>A request as it is sent to the model.</summary>
internal sealed record ChatRequest
{
    /// <summary>Prompt, sampling and limits.</summary>
    public required GenerationRequest Generation { get; init; }

    /// <summary>
    /// The beginning of the answer that the prompt dictates, <c>&lt;|start|&gt;assistant</c> as a rule.
    /// </summary>
    public required IReadOnlyList<int> Begun { get; init; }

    /// <summary>As <see cref="Begun"/>, for a turn that goes on after a call which was not carried out.</summary>
    public required IReadOnlyList<int> BegunAgain { get; init; }

    /// <summary>The markers of the chat format.</summary>
    public required SpecialTokens Special { get; init; }

    /// <summary>The most tokens of reasoning; null for no limit.</summary>
    public required int? ReasoningBudget { get; init; }

    /// <summary>Whether the caller set a limit to the answer's tokens.</summary>
    public required bool IsLimited { get; init; }

    /// <summary>How often the model may be told that a call cannot be carried out.</summary>
    public required int RepairCalls { get; init; }

    /// <summary>Whether the model remembers this answer and completes earlier ones.</summary>
    public required bool RecallsAnswers { get; init; }

    /// <summary>Whether the answer has a form, so that words before it are none of its text.</summary>
    public required bool HasForm { get; init; }

    /// <summary>What of the history was left out, for the log.</summary>
    public required IReadOnlyList<string> PassedOver { get; init; }

    public required OfferedTools Tools { get; init; }

    public required IReadOnlyList<string> StopSequences { get; init; }

    /// <summary>Whether the caller wants to see the reasoning.</summary>
    public required bool ShowsReasoning { get; init; }

    /// <summary>Whether prompt and answer are reported in Harmony.</summary>
    public required bool ReportsHarmony { get; init; }

    /// <summary>Whether the answer's probabilities are reported.</summary>
    public bool ReportsProbabilities => Generation.LogProbabilities is not null;

    /// <summary>A parser that stands where the answer begins.</summary>
    /// <param name="begun">What the prompt has dictated of it.</param>
    public HarmonyParser NewParser(IReadOnlyList<int> begun)
    {
        var parser = new HarmonyParser(Special, preset: null, Tools.Names);
        foreach (int token in begun)
            parser.Accept(token);
        return parser;
    }

    /// <summary>What closes the reasoning when its budget is used up; null if it has none.</summary>
    /// <param name="begun">What the prompt has dictated of the answer.</param>
    /// <param name="used">Tokens of reasoning that this request has seen already.</param>
    public ITokenGuide? NewGuide(IReadOnlyList<int> begun, int used) =>
        ReasoningBudget is { } budget
            ? new ReasoningBudget(Math.Max(0, budget - used), Special, NewParser(begun))
            : null;
}

/// <summary>Turns messages and options into requests; all that can be wrong with them is found here.</summary>
/// <param name="source">The only model there is.</param>
/// <param name="logger">Told what of a tool is not shown.</param>
internal sealed class RequestReader(ChatSource source, ILogger logger)
{
    private readonly SpecialTokens _special = source.Special;
    private readonly HarmonyRenderer _renderer = new(source.Special);
    private readonly int[] _stopTokens =
    [
        .. new int?[] { source.Special.Return, source.Special.Call, source.Special.EndOfText }.OfType<int>(),
    ];

    /// <param name="messages">The conversation.</param>
    /// <param name="options">Null for none.</param>
    /// <param name="own">What the options' factory made.</param>
    /// <param name="isLimited">Whether what cannot fit into the context is refused before it is encoded.</param>
    /// <param name="cancellation">Ends the reading, which takes seconds for a long history.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range.</exception>
    /// <exception cref="InvalidOperationException">A function that is not offered is required.</exception>
    /// <exception cref="ArgumentException">Two functions have one name.</exception>
    /// <exception cref="NotSupportedException">A message holds something else than text.</exception>
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
        OfferedTools tools = OfferedTools.From(options);
        if (
            isLimited
            && own.RawHarmonyText is { } text
            && source.Tokenizer.FewestTokens([text]) is var fewest
            && fewest > source.ContextLength
        )
            throw ContextLengthException.AtLeast(fewest, source.ContextLength);
        IReadOnlyList<int> usual = [.. _special.AssistantPrompt, .. Begin(options, tools)];
        IReadOnlyList<int> begun = own.RawHarmonyText is { } raw
            ? RawHarmony.Encode(raw, source.Tokenizer, cancellation)
            : usual;
        Conversation conversation = Converse(messages, options, own, tools);
        var request = new ChatRequest
        {
            Generation = new GenerationRequest
            {
                Prompt = [.. Render(conversation, own, isLimited, cancellation), .. begun],
                Sampling = Sampling(options, own),
                MaxTokens = options.MaxOutputTokens ?? source.MaxOutputTokens,
                StopTokens = _stopTokens,
                LogProbabilities = own.LogProbabilities,
                PromptRead = own.PromptProgress is { } progress ? new ReadingPace(progress).Report : null,
            },
            Begun = begun,
            BegunAgain = usual,
            Special = _special,
            ReasoningBudget = own.ReasoningBudget,
            IsLimited = options.MaxOutputTokens is not null,
            RepairCalls = own.RepairCalls,
            RecallsAnswers = own.RecallAnswers,
            HasForm = options.ResponseFormat is ChatResponseFormatJson,
            PassedOver = conversation.PassedOver,
            Tools = tools,
            StopSequences = [.. options.StopSequences ?? []],
            ReportsHarmony = own.IncludeRawHarmony,
            ShowsReasoning = options.Reasoning?.Output != ReasoningOutput.None,
        };
        return request with { Generation = request.Generation with { Guide = request.NewGuide(begun, used: 0) } };
    }

    private Conversation Converse(
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
            Tools =
                tools.Functions.Count > 0
                    ? [new ToolNamespace(ToolNamespace.FunctionsName, null, tools.Functions)]
                    : [],
            ResponseFormats = options.ResponseFormat is ChatResponseFormatJson json ? [Form(json)] : [],
        };
        return Conversation.From(
            messages,
            system,
            developer,
            tools,
            source.Tokenizer,
            own.RecallAnswers ? source.Memory : null
        );
    }

    private List<int> Render(
        Conversation conversation,
        GptOssRequestOptions own,
        bool isLimited,
        CancellationToken cancellation
    ) =>
        _renderer.Render(
            conversation.Messages,
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

    /// <summary>
    /// What of the answer is dictated: the header of a required call, or of an answer without reasoning.
    /// </summary>
    private int[] Begin(ChatOptions options, OfferedTools tools)
    {
        if (options.ToolMode is RequiredChatToolMode required)
        {
            if (tools.Functions.Count == 0)
                throw new InvalidOperationException(
                    "ChatOptions.ToolMode requires a call, but no function is offered."
                );
            string? name = required.RequiredFunctionName;
            if (name is not null && !tools.Offers(name))
            {
                throw new InvalidOperationException(
                    $"ChatOptions.ToolMode requires the function '{Printable.Name(name)}', which ChatOptions.Tools do "
                        + "not offer."
                );
            }
            // Without the dot, which the model may write as one token with the beginning of the name.
            string recipient =
                name is not null ? tools.Recipient(name)
                : tools.Functions is [var only] ? ToolNames.FunctionsPrefix + only.Name
                : ToolNamespace.FunctionsName;
            int[] header = [_special.Channel, .. Encode(ChannelNames.Commentary), .. Encode(" to=" + recipient)];
            return recipient == ToolNamespace.FunctionsName
                ? header
                : [.. header, .. Encode(" "), _special.Constrain, .. Encode("json"), _special.Message];
        }
        return options.Reasoning?.Effort == ReasoningEffort.None && tools.Functions.Count == 0
            ? [_special.Channel, .. Encode(ChannelNames.Final), _special.Message]
            : [];
    }

    private IReadOnlyList<int> Encode(string text) => source.Tokenizer.Encode(text);

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

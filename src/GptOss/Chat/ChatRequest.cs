using System.Globalization;
using System.Text.Json;
using GptOss.Generation;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>A request as it is sent to the model.</summary>
internal sealed record ChatRequest
{
    /// <summary>Prompt, sampling and limits.</summary>
    public required GenerationRequest Generation { get; init; }

    /// <summary>A parser that stands where the answer begins: the prompt may have dictated its header.</summary>
    public required HarmonyParser Parser { get; init; }

    public required OfferedTools Tools { get; init; }

    public required IReadOnlyList<string> StopSequences { get; init; }

    /// <summary>Whether the caller wants to see the reasoning.</summary>
    public required bool ShowsReasoning { get; init; }

    /// <summary>Whether prompt and answer are reported in Harmony.</summary>
    public required bool ReportsHarmony { get; init; }

    /// <summary>Whether the answer's probabilities are reported.</summary>
    public bool ReportsProbabilities => Generation.LogProbabilities is not null;
}

/// <summary>Turns messages and options into requests; all that can be wrong with them is found here.</summary>
/// <param name="source">The only model there is.</param>
/// <param name="memory">Earlier answers.</param>
internal sealed class RequestReader(ChatSource source, TurnMemory memory)
{
    private readonly SpecialTokens _special = source.Special;
    private readonly HarmonyRenderer _renderer = new(source.Special);
    private readonly int[] _stopTokens =
        [.. new int?[] { source.Special.Return, source.Special.Call, source.Special.EndOfText }.OfType<int>()];

    /// <param name="messages">The conversation.</param>
    /// <param name="options">Null for none.</param>
    /// <param name="own">What the options' factory made.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range.</exception>
    /// <exception cref="InvalidOperationException">Another model, or a function that is not offered, is asked for.</exception>
    /// <exception cref="NotSupportedException">A message holds something else than text.</exception>
    /// <exception cref="HarmonyFormatException">A function's schema cannot be written.</exception>
    public ChatRequest Read(IReadOnlyList<ChatMessage> messages, ChatOptions? options, GptOssRequestOptions own)
    {
        options ??= new ChatOptions();
        if (options.ModelId is { Length: > 0 } wanted && wanted != source.ModelId)
        {
            throw new InvalidOperationException(
                $"The model '{wanted}' is asked for, but this client runs '{source.ModelId}'. Leave ChatOptions.ModelId empty.");
        }
        if (options.MaxOutputTokens is < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.MaxOutputTokens, "ChatOptions.MaxOutputTokens must be at least 1.");
        }
        OfferedTools tools = OfferedTools.From(options);
        IReadOnlyList<int> begun = own.RawHarmonyText is { } raw
            ? RawHarmony.Encode(raw, source.Tokenizer) : [.. _special.AssistantPrompt, .. Begin(options, tools)];
        int[] prompt = [.. Render(messages, options, own, tools), .. begun];
        return new ChatRequest
        {
            Generation = new GenerationRequest
            {
                Prompt = prompt,
                Sampling = Sampling(options, own),
                MaxTokens = options.MaxOutputTokens ?? source.MaxOutputTokens,
                StopTokens = _stopTokens,
                LogProbabilities = own.LogProbabilities,
                Guide = own.ReasoningBudget is { } budget ? new ReasoningBudget(budget, _special, Parser()) : null,
            },
            Parser = Parser(),
            Tools = tools,
            StopSequences = [.. options.StopSequences ?? []],
            ReportsHarmony = own.IncludeRawHarmony,
            ShowsReasoning = options.Reasoning?.Output != ReasoningOutput.None,
        };

        HarmonyParser Parser()
        {
            var parser = new HarmonyParser(_special, preset: null, tools.Names);
            foreach (int token in begun)
                parser.Accept(token);
            return parser;
        }
    }

    private List<int> Render(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, GptOssRequestOptions own, OfferedTools tools)
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
            Tools = tools.Functions.Count > 0
                ? [new ToolNamespace(ToolNamespace.FunctionsName, null, tools.Functions)] : [],
            ResponseFormats = options.ResponseFormat is ChatResponseFormatJson json ? [Form(json)] : [],
        };
        return _renderer.Render(
            Conversation.From(messages, system, developer, tools, memory),
            new RenderOptions
            {
                Form = RenderForm.Conversation,
                CleanSchemas = own.CleanSchemas,
                Analysis = own.KeepReasoning switch
                {
                    KeepReasoning.All => AnalysisMode.KeepAll,
                    KeepReasoning.AsHarmony => AnalysisMode.HarmonyExact,
                    _ => AnalysisMode.DropFinished,
                },
            });
    }

    /// <summary>What of the answer is dictated: the header of a required call, or of an answer without reasoning.</summary>
    private int[] Begin(ChatOptions options, OfferedTools tools)
    {
        if (options.ToolMode is RequiredChatToolMode required)
        {
            if (tools.Functions.Count == 0)
                throw new InvalidOperationException("ChatOptions.ToolMode requires a call, but no function is offered.");
            string? name = required.RequiredFunctionName;
            if (name is not null && !tools.Offers(name))
            {
                throw new InvalidOperationException(
                    $"ChatOptions.ToolMode requires the function '{name}', which ChatOptions.Tools do not offer.");
            }
            // Without the dot, which the model may write as one token with the beginning of the name.
            string recipient = name is not null ? tools.Recipient(name)
                : tools.Functions is [var only] ? ToolNames.FunctionsPrefix + only.Name : ToolNamespace.FunctionsName;
            int[] header = [_special.Channel, .. Encode(ChannelNames.Commentary), .. Encode(" to=" + recipient)];
            return recipient == ToolNamespace.FunctionsName
                ? header : [.. header, .. Encode(" "), _special.Constrain, .. Encode("json"), _special.Message];
        }
        return options.Reasoning?.Effort == ReasoningEffort.None && tools.Functions.Count == 0
            ? [_special.Channel, .. Encode(ChannelNames.Final), _special.Message] : [];
    }

    private IReadOnlyList<int> Encode(string text) => source.Tokenizer.Encode(text);

    private static ResponseFormat Form(ChatResponseFormatJson json) => json.Schema is { } schema
        ? new ResponseFormat(json.SchemaName ?? "answer", json.SchemaDescription, schema)
        : new ResponseFormat("answer", "A JSON object.", JsonElement.Parse("""{"type":"object"}"""));

    private static SamplingOptions Sampling(ChatOptions options, GptOssRequestOptions own) => new()
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

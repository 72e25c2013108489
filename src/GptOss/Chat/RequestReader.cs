using System.Globalization;
using GptOss.Generation;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>Reads messages and <see cref="ChatOptions"/>: every check of a request is here.</summary>
internal sealed class RequestReader(ChatSource source)
{
    private readonly HarmonyRenderer _renderer = new(source.Special);

    /// <summary>What the model said to this client's callers, so that it is not tokenised differently when it comes back.</summary>
    public SpokenTurns Spoken { get; } = new();

    public ChatRequest Read(IReadOnlyList<ChatMessage> messages, ChatOptions? options, IChatClient client)
    {
        if (options?.ModelId is { } asked && asked != source.ModelId)
            throw new InvalidOperationException($"The request asks for the model '{asked}', but this client runs '{source.ModelId}'.");
        GptOssRequestOptions own = options?.RawRepresentationFactory?.Invoke(client) as GptOssRequestOptions ?? new();

        OfferedTools tools = OfferedTools.Of(options);
        var history = new HistoryReader(tools, Spoken);
        List<HarmonyMessage> conversation = [SystemMessage(options, own), .. history.Read(messages, options?.Instructions, tools, options?.ResponseFormat)];
        List<int> prompt = _renderer.Render(conversation, new RenderOptions
        {
            CleanSchemas = true,
            Analysis = own.KeepReasoning switch
            {
                KeepReasoning.All => AnalysisMode.KeepAll,
                KeepReasoning.AsHarmony => AnalysisMode.HarmonyExact,
                _ => AnalysisMode.DropFinished,
            },
        });
        List<int> begun = Begin(options, tools);
        prompt.AddRange(begun);
        if (own.RawHarmonyText is { } raw)
        {
            prompt.RemoveRange(prompt.Count - begun.Count - source.Special.AssistantPrompt.Count, begun.Count + source.Special.AssistantPrompt.Count);
            begun = [];
            prompt.AddRange(RawHarmony.Encode(raw, source.Tokenizer));
        }
        if (prompt.Count >= source.ContextLength) throw new ContextLengthException(prompt.Count, source.ContextLength);

        return new ChatRequest
        {
            Generation = new GenerationRequest
            {
                Prompt = prompt,
                Sampling = Sampling(options, own),
                MaxTokens = options?.MaxOutputTokens is null or > 0 ? options?.MaxOutputTokens
                    : throw new ArgumentOutOfRangeException(nameof(options), options.MaxOutputTokens, "MaxOutputTokens must be at least 1."),
                StopTokens = source.StopTokens,
                LogProbabilities = own.LogProbabilities,
                Guide = own.ReasoningBudget is { } budget ? new ReasoningBudget(budget, source.Special) : null,
            },
            Begun = begun,
            FunctionNames = tools.OriginalNames,
            Tools = tools.Names,
            StopSequences = [.. (options?.StopSequences ?? []).Where(stop => stop.Length > 0)],
            ShowsReasoning = options?.Reasoning?.Output != ReasoningOutput.None,
        };
    }

    private static HarmonyMessage SystemMessage(ChatOptions? options, GptOssRequestOptions own) => new(
        HarmonyRole.System,
        [
            new HarmonyContent.SystemInfo
            {
                CurrentDate = (own.CurrentDate ?? DateOnly.FromDateTime(DateTime.Now)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                ReasoningEffort = options?.Reasoning?.Effort switch
                {
                    ReasoningEffort.None or ReasoningEffort.Low => Effort.Low,
                    ReasoningEffort.High or ReasoningEffort.ExtraHigh => Effort.High,
                    _ => Effort.Medium,
                },
            },
        ]);

    /// <summary>The answer's first tokens, where the request leaves the model no choice of them.</summary>
    private List<int> Begin(ChatOptions? options, OfferedTools tools)
    {
        SpecialTokens special = source.Special;
        if (options?.ToolMode is RequiredChatToolMode required)
        {
            if (tools.Functions.Count == 0)
                throw new InvalidOperationException("ToolMode requires a call, but the request offers no function.");
            string? name = required.RequiredFunctionName;
            if (name is not null && !tools.HarmonyNames.ContainsKey(name))
                throw new InvalidOperationException(
                    $"ToolMode requires a call of '{name}', but the request offers {string.Join(", ", tools.HarmonyNames.Keys.Select(n => $"'{n}'"))}.");
            if (name is null && tools.Functions.Count == 1) name = tools.HarmonyNames.Keys.Single();
            List<int> header = [special.Channel, .. source.Tokenizer.Encode("commentary to=functions." + (name is null ? "" : tools.HarmonyNames[name]))];
            if (name is not null)
                header.AddRange([.. source.Tokenizer.Encode(" "), special.Constrain, .. source.Tokenizer.Encode("json"), special.Message]);
            return header;
        }
        // Without tools the answer can begin at once; with them it may have to be a call, which the model decides by itself.
        if (options?.Reasoning?.Effort == ReasoningEffort.None && tools.Functions.Count == 0)
            return [special.Channel, .. source.Tokenizer.Encode("final"), special.Message];
        return [];
    }

    private static SamplingOptions Sampling(ChatOptions? options, GptOssRequestOptions own) => new()
    {
        Temperature = options?.Temperature ?? 1,
        TopP = options?.TopP ?? 1,
        TopK = options?.TopK,
        MinP = own.MinP ?? 0,
        FrequencyPenalty = options?.FrequencyPenalty ?? 0,
        PresencePenalty = options?.PresencePenalty ?? 0,
        RepetitionPenalty = own.RepetitionPenalty ?? 1,
        LogitBias = own.LogitBias,
        Seed = options?.Seed is { } seed ? unchecked((ulong)seed) : null,
    };
}

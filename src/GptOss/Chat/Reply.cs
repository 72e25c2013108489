using System.Text.Json;
using GptOss.Generation;
using GptOss.Harmony;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>One answer: its tokens to Harmony events, those to updates. The whole mapping is here.</summary>
internal sealed class Reply
{
    private readonly ChatRequest _request;
    private readonly ChatSource _source;
    private readonly SpokenTurns _spoken;
    private readonly HarmonyParser _parser;
    private readonly StopText _stops;
    private readonly string _id = Guid.NewGuid().ToString("N");
    private readonly DateTimeOffset _createdAt = DateTimeOffset.UtcNow;
    private readonly List<TokenProbability> _probabilities = [];
    private (string CallId, string Name, string Arguments)? _call;
    private int _tokens;
    private int _reasoningTokens;
    private int _messageTokens;
    private bool _isReasoning;
    private bool _hasCalls;

    public Reply(ChatRequest request, ChatSource source, SpokenTurns spoken)
    {
        _request = request;
        _source = source;
        _spoken = spoken;
        _parser = new HarmonyParser(source.Special, tools: request.Tools);
        _stops = new StopText(request.StopSequences);
        foreach (int token in request.Begun) _parser.Accept(token);
    }

    /// <summary>Whether a stop sequence was met, so that no further token matters.</summary>
    public bool IsStopped => _stops.IsHit;

    public ChatFinishReason? FinishReason { get; private set; }

    public IEnumerable<ChatResponseUpdate> Accept(GeneratedToken token)
    {
        _tokens++;
        _messageTokens++;
        if (token.LogProbability is { } logProbability)
            _probabilities.Add(new TokenProbability(
                token.Id, logProbability, [.. token.Best!.Select(best => new TokenProbability(best.Id, best.LogProbability, []))]));
        return Updates(_parser.Accept(token.Id));
    }

    /// <summary>The last updates: what was held back, usage, and why the answer ended.</summary>
    public IEnumerable<ChatResponseUpdate> Finish(Generation.EndReason end)
    {
        if (!_stops.IsHit)
            foreach (ChatResponseUpdate update in Updates(_parser.Finish())) yield return update;
        if (_isReasoning) _reasoningTokens += _messageTokens;
        if (_stops.Flush() is { Length: > 0 } rest) yield return Update(new TextContent(rest));

        FinishReason = _hasCalls ? ChatFinishReason.ToolCalls
            : end is Generation.EndReason.MaxTokens or Generation.EndReason.ContextFull && !_stops.IsHit ? ChatFinishReason.Length
            : ChatFinishReason.Stop;
        int prompt = _request.Generation.Prompt.Count;
        ChatResponseUpdate last = Update(new UsageContent(new UsageDetails
        {
            InputTokenCount = prompt,
            OutputTokenCount = _tokens,
            TotalTokenCount = prompt + _tokens,
            CachedInputTokenCount = 0,
            ReasoningTokenCount = _reasoningTokens,
        }));
        last.FinishReason = FinishReason;
        yield return last;
    }

    private IEnumerable<ChatResponseUpdate> Updates(IReadOnlyList<HarmonyEvent> events)
    {
        foreach (HarmonyEvent e in events)
            if (Content(e) is { } content)
                yield return Update(content);
    }

    private AIContent? Content(HarmonyEvent e)
    {
        switch (e)
        {
            case HarmonyEvent.Text { Channel: Channel.Analysis } reasoning:
                _isReasoning = true;
                return _request.ShowsReasoning ? new TextReasoningContent(reasoning.Delta) : null;
            case HarmonyEvent.Text { Channel: Channel.Final } answer:
                return _stops.Accept(answer.Delta) is { Length: > 0 } text ? new TextContent(text) : null;
            case HarmonyEvent.Text preamble:
                return new TextContent(preamble.Delta);
            case HarmonyEvent.CallFinished call:
                return Call(call);
            case HarmonyEvent.MessageFinished finished:
                Remember(finished.Message);
                return null;
            default:
                return null;
        }
    }

    // Arguments that are no JSON are the model's mistake: the caller's loop can tell it so.
    private FunctionCallContent Call(HarmonyEvent.CallFinished call)
    {
        _hasCalls = true;
        string seen = call.Recipient.StartsWith(ToolNames.FunctionsPrefix, StringComparison.Ordinal)
            ? call.Recipient[ToolNames.FunctionsPrefix.Length..] : call.Recipient;
        string name = _request.FunctionNames.GetValueOrDefault(seen, seen), id = "call_" + Guid.NewGuid().ToString("N")[..24];
        FunctionCallContent content = FunctionCallContent.CreateFromParsedArguments(
            call.Arguments.Trim() is { Length: > 0 } arguments ? arguments : "{}", id, name, Parse);
        _call = (id, name, JsonText.Of(content.Arguments));
        return content;
    }

    private static Dictionary<string, object?> Parse(string json)
    {
        JsonElement root = JsonElement.Parse(json);
        if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() == 1) root = root[0];   // a habit of the model
        return root.ValueKind == JsonValueKind.Object
            ? root.EnumerateObject().GroupBy(property => property.Name).ToDictionary(same => same.Key, same => (object?)same.Last().Value)
            : throw new JsonException($"The arguments of a call are a JSON object, not {root.ValueKind}.");
    }

    private void Remember(HarmonyMessage message)
    {
        if (_isReasoning) _reasoningTokens += _messageTokens;
        (_isReasoning, _messageTokens) = (false, 0);
        if (message.Role != HarmonyRole.Assistant) return;
        if (message.IsCall && _call is var (id, name, arguments)) _spoken.AddCall(id, name, arguments, message);
        else if (!message.IsCall) _spoken.AddText(message);
    }

    private ChatResponseUpdate Update(AIContent content)
    {
        var update = new ChatResponseUpdate(ChatRole.Assistant, [content])
        {
            ResponseId = _id,
            MessageId = _id,
            CreatedAt = _createdAt,
            ModelId = _source.ModelId,
        };
        if (_probabilities.Count > 0)
        {
            update.AdditionalProperties = new() { ["logprobs"] = _probabilities.ToArray() };
            _probabilities.Clear();
        }
        return update;
    }
}

using GptOss.Generation;
using GptOss.Harmony;
using Microsoft.Extensions.AI;
using EndReason = GptOss.Generation.EndReason;

namespace GptOss.Chat;

/// <summary>The whole mapping from the tokens of an answer to contents of Microsoft.Extensions.AI. For one answer.</summary>
internal sealed class Reply
{
    private readonly ChatRequest _request;
    private readonly HarmonyParser _parser;
    private readonly StopSequences _stops;
    private readonly List<AIContent> _given = [];
    private readonly List<HarmonyMessage> _messages = [];
    private readonly List<int> _tokens = [];
    private readonly List<TokenProbability> _probabilities = [];
    private bool _called;

    public Reply(ChatRequest request)
    {
        _request = request;
        _parser = request.Parser;
        _stops = new StopSequences(request.StopSequences);
        Usage = new UsageCounter(request.Generation.Prompt.Count);
    }

    public UsageCounter Usage { get; }

    /// <summary>Whether nothing that the model may still say belongs to the answer.</summary>
    public bool IsOver { get; private set; }

    /// <summary>What the caller was given, in pieces.</summary>
    public IReadOnlyList<AIContent> Given => _given;

    /// <summary>What the model said; null if the caller was given less of the text, because of a stop sequence.</summary>
    public IReadOnlyList<HarmonyMessage>? Messages => _stops.IsReached ? null : _messages;

    /// <summary>Takes a token and returns what it adds to the answer, as a rule one content or none.</summary>
    public List<AIContent> Accept(GeneratedToken token)
    {
        bool wasReasoning = _parser.IsReasoning;
        _tokens.Add(token.Id);
        if (token.LogProbability is { } own)
        {
            _probabilities.Add(new TokenProbability(token.Id, own,
                [.. (token.Best ?? []).Select(best => new TokenProbability(best.Id, best.LogProbability, []))]));
        }
        List<AIContent> contents = Translate(_parser.Accept(token.Id));
        Usage.Add(wasReasoning && _parser.IsReasoning);
        return contents;
    }

    /// <summary>Ends the answer and returns what was held back of it.</summary>
    public List<AIContent> Finish() => Translate(_parser.Finish());

    /// <param name="end">How the tokens ended; <see cref="EndReason.None"/> if they were left before.</param>
    public ChatFinishReason FinishReason(EndReason end) =>
        _called ? ChatFinishReason.ToolCalls
        : !IsCut(end) ? ChatFinishReason.Stop
        : ChatFinishReason.Length;

    /// <summary>What was asked for beside the contents; null for nothing.</summary>
    public AdditionalPropertiesDictionary? Extras(GptOssTokenizer tokenizer)
    {
        var extras = new AdditionalPropertiesDictionary();
        if (_request.ReportsProbabilities)
            extras["logprobs"] = (IReadOnlyList<TokenProbability>)_probabilities;
        if (_request.ReportsHarmony)
        {
            extras["harmony.prompt"] = tokenizer.Decode(_request.Generation.Prompt);
            extras["harmony.answer"] = tokenizer.Decode(_tokens);
        }
        return extras.Count > 0 ? extras : null;
    }

    /// <summary>All ids of prompt and answer.</summary>
    public IEnumerable<int> AllTokens => _request.Generation.Prompt.Concat(_tokens);

    private bool IsCut(EndReason end) => !_stops.IsReached && end is EndReason.MaxTokens or EndReason.ContextFull;

    private List<AIContent> Translate(IReadOnlyList<HarmonyEvent> events)
    {
        var contents = new List<AIContent>();
        foreach (HarmonyEvent e in events)
        {
            if (IsOver)
                break;
            switch (e)
            {
                case HarmonyEvent.Text { Channel: Channel.Analysis } text when _request.ShowsReasoning:
                    contents.Add(new TextReasoningContent(text.Delta));
                    break;
                case HarmonyEvent.Text { Channel: Channel.Commentary } text:
                    contents.Add(new TextContent(text.Delta));
                    break;
                case HarmonyEvent.Text { Channel: Channel.Final } text:
                    AddText(contents, _stops.Append(text.Delta));
                    IsOver = _stops.IsReached;
                    break;
                case HarmonyEvent.CallFinished call:
                    contents.Add(Call(call));
                    break;
                case HarmonyEvent.MessageFinished { Message: var message }:
                    AddText(contents, _stops.Flush());
                    if (message.Role == HarmonyRole.Assistant)
                        _messages.Add(message);
                    // What a model says after a call is a result of its own invention.
                    IsOver = message.IsCall;
                    break;
                case HarmonyEvent.End:
                    IsOver = true;
                    break;
            }
        }
        _given.AddRange(contents);
        return contents;
    }

    private FunctionCallContent Call(HarmonyEvent.CallFinished call)
    {
        FunctionCallContent content = ToolText.Call(
            $"call_{Guid.NewGuid():N}", _request.Tools.NameOf(call.Recipient), call.Arguments);
        // Arguments that broke off are no call; the caller sees them with their error and the reason Length.
        _called = call.IsEnded || content.Exception is null;
        return content;
    }

    private static void AddText(List<AIContent> contents, string text)
    {
        if (text.Length > 0)
            contents.Add(new TextContent(text));
    }
}

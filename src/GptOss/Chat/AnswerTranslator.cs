using GptOss.Generation;
using GptOss.Harmony;
using GptOss.Tokenization;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Translates the tokens of an answer, one at a time, into contents of Microsoft.Extensions.AI: reasoning, text and
/// function calls. Holds all state of one answer, and is made anew for each.
/// </summary>
/// <remarks>
/// An answer is one generation of the model, or several: after a call that cannot be carried out the model is told why
/// and goes on (<see cref="TryContinue"/>). Use: submit <see cref="First"/>, give every token to <see cref="Accept"/>,
/// then call <see cref="Finish"/>. <see cref="AnswerReader"/> is the way back, from contents to what the model wrote.
/// </remarks>
internal sealed class AnswerTranslator
{
    private readonly ChatRequest _request;
    private readonly Tokenizer _tokenizer;
    private readonly StopSequences _stops;
    private readonly AnswerContents _contents;
    private readonly List<int> _prompt;
    private readonly List<int> _tokens = [];
    private readonly AnswerIds _ids;
    private readonly AnswerProbabilities? _probabilities;
    private readonly bool _streamsCalls;
    private HarmonyParser _parser;
    private (string Id, string Name) _call;
    private bool _isWhole;
    private bool _called;
    private bool _isCut;

    /// <param name="request">The request that the answer belongs to.</param>
    /// <param name="ids">The ids of the answer.</param>
    /// <param name="isStream">Whether the caller sees each update, and not the whole answer alone.</param>
    public AnswerTranslator(ChatRequest request, AnswerIds ids, bool isStream)
    {
        _request = request;
        _ids = ids;
        _streamsCalls = isStream && request.StreamsCalls;
        _probabilities = request.ReportsProbabilities ? new AnswerProbabilities() : null;
        _tokenizer = request.Special.Tokenizer;
        _parser = NewParser(request.Begun);
        _stops = new StopSequences(request.StopSequences);
        _contents = new AnswerContents(_tokenizer, marksPreambles: isStream);
        _prompt = [.. request.Generation.Prompt];
        Usage = new UsageCounter(_prompt.Count);
        First = request.Generation with
        {
            Guide = NewGuide(),
            PromptRead = request.PromptProgress is { } progress ? new ReadingPace(progress).Report : null,
        };
    }

    /// <summary>The first generation of the answer, with a reasoning budget of its own.</summary>
    public GenerationRequest First { get; }

    /// <summary>Counts the tokens of the answer.</summary>
    public UsageCounter Usage { get; }

    /// <summary>Whether the answer is complete, so that further tokens of the model are not read.</summary>
    public bool IsOver { get; private set; }

    /// <summary>A call that ended the generation and cannot be carried out; null if there is none.</summary>
    public BrokenCall? Broken { get; private set; }

    /// <summary>How often the model was told that its call cannot be carried out.</summary>
    public int Repairs { get; private set; }

    /// <summary>What the caller was given so far.</summary>
    public AnswerContents Contents => _contents;

    /// <summary>The ids of the prompt and of the answer so far.</summary>
    public IEnumerable<int> AllTokens => _prompt.Concat(_tokens);

    /// <summary>Takes a token and returns the contents that it adds to the answer: one or none as a rule.</summary>
    /// <param name="token">The next token of the model.</param>
    public List<AIContent> Accept(GeneratedToken token)
    {
        bool wasReasoning = _parser.IsReasoning,
            wasText = _parser.Running is not null;
        _tokens.Add(token.Id);
        IReadOnlyList<HarmonyEvent> events = _parser.Accept(token.Id);
        _probabilities?.Add(token, isText: wasText && _parser.Running is not null && !_tokenizer.IsSpecial(token.Id));
        List<AIContent> contents = Translate(events);
        Usage.Add(wasReasoning && _parser.IsReasoning);
        return contents;
    }

    /// <summary>
    /// Takes the properties of an update with the contents that came since the last one: the probabilities of their
    /// tokens where they are asked for, else null.
    /// </summary>
    public AdditionalPropertiesDictionary? TakeProperties() => _probabilities?.TakeText();

    /// <summary>Ends the generation and returns the contents that were held back until its end.</summary>
    /// <param name="end">Why the tokens ended; <see cref="EndReason.None"/> if the reader left before.</param>
    public List<AIContent> Finish(EndReason end)
    {
        _isCut = !_stops.IsReached && end is EndReason.MaxTokens or EndReason.ContextFull;
        return Translate(_parser.Finish());
    }

    /// <summary>
    /// Continues the answer after a call that cannot be carried out: a result that says what is wrong is put behind
    /// the call, if another try is allowed and the context has room for it.
    /// </summary>
    /// <param name="renderer">Turns the result into token ids.</param>
    /// <param name="contextLength">The most tokens of prompt and answer together.</param>
    /// <returns>The generation that goes on; null if the answer ends here.</returns>
    public GenerationRequest? TryContinue(HarmonyRenderer renderer, int contextLength)
    {
        if (Broken is not { } broken || Repairs >= _request.RepairCalls)
            return null;
        int? left = _request.Generation.MaxTokens - Usage.Output;
        IReadOnlyList<int> begun = _request.Special.AssistantPrompt;
        List<int> added = [.. renderer.RenderMessage(broken.Answer()), .. begun];
        if (left is <= 0 || _prompt.Count + _tokens.Count + added.Count >= contextLength)
        {
            _isCut = true;
            return null;
        }
        Repairs++;
        // The model may have ended the call with <|end|> or <|return|>. In a history it ends with <|call|>.
        _tokens[^1] = _request.Special.Call;
        _tokens.AddRange(added);
        Usage.AddInput(added.Count);
        Broken = null;
        IsOver = false;
        _parser = NewParser(begun);
        return _request.Generation with
        {
            Prompt = [.. AllTokens],
            IsOwed = true,
            MaxTokens = left,
            Guide = NewGuide(begun, Usage.Reasoning),
        };
    }

    /// <summary>
    /// Returns the call that could not be carried out to the end, marked as information only, so that no function loop
    /// invokes it; empty if there is none.
    /// </summary>
    public List<AIContent> GiveUp()
    {
        if (Broken is { } broken)
            Inform(broken.Content, broken.Message);
        return _contents.TakeNew();
    }

    /// <summary>The finish reason of the response: a call, a limit, or the end that the model chose.</summary>
    public ChatFinishReason FinishReason =>
        _called ? ChatFinishReason.ToolCalls
        : _isCut ? ChatFinishReason.Length
        : ChatFinishReason.Stop;

    /// <summary>
    /// The additional properties of the message: its <see cref="AnswerPart"/>s where the contents do not say all of
    /// it, and the reports that the request asked for; null for none.
    /// </summary>
    public AdditionalPropertiesDictionary? Properties()
    {
        var properties = new AdditionalPropertiesDictionary();
        if (_contents.NeedParts)
            properties[AnswerPart.Key] = AnswerPart.ToJson(_contents.Parts);
        if (_request.Constraint is { Relaxed.Count: > 0 } constraint)
            properties["constraints.relaxed"] = constraint.Relaxed.ToArray();
        if (_stops.Reached is { } sequence)
            properties["stop_sequence"] = sequence;
        _probabilities?.AddTo(properties);
        if (_request.ReportsHarmony)
        {
            properties["harmony.prompt"] = _tokenizer.Decode(_prompt);
            properties["harmony.answer"] = _tokenizer.Decode(_tokens);
        }
        return properties.Count > 0 ? properties : null;
    }

    /// <summary>A parser that has read what the prompt dictates of the answer.</summary>
    private HarmonyParser NewParser(IReadOnlyList<int> begun)
    {
        var parser = new HarmonyParser(_request.Special, preset: null, _request.Tools.Names);
        foreach (int token in begun)
            parser.Accept(token);
        return parser;
    }

    /// <summary>The guide of the first generation; null if the answer is left to the model alone.</summary>
    private ITokenGuide? NewGuide() =>
        _request.Constraint is { } constraint
            ? new TurnGuide(constraint, _request.ConstraintStart, _request.ReasoningBudget, NewParser(_request.Begun))
            : NewGuide(_request.Begun, used: 0);

    /// <summary>
    /// The guide of a generation whose calls are free: closes the reasoning when its budget is used up, and holds the
    /// answer to its form; null if there is neither.
    /// </summary>
    /// <param name="begun">The tokens that the prompt has of the answer.</param>
    /// <param name="used">Tokens of reasoning in earlier generations of this answer.</param>
    private ITokenGuide? NewGuide(IReadOnlyList<int> begun, int used)
    {
        int? budget = _request.ReasoningBudget is { } most ? Math.Max(0, most - used) : null;
        return _request.Constraint is { } constraint
                ? new TurnGuide(constraint, constraint.Turn.Start, budget, NewParser(begun))
            : budget is { } limit ? new ReasoningBudget(limit, _request.Special, NewParser(begun))
            : null;
    }

    private List<AIContent> Translate(IReadOnlyList<HarmonyEvent> events)
    {
        foreach (HarmonyEvent e in events)
        {
            if (IsOver)
                break;
            switch (e)
            {
                case HarmonyEvent.TextDelta { Channel: Channel.Final } text:
                    _contents.AddText(Channel.Final, PartPlace.Text, _stops.Append(text.Delta));
                    IsOver = _stops.IsReached;
                    if (IsOver)
                        _contents.EndText(ChannelNames.Final, PartPlace.Text, null);
                    break;
                case HarmonyEvent.TextDelta text:
                    _contents.AddText(text.Channel, PlaceOf(text.Channel), text.Delta);
                    break;
                case HarmonyEvent.CallBegun begun when _streamsCalls:
                    _call = (_ids.Call(Repairs), _request.Tools.NameOf(begun.Recipient));
                    _contents.AddPiece(new CallDelta(_call.Id, _call.Name, ""));
                    break;
                case HarmonyEvent.ArgumentsDelta piece when _streamsCalls:
                    _contents.AddPiece(new CallDelta(_call.Id, _call.Name, piece.Delta));
                    break;
                case HarmonyEvent.CallFinished call:
                    _isWhole = call.IsEnded;
                    break;
                case HarmonyEvent.MessageFinished { Message: { Role: HarmonyRole.Assistant, IsCall: false } message }:
                    _contents.AddText(Channel.Final, PartPlace.Text, _stops.Flush());
                    _contents.EndText(message.Channel ?? ChannelNames.Final, PlaceOf(message.Channel), message);
                    _probabilities?.EndMessage();
                    break;
                case HarmonyEvent.MessageFinished { Message: { IsCall: true } call }:
                    AddCall(call);
                    _probabilities?.EndMessage();
                    // Whatever a model says after a call is a result that it has invented.
                    IsOver = true;
                    break;
                case HarmonyEvent.End:
                    IsOver = true;
                    break;
            }
        }
        return _contents.TakeNew();
    }

    private PartPlace PlaceOf(string? channel) =>
        PlaceOf(
            channel switch
            {
                ChannelNames.Analysis => Channel.Analysis,
                ChannelNames.Commentary => Channel.Commentary,
                _ => Channel.Final,
            }
        );

    /// <summary>
    /// The kind of contents that a channel's text is given in. Commentary before an answer that has a form, such as
    /// JSON, is reasoning: the caller parses the text.
    /// </summary>
    private PartPlace PlaceOf(Channel channel) =>
        channel == Channel.Final || (channel == Channel.Commentary && !_request.HasForm) ? PartPlace.Text
        : _request.ShowsReasoning ? PartPlace.Reasoning
        : PartPlace.Nowhere;

    private void AddCall(HarmonyMessage message)
    {
        FunctionCallContent content = ToolText.Call(
            _ids.Call(Repairs),
            _request.Tools.NameOf(message.Recipient!),
            message.Text
        );
        if (!_isWhole)
            Inform(BrokenCall.CutOff(content), message);
        else if (BrokenCall.WhatIsWrong(content, _request.Tools) is { } reason)
            Broken = new BrokenCall(content, message, reason);
        else
        {
            _called = true;
            _contents.AddCall(content, message);
        }
    }

    /// <summary>Adds a call that no function loop shall carry out.</summary>
    private void Inform(FunctionCallContent content, HarmonyMessage message)
    {
        content.InformationalOnly = true;
        _contents.AddCall(content, message);
    }
}

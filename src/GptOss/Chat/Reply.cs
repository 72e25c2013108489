using GptOss.Generation;
using GptOss.Harmony;
using GptOss.Tokenization;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// The whole mapping from the tokens of an answer to contents of Microsoft.Extensions.AI. For one answer.
/// </summary>
/// <remarks>
/// An answer is one generation, or several: after a call that cannot be carried out the model is told why and goes on
/// (<see cref="TryContinue"/>).
/// </remarks>
internal sealed class Reply
{
    private readonly ChatRequest _request;
    private readonly Tokenizer _tokenizer;
    private readonly StopSequences _stops;
    private readonly List<AIContent> _given = [];
    private readonly List<AnswerPart> _parts = [];
    private readonly List<int> _prompt;
    private readonly List<int> _tokens = [];
    private readonly List<TokenProbability> _probabilities = [];
    private HarmonyParser _parser;
    private bool _isWhole;
    private bool _called;
    private bool _isCut;

    // The message that is being given: how much of it, and what stands before it in the contents.
    private PartPlace? _last;
    private int _shown;
    private bool _isBordered;

    public Reply(ChatRequest request)
    {
        _request = request;
        _tokenizer = request.Special.Tokenizer;
        _parser = request.NewParser(request.Begun);
        _stops = new StopSequences(request.StopSequences);
        _prompt = [.. request.Generation.Prompt];
        Usage = new UsageCounter(_prompt.Count);
    }

    public UsageCounter Usage { get; }

    /// <summary>Whether nothing that the model may still say belongs to the answer.</summary>
    public bool IsOver { get; private set; }

    /// <summary>A call that ended the generation and cannot be carried out; null if there is none.</summary>
    public BrokenCall? Broken { get; private set; }

    /// <summary>How often the model was told of such a call.</summary>
    public int Repairs { get; private set; }

    /// <summary>What the caller was given, in pieces.</summary>
    public IReadOnlyList<AIContent> Given => _given;

    /// <summary>What the model said, as far as the caller was given it.</summary>
    public IReadOnlyList<SpokenMessage> Spoken => AnswerReader.Read(_given, _parts, _tokenizer);

    /// <summary>All ids of prompt and answer.</summary>
    public IEnumerable<int> AllTokens => _prompt.Concat(_tokens);

    /// <summary>Takes a token and returns what it adds to the answer, as a rule one content or none.</summary>
    public List<AIContent> Accept(GeneratedToken token)
    {
        bool wasReasoning = _parser.IsReasoning;
        _tokens.Add(token.Id);
        if (token.LogProbability is { } own)
        {
            _probabilities.Add(
                new TokenProbability(
                    token.Id,
                    own,
                    [.. (token.Best ?? []).Select(best => new LikelyToken(best.Id, best.LogProbability))]
                )
            );
        }
        List<AIContent> contents = Translate(_parser.Accept(token.Id));
        Usage.Add(wasReasoning && _parser.IsReasoning);
        return contents;
    }

    /// <summary>Ends the generation and returns what was held back of it.</summary>
    /// <param name="end">How the tokens ended; <see cref="EndReason.None"/> if they were left before.</param>
    public List<AIContent> Finish(EndReason end)
    {
        _isCut = !_stops.IsReached && end is EndReason.MaxTokens or EndReason.ContextFull;
        return Translate(_parser.Finish());
    }

    /// <summary>Tells the model what is wrong with its call, if it may try again and there is room.</summary>
    /// <param name="renderer">Writes the message.</param>
    /// <param name="contextLength">Tokens of prompt and answer together.</param>
    /// <returns>The generation that goes on; null if the answer ends here.</returns>
    public GenerationRequest? TryContinue(HarmonyRenderer renderer, int contextLength)
    {
        if (Broken is not { } broken || Repairs >= _request.RepairCalls)
            return null;
        int? left = _request.Generation.MaxTokens - Usage.Output;
        List<int> added = [.. renderer.RenderMessage(broken.Answer()), .. _request.BegunAgain];
        if (left is <= 0 || _prompt.Count + _tokens.Count + added.Count >= contextLength)
        {
            _isCut = true;
            return null;
        }
        Repairs++;
        // Whatever ended the call, in a history it ends as a call does.
        _tokens[^1] = _request.Special.Call;
        _tokens.AddRange(added);
        Usage.AddInput(added.Count);
        Broken = null;
        IsOver = false;
        _parser = _request.NewParser(_request.BegunAgain);
        return _request.Generation with
        {
            Prompt = [.. AllTokens],
            MaxTokens = left,
            Guide = _request.NewGuide(_request.BegunAgain, Usage.Reasoning),
            PromptRead = null,
        };
    }

    /// <summary>Gives the call that cannot be carried out as what it is: for the caller's information only.</summary>
    public List<AIContent> GiveUp()
    {
        List<AIContent> contents = Broken is { } broken ? Inform(broken.Content, broken.Message) : [];
        _given.AddRange(contents);
        return contents;
    }

    public ChatFinishReason FinishReason =>
        _called ? ChatFinishReason.ToolCalls
        : _isCut ? ChatFinishReason.Length
        : ChatFinishReason.Stop;

    /// <summary>What the message says beside its contents; null for nothing.</summary>
    public AdditionalPropertiesDictionary? Properties()
    {
        var properties = new AdditionalPropertiesDictionary();
        if (!Spoken.SequenceEqual(AnswerReader.Read(_given, null, _tokenizer)))
            properties[AnswerPart.Key] = AnswerPart.ToJson(_parts);
        if (_request.ReportsProbabilities)
            properties[TokenProbability.Key] = TokenProbability.ToJson(_probabilities);
        if (_request.ReportsHarmony)
        {
            properties["harmony.prompt"] = _tokenizer.Decode(_prompt);
            properties["harmony.answer"] = _tokenizer.Decode(_tokens);
        }
        return properties.Count > 0 ? properties : null;
    }

    private List<AIContent> Translate(IReadOnlyList<HarmonyEvent> events)
    {
        var contents = new List<AIContent>();
        foreach (HarmonyEvent e in events)
        {
            if (IsOver)
                break;
            switch (e)
            {
                case HarmonyEvent.Text { Channel: Channel.Final } text:
                    Give(contents, PartPlace.Text, _stops.Append(text.Delta));
                    IsOver = _stops.IsReached;
                    if (IsOver)
                        Close(ChannelNames.Final, PartPlace.Text, null);
                    break;
                case HarmonyEvent.Text text:
                    Give(contents, PlaceOf(text.Channel), text.Delta);
                    break;
                case HarmonyEvent.CallFinished call:
                    _isWhole = call.IsEnded;
                    break;
                case HarmonyEvent.MessageFinished { Message: { Role: HarmonyRole.Assistant, IsCall: false } message }:
                    Give(contents, PartPlace.Text, _stops.Flush());
                    Close(message.Channel ?? ChannelNames.Final, PlaceOf(message.Channel), message);
                    break;
                case HarmonyEvent.MessageFinished { Message: { IsCall: true } call }:
                    AddCall(contents, call);
                    // What a model says after a call is a result of its own invention.
                    IsOver = true;
                    break;
                case HarmonyEvent.End:
                    IsOver = true;
                    break;
            }
        }
        _given.AddRange(contents);
        return contents;
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

    /// <summary>Words before an answer that has a form must not stand in its text, which somebody will parse.</summary>
    private PartPlace PlaceOf(Channel channel) =>
        channel == Channel.Final || (channel == Channel.Commentary && !_request.HasForm) ? PartPlace.Text
        : _request.ShowsReasoning ? PartPlace.Reasoning
        : PartPlace.Nowhere;

    /// <summary>
    /// Gives a piece of a message. Where it would run into the message before, a blank line parts them.
    /// </summary>
    private void Give(List<AIContent> contents, PartPlace place, string text)
    {
        if (text.Length == 0 || place == PartPlace.Nowhere)
            return;
        if (_shown == 0)
        {
            _isBordered = _last == place;
            _last = place;
        }
        _shown += text.Length;
        string piece = _isBordered && _shown == text.Length ? AnswerPart.Border + text : text;
        contents.Add(place == PartPlace.Reasoning ? new TextReasoningContent(piece) : new TextContent(piece));
    }

    /// <summary>Notes a message that was given, and begins the next.</summary>
    /// <param name="channel">Its channel.</param>
    /// <param name="place">Where its text is.</param>
    /// <param name="message">The whole of it; null if the rest of it was not given.</param>
    private void Close(string channel, PartPlace place, HarmonyMessage? message)
    {
        bool isHidden = place == PartPlace.Nowhere;
        if (isHidden ? message!.Text.Length > 0 : _shown > 0)
        {
            _parts.Add(
                new AnswerPart
                {
                    Channel = channel,
                    In = place,
                    IsBordered = _isBordered && !isHidden,
                    Length = isHidden ? 0 : _shown,
                    Words = isHidden ? message!.Text : null,
                    Tokens = OwnTokens(message),
                }
            );
        }
        (_shown, _isBordered) = (0, false);
    }

    /// <summary>The ids of a message's text, where the tokenizer would take others.</summary>
    private int[]? OwnTokens(HarmonyMessage? message) =>
        message?.ContentTokens is { } tokens && !tokens.SequenceEqual(_tokenizer.Encode(message.Text))
            ? [.. tokens]
            : null;

    private void AddCall(List<AIContent> contents, HarmonyMessage message)
    {
        FunctionCallContent content = ToolText.Call(
            $"call_{Guid.NewGuid():N}",
            _request.Tools.NameOf(message.Recipient!),
            message.Text
        );
        if (!_isWhole)
            contents.AddRange(Inform(BrokenCall.CutOff(content), message));
        else if (BrokenCall.WhatIsWrong(content, _request.Tools) is { } reason)
            Broken = new BrokenCall(content, message, reason);
        else
        {
            _called = true;
            contents.Add(content);
            Note(content, message);
        }
    }

    private List<AIContent> Inform(FunctionCallContent content, HarmonyMessage message)
    {
        content.InformationalOnly = true;
        Note(content, message);
        return [content];
    }

    private void Note(FunctionCallContent content, HarmonyMessage message)
    {
        _last = PartPlace.Call;
        _parts.Add(
            new AnswerPart
            {
                Channel = message.Channel ?? ChannelNames.Commentary,
                In = PartPlace.Call,
                Type = message.ContentType == SpokenMessage.UsualType ? null : message.ContentType ?? "",
                Words = message.Text != ToolText.Arguments(content) ? message.Text : null,
                Tokens = OwnTokens(message),
            }
        );
    }
}

using System.Text;
using GptOss.Tokenization;

namespace GptOss.Harmony;

/// <summary>The tokens of an answer to events, one token at a time. For one answer; not thread-safe.</summary>
/// <remarks>
/// <para>Use: a parser per answer; <see cref="Accept"/> for every sampled token, the ending one too; then
/// <see cref="Finish"/>. No sequence of tokens throws, and how it is cut changes nothing.</para>
/// <para>A message gives <see cref="HarmonyEvent.Text"/> as soon as its channel is certain, or
/// <see cref="HarmonyEvent.CallBegun"/>, <see cref="HarmonyEvent.CallDelta"/> and
/// <see cref="HarmonyEvent.CallFinished"/> if it has a recipient, whatever its channel; then
/// <see cref="HarmonyEvent.MessageFinished"/>. Messages that are not the assistant's give only that.
/// <see cref="HarmonyEvent.End"/> comes once.</para>
/// <para>What is malformed is read as it was meant: <see cref="HeaderReader"/> says how. The text of a message whose
/// channel is not known waits: it is the answer if it is the last message, else reasoning. Between messages everything
/// is skipped up to <c>&lt;|start|&gt;</c>, <c>&lt;|channel|&gt;</c> or <c>&lt;|message|&gt;</c>, after a call up to
/// <c>&lt;|start|&gt;</c>: what a model says there is an invented result. Within content <c>&lt;|start|&gt;</c> ends
/// the message, and the other markers of headers are dropped.</para>
/// </remarks>
internal sealed class HarmonyParser
{
    private readonly SpecialTokens _special;
    private readonly TokenText _tokenText;
    private readonly HeaderReader _headers;
    private readonly Utf8Assembler _assembler = new();
    private readonly List<HarmonyMessage> _messages = [];
    private readonly List<HarmonyEvent> _events = [];
    private readonly List<int> _tokens = [];
    private readonly List<int> _header = [];
    private readonly StringBuilder _text = new();
    private HarmonyRole? _preset;
    private Header? _running;
    private HarmonyMessage? _undecided;
    private ParserState _state;
    private string? _delta;
    private bool _isIntact;
    private bool _isAfterCall;
    private bool _hasEnded;

    /// <param name="special">The markers.</param>
    /// <param name="preset">Whose header the prompt has begun; null to begin with <c>&lt;|start|&gt;</c>.</param>
    /// <param name="tools">The functions that are offered.</param>
    public HarmonyParser(SpecialTokens special, HarmonyRole? preset = HarmonyRole.Assistant, ToolNames? tools = null)
    {
        _special = special;
        _tokenText = new TokenText(special.Tokenizer);
        _headers = new HeaderReader(special, _tokenText, tools ?? ToolNames.None);
        _preset = preset;
        if (preset is not null)
            BeginHeader(preset);
    }

    /// <summary>The messages that are complete, without one whose channel is not certain yet.</summary>
    public IReadOnlyList<HarmonyMessage> Messages => _messages;

    /// <summary>Whether the running content is reasoning: what a budget of reasoning counts.</summary>
    public bool IsReasoning => _running?.TextChannel == Channel.Analysis;

    public ParserView View() =>
        new(
            _state,
            _running?.Role ?? (_state == ParserState.Header ? _preset : null),
            _running?.Channel,
            _running?.Recipient,
            _running?.ContentType,
            _delta,
            _running is null ? "" : _text.ToString()
        );

    /// <summary>Takes a token. The list is valid until the next call.</summary>
    public IReadOnlyList<HarmonyEvent> Accept(int token)
    {
        _events.Clear();
        _delta = null;
        switch (_state)
        {
            case ParserState.ExpectStart:
                AcceptBetween(token);
                break;
            case ParserState.Header:
                AcceptHeader(token);
                break;
            default:
                AcceptContent(token);
                break;
        }
        return _events;
    }

    /// <summary>Ends the stream: what is unfinished is finished. The list is valid until the next call.</summary>
    public IReadOnlyList<HarmonyEvent> Finish()
    {
        _events.Clear();
        _delta = null;
        if (_state == ParserState.Header)
            EndHeader(Ending.Stream);
        else if (_state == ParserState.Content)
            EndMessage(Ending.Stream);
        Decide(ChannelNames.Final);
        if (!_hasEnded)
            _events.Add(new HarmonyEvent.End(AnswerEnd.Cut));
        _hasEnded = true;
        _state = ParserState.ExpectStart;
        return _events;
    }

    private void AcceptBetween(int token)
    {
        if (token == _special.Start)
            BeginHeader(null);
        else if (!_isAfterCall && token == _special.Channel)
        {
            BeginHeader(HarmonyRole.Assistant);
            _header.Add(token);
        }
        else if (!_isAfterCall && token == _special.Message)
        {
            BeginHeader(HarmonyRole.Assistant);
            AcceptHeader(token);
        }
        else if (_special.EndsGeneration(token))
        {
            Decide(ChannelNames.Final);
            End(token);
        }
    }

    private void AcceptHeader(int token)
    {
        if (token == _special.Message)
        {
            BeginContent(_headers.Read(_header, _preset, Ending.Message));
        }
        else if (token == _special.Start)
        {
            EndHeader(Ending.Start);
            BeginHeader(null);
        }
        else if (_special.EndsMessage(token) || token == _special.EndOfText)
        {
            EndHeader(EndingOf(token));
            End(token);
        }
        else
        {
            _header.Add(token);
        }
    }

    private void AcceptContent(int token)
    {
        if (_special.EndsMessage(token) || token == _special.EndOfText)
        {
            EndMessage(EndingOf(token));
            End(token);
        }
        else if (token == _special.Start)
        {
            EndMessage(Ending.Start);
            BeginHeader(null);
        }
        else if (token == _special.Channel || token == _special.Constrain || token == _special.Message)
            _isIntact = false;
        else
        {
            _tokens.Add(token);
            bool isKnown = _tokenText.TryGet(token, out ReadOnlySpan<byte> bytes);
            _isIntact &= isKnown && !_special.Tokenizer.IsSpecial(token);
            Add(isKnown ? _assembler.Append(bytes) : _assembler.Flush() + "\uFFFD");
        }
    }

    private Ending EndingOf(int token) =>
        token == _special.Call ? Ending.Call
        : token == _special.End ? Ending.End
        : Ending.Turn;

    /// <summary>Begins a header; a role is given where it is not to be read.</summary>
    private void BeginHeader(HarmonyRole? preset)
    {
        _preset = preset;
        _header.Clear();
        _state = ParserState.Header;
    }

    private void BeginContent(Header header)
    {
        Decide(ChannelNames.Analysis);
        _running = header;
        _isIntact = header.Body.Length == 0;
        _tokens.Clear();
        _text.Clear();
        _state = ParserState.Content;
        if (header.IsCall)
            _events.Add(new HarmonyEvent.CallBegun(header.Recipient!, header.ContentType));
        Add(header.Body);
    }

    /// <summary>Ends a header that never came to its content: free text in it was meant as content.</summary>
    private void EndHeader(Ending ending)
    {
        Header header = _headers.Read(_header, _preset, ending);
        _state = ParserState.ExpectStart;
        _isAfterCall = false;
        if (header.Body.Length == 0 && !(header.IsCall && ending == Ending.Call))
            return;
        BeginContent(header);
        EndMessage(ending);
    }

    private void Add(string text)
    {
        if (text.Length == 0)
            return;
        _text.Append(text);
        _delta += text;
        if (_running!.Value.IsCall)
            _events.Add(new HarmonyEvent.CallDelta(text));
        else if (_running.Value.TextChannel is { } channel)
            _events.Add(new HarmonyEvent.Text(channel, text));
    }

    private void EndMessage(Ending ending)
    {
        Add(_assembler.Flush());
        Header header = _running!.Value;
        string text = _text.ToString();
        HarmonyMessage message = new(header.Role, text)
        {
            Name = header.Name,
            Recipient = header.Recipient,
            Channel = header.Channel,
            ContentType = header.ContentType,
            ContentTokens = _isIntact ? _tokens.ToArray() : null,
        };
        _running = null;
        _text.Clear();
        _state = ParserState.ExpectStart;
        _isAfterCall = header.IsCall && ending == Ending.Call;

        if (header.IsUndecided)
        {
            _undecided = message;
            if (ending == Ending.Turn)
                Decide(ChannelNames.Final);
            return;
        }
        if (header.IsCall)
        {
            _events.Add(
                new HarmonyEvent.CallFinished(
                    header.Recipient!,
                    text,
                    header.ContentType,
                    IsEnded: ending != Ending.Stream
                )
            );
        }
        Complete(message);
    }

    /// <summary>Gives the message whose channel was not known one, now that it is certain.</summary>
    private void Decide(string channel)
    {
        if (_undecided is not { } message)
            return;
        _undecided = null;
        if (message.Text.Length > 0)
        {
            _events.Add(
                new HarmonyEvent.Text(channel == ChannelNames.Final ? Channel.Final : Channel.Analysis, message.Text)
            );
        }
        Complete(message with { Channel = channel });
    }

    private void Complete(HarmonyMessage message)
    {
        _messages.Add(message);
        _events.Add(new HarmonyEvent.MessageFinished(message));
    }

    private void End(int token)
    {
        if (_hasEnded || !_special.EndsGeneration(token))
            return;
        // Nothing is sampled after this token, so that a message still waiting is the last.
        Decide(ChannelNames.Final);
        _hasEnded = true;
        _events.Add(
            new HarmonyEvent.End(
                token == _special.Call ? AnswerEnd.Call
                : token == _special.Return ? AnswerEnd.Return
                : AnswerEnd.EndOfText
            )
        );
    }
}

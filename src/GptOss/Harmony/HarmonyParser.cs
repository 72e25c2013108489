using System.Text;
using GptOss.Tokenization;

namespace GptOss.Harmony;

/// <summary>
/// Reads the tokens that a model writes, one at a time, and returns events: text of a channel as soon as it is certain,
/// calls, complete messages, the end. One parser reads one answer; not thread-safe.
/// </summary>
/// <remarks>
/// <para>Use: <see cref="Accept"/> for every sampled token, the ending one too; then <see cref="Finish"/>. No sequence
/// of tokens throws.</para>
/// <para>A message of the assistant gives <see cref="HarmonyEvent.TextDelta"/>, or
/// <see cref="HarmonyEvent.CallBegun"/>, <see cref="HarmonyEvent.ArgumentsDelta"/> and
/// <see cref="HarmonyEvent.CallFinished"/> if it has a recipient, whatever its channel; then
/// <see cref="HarmonyEvent.MessageFinished"/>. Messages of other roles give <see cref="HarmonyEvent.MessageFinished"/>
/// alone. <see cref="HarmonyEvent.End"/> comes once.</para>
/// <para>Malformed messages are read as they were meant: <see cref="HeaderReader"/> says how. The text of a message
/// whose channel is not known waits: it is the answer if no other message follows, else reasoning. Between messages
/// everything is skipped up to <c>&lt;|start|&gt;</c>, <c>&lt;|channel|&gt;</c> or <c>&lt;|message|&gt;</c>; after a
/// call up to <c>&lt;|start|&gt;</c>, since there a model invents the result. Within content <c>&lt;|start|&gt;</c>
/// ends the message, and the other markers of headers are dropped.</para>
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

    /// <param name="special">The ids of Harmony's markers.</param>
    /// <param name="preset">The role whose header the prompt has begun; null to begin with the opening marker.</param>
    /// <param name="tools">The functions that are offered; null for none.</param>
    public HarmonyParser(SpecialTokens special, HarmonyRole? preset = HarmonyRole.Assistant, ToolNames? tools = null)
    {
        _special = special;
        _tokenText = new TokenText(special.Tokenizer);
        _headers = new HeaderReader(special, _tokenText, tools ?? ToolNames.None);
        _preset = preset;
        if (preset is not null)
            BeginHeader(preset);
    }

    /// <summary>The complete messages, without one whose channel is not certain yet.</summary>
    public IReadOnlyList<HarmonyMessage> Messages => _messages;

    /// <summary>Whether the content that is being read is reasoning, which a reasoning budget counts.</summary>
    public bool IsReasoning => _running?.TextChannel == Channel.Analysis;

    /// <summary>The header of the message whose content is being read; null between contents.</summary>
    public Header? Running => _running;

    /// <summary>A picture of the parser's state, for comparison with OpenAI's harmony library.</summary>
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

    /// <summary>Takes a token and returns its events, in a list that the next call reuses.</summary>
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

    /// <summary>
    /// Ends the stream: finishes an unfinished message and returns its events, in a list that the next call reuses.
    /// </summary>
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
            EndHeader(_special.EndingOf(token));
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
            EndMessage(_special.EndingOf(token));
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

    /// <summary>Begins a header; <paramref name="preset"/> is its role where the header need not name one.</summary>
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

    /// <summary>Ends a header without <c>&lt;|message|&gt;</c>: free text in it was meant as content.</summary>
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
            _events.Add(new HarmonyEvent.ArgumentsDelta(text));
        else if (_running.Value.TextChannel is { } channel)
            _events.Add(new HarmonyEvent.TextDelta(channel, text));
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

    /// <summary>Finishes a waiting message, now that its channel is certain.</summary>
    private void Decide(string channel)
    {
        if (_undecided is not { } message)
            return;
        _undecided = null;
        if (message.Text.Length > 0)
        {
            _events.Add(
                new HarmonyEvent.TextDelta(
                    channel == ChannelNames.Final ? Channel.Final : Channel.Analysis,
                    message.Text
                )
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
        // No token is sampled after this one, so that a message which still waits is the last of the answer.
        Decide(ChannelNames.Final);
        _hasEnded = true;
        _events.Add(new HarmonyEvent.End(_special.AnswerEndOf(token)));
    }
}

using System.Buffers;
using System.Text;
using System.Text.Unicode;
using GptOss.Harmony;

namespace GptOss.Cli.Debug;

/// <summary>
/// Reads token ids into messages exactly as OpenAI's harmony library 0.0.8 does, its errors included, so that tests and
/// the tool's <c>debug</c> command can compare with it.
/// </summary>
/// <remarks>
/// Where that library throws, <see cref="Error"/> is set: no sequence of tokens throws. The chat client reads answers
/// with <see cref="HarmonyParser"/>, which loses nothing to a malformed header.
/// </remarks>
internal sealed class ReferenceParser
{
    private const char Replacement = '\uFFFD';

    private readonly SpecialTokens _special;
    private readonly TokenText _tokenText;
    private readonly bool _strict;
    private readonly List<HarmonyMessage> _messages = [];
    private readonly List<int> _header = [];
    private readonly StringBuilder _text = new();
    private readonly List<byte> _held = [];
    private HarmonyRole? _preset;
    private HarmonyMessage? _running;
    private ParserState _state;
    private string? _delta;
    private bool _isBlocked;

    /// <param name="special">The ids of Harmony's markers.</param>
    /// <param name="preset">The role whose header is already begun; null to begin with <c>&lt;|start|&gt;</c>.</param>
    /// <param name="strict">Whether a header without <c>&lt;|message|&gt;</c> is an error.</param>
    public ReferenceParser(SpecialTokens special, HarmonyRole? preset, bool strict)
    {
        _special = special;
        _tokenText = new TokenText(special.Tokenizer);
        _preset = preset;
        _strict = strict;
        _state = preset is null ? ParserState.ExpectStart : ParserState.Header;
    }

    /// <summary>The complete messages, oldest first.</summary>
    public IReadOnlyList<HarmonyMessage> Messages => _messages;

    /// <summary>The error that the last token caused; null for none.</summary>
    public string? Error { get; private set; }

    /// <summary>A picture of the parser's state, with the fields that the library shows.</summary>
    public ParserView View() =>
        new(
            _state,
            _running?.Role ?? _preset,
            _running?.Channel,
            _running?.Recipient,
            _running?.ContentType,
            _delta,
            _running is null ? "" : _text.ToString()
        );

    /// <summary>Takes a token; false if there is an <see cref="Error"/>.</summary>
    public bool Accept(int token)
    {
        Error = _state switch
        {
            ParserState.ExpectStart => AcceptStart(token),
            ParserState.Header => AcceptHeader(token),
            _ => AcceptContent(token),
        };
        return Error is null;
    }

    /// <summary>Ends the stream; false if there is an <see cref="Error"/>.</summary>
    public bool Finish()
    {
        Error = null;
        if (_state == ParserState.Header)
            Error = "The stream ended within a header.";
        else if (_state == ParserState.Content)
            EndMessage();
        return Error is null;
    }

    private string? AcceptStart(int token)
    {
        if (token != _special.Start)
            return $"Token {token} stands where {_special.Start} should begin a message.";
        _header.Clear();
        _state = ParserState.Header;
        return null;
    }

    private string? AcceptHeader(int token)
    {
        if (token == _special.Message)
        {
            _state = ParserState.ExpectStart;
            string? error = ReferenceHeader.Read(_tokenText, _header, _preset, out _running);
            if (error is not null)
                return error;
            _preset = null;
            _state = ParserState.Content;
        }
        else if (!_strict && _special.EndsMessage(token))
        {
            if (_preset is { } role && _header.Count > 0)
            {
                string? error = ReferenceHeader.Recover(_tokenText, _header, role, out HarmonyMessage? message);
                if (error is not null)
                    return error;
                _messages.Add(message!);
            }
            _preset = null;
            _state = ParserState.ExpectStart;
        }
        else
            _header.Add(token);
        return null;
    }

    private string? AcceptContent(int token)
    {
        if (_special.EndsMessage(token))
        {
            EndMessage();
            return null;
        }

        _delta = null;
        _isBlocked |= !_tokenText.TryGet(token, out ReadOnlySpan<byte> bytes);
        if (_isBlocked)
            return null;
        _held.AddRange(bytes);
        string text = TakeText();
        if (text.Length > 0)
            _delta = text;
        _text.Append(text);
        return null;
    }

    /// <summary>
    /// Takes the text of the bytes that wait, up to the first malformed sequence, and U+FFFD for that sequence. The
    /// bytes behind it wait for the next token, as in the library.
    /// </summary>
    private string TakeText()
    {
        byte[] held = [.. _held];
        Span<char> chars = new char[held.Length];
        Utf8.ToUtf16(held, chars, out int read, out int written, replaceInvalidSequences: false, isFinalBlock: false);
        string text = new(chars[..written]);
        if (Rune.DecodeFromUtf8(held.AsSpan(read), out _, out int malformed) == OperationStatus.InvalidData)
        {
            text += Replacement;
            read += malformed;
        }
        _held.RemoveRange(0, read);
        return text;
    }

    private void EndMessage()
    {
        if (_isBlocked)
            _text.Append(Replacement);
        _text.Append(Encoding.UTF8.GetString([.. _held]));
        _messages.Add(_running! with { Content = [new HarmonyContent.PlainText(_text.ToString())] });
        _running = null;
        _text.Clear();
        _held.Clear();
        _isBlocked = false;
        _delta = null;
        _state = ParserState.ExpectStart;
    }
}

using GptOss.Harmony;
using GptOss.Tokenization;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// Collects the contents (texts, reasoning, calls) that the caller is given of one answer, piece by piece, and notes
/// for each message of the model where in them it lies (<see cref="AnswerPart"/>).
/// </summary>
/// <remarks>
/// Where two messages of the model come in contents of one kind, their texts would run together once the pieces are
/// joined. A blank line is put between them, and the part of the second message says so.
/// </remarks>
/// <param name="tokenizer">Tells whether the model chose the ids that the tokenizer would choose.</param>
/// <param name="marksPreambles">Whether each piece of a preamble says so: of use in a stream only, since the contents
/// of a whole answer are joined with those that follow.</param>
internal sealed class AnswerContents(Tokenizer tokenizer, bool marksPreambles)
{
    /// <summary>The name of a text's channel among its additional properties.</summary>
    private const string ChannelKey = "harmony.channel";

    private readonly List<AIContent> _given = [];
    private readonly List<AnswerPart> _parts = [];
    private int _taken;

    // One for all pieces of an answer's preambles, so that a token of them costs no more than another.
    private AdditionalPropertiesDictionary? _ofPreamble;

    // Of the message whose text is being added: the UTF-16 units so far, and whether a blank line was put before it.
    private int _length;
    private bool _isBordered;
    private PartPlace? _last;

    /// <summary>All contents of the answer so far, in the pieces in which they were given.</summary>
    public IReadOnlyList<AIContent> Given => _given;

    /// <summary>The parts of the messages that are complete.</summary>
    public IReadOnlyList<AnswerPart> Parts => _parts;

    /// <summary>The messages of the model, as far as the caller was given them.</summary>
    public IReadOnlyList<SpokenMessage> Spoken => AnswerReader.Read(_given, _parts, tokenizer);

    /// <summary>Whether the contents alone would not be read back as the messages that the model wrote.</summary>
    public bool NeedParts => !Spoken.SequenceEqual(AnswerReader.Read(_given, null, tokenizer));

    /// <summary>Takes the contents that were added since the last time, in a list of their own.</summary>
    public List<AIContent> TakeNew()
    {
        List<AIContent> added = _given[_taken..];
        _taken = _given.Count;
        return added;
    }

    /// <summary>Adds a piece of a message's text; nothing if the caller is not to see the message.</summary>
    /// <param name="channel">The channel of the message.</param>
    /// <param name="place">The kind of contents that hold the text.</param>
    /// <param name="text">The next characters of the text.</param>
    public void AddText(Channel channel, PartPlace place, string text)
    {
        if (text.Length == 0 || place == PartPlace.Nowhere)
            return;
        if (_length == 0)
        {
            _isBordered = _last == place;
            _last = place;
        }
        _length += text.Length;
        string piece = _isBordered && _length == text.Length ? AnswerPart.Border + text : text;
        AIContent content = place == PartPlace.Reasoning ? new TextReasoningContent(piece) : new TextContent(piece);
        if (marksPreambles && channel == Channel.Commentary && place == PartPlace.Text)
            content.AdditionalProperties = _ofPreamble ??= new() { [ChannelKey] = ChannelNames.Commentary };
        _given.Add(content);
    }

    /// <summary>Adds a piece of a call that is not complete yet; it is no part of the answer's messages.</summary>
    public void AddPiece(CallDelta piece) => _given.Add(new AIContent { RawRepresentation = piece });

    /// <summary>Ends the message whose text was added, and writes its part.</summary>
    /// <param name="channel">The channel of the message.</param>
    /// <param name="place">The kind of contents that hold its text.</param>
    /// <param name="message">The complete message; null if a stop sequence cut it.</param>
    public void EndText(string channel, PartPlace place, HarmonyMessage? message)
    {
        bool isHidden = place == PartPlace.Nowhere;
        if (isHidden ? message!.Text.Length > 0 : _length > 0)
        {
            _parts.Add(
                new AnswerPart
                {
                    Channel = channel,
                    In = place,
                    IsBordered = _isBordered && !isHidden,
                    Length = isHidden ? 0 : _length,
                    Words = isHidden ? message!.Text : null,
                    Tokens = OwnTokens(message),
                }
            );
        }
        (_length, _isBordered) = (0, false);
    }

    /// <summary>Adds a call, and writes its part.</summary>
    /// <param name="call">The call as the caller sees it.</param>
    /// <param name="message">The call as the model wrote it.</param>
    public void AddCall(FunctionCallContent call, HarmonyMessage message)
    {
        _given.Add(call);
        _last = PartPlace.Call;
        _parts.Add(
            new AnswerPart
            {
                Channel = message.Channel ?? ChannelNames.Commentary,
                In = PartPlace.Call,
                Type = message.ContentType == SpokenMessage.UsualType ? null : message.ContentType ?? "",
                Words = message.Text != ToolText.Arguments(call) ? message.Text : null,
                Tokens = OwnTokens(message),
            }
        );
    }

    /// <summary>
    /// The ids that the model chose for a message's text, if the tokenizer would choose others; else null.
    /// </summary>
    private int[]? OwnTokens(HarmonyMessage? message) =>
        message?.ContentTokens is { } tokens && !tokens.SequenceEqual(tokenizer.Encode(message.Text))
            ? [.. tokens]
            : null;
}

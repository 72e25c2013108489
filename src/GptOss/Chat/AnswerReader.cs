using System.Text;
using GptOss.Harmony;
using GptOss.Tokenization;
using Microsoft.Extensions.AI;

namespace GptOss.Chat;

/// <summary>
/// One message of the model as it stood in Harmony: a stretch of reasoning, of text, or a call. An answer consists of
/// one or several.
/// </summary>
/// <param name="Channel">The channel it was written on, one of <see cref="ChannelNames"/>.</param>
/// <param name="Text">The words of the message; the arguments of a call.</param>
/// <param name="Call">The call's content in the history; null if the message is no call.</param>
/// <param name="Type">A call's content type; null for none.</param>
/// <param name="Tokens">The token ids that the model chose; null for those that the tokenizer chooses.</param>
internal sealed record SpokenMessage(
    string Channel,
    string Text,
    FunctionCallContent? Call = null,
    string? Type = null,
    IReadOnlyList<int>? Tokens = null
)
{
    /// <summary>The content type that the model writes before arguments.</summary>
    public const string UsualType = SpecialTokens.ConstrainName + "json";

    /// <summary>
    /// Whether a stored message may have this content type. Any other could hold a marker of the chat format.
    /// </summary>
    public static bool IsKnownType(string type) => type == UsualType || ToolNames.ContentTypes.Contains(type);
}

/// <summary>
/// Reads an answer that comes back in a history: turns its contents into the messages that the model wrote. The way
/// back from what <see cref="AnswerTranslator"/> gave out.
/// </summary>
/// <remarks>
/// Where the answer carries <see cref="AnswerPart"/>s that fit the contents, the messages are exactly the model's; they
/// also fit if the caller has dropped all reasoning. Without parts, reasoning is read as <c>analysis</c>, text before a
/// call as <c>commentary</c> and other text as <c>final</c>. The same contents and parts give the same messages,
/// whether they are the client's own objects or were read back from JSON.
/// </remarks>
internal static class AnswerReader
{
    /// <summary>The messages that the model wrote, in their order.</summary>
    /// <param name="contents">The contents of one message of the assistant; what is neither text, reasoning nor call is
    /// passed over.</param>
    /// <param name="parts">The parts that the message carries; null for none. Parts that do not fit the contents are
    /// ignored.</param>
    /// <param name="tokenizer">Decodes the ids of parts, to compare them with the text.</param>
    public static IReadOnlyList<SpokenMessage> Read(
        IEnumerable<AIContent> contents,
        IReadOnlyList<AnswerPart>? parts,
        Tokenizer tokenizer
    )
    {
        List<Passage> passages = Passages(contents);
        return (parts is null ? null : ByParts(passages, parts, tokenizer)) ?? Plain(passages);
    }

    private static List<SpokenMessage> Plain(List<Passage> passages)
    {
        var messages = new List<SpokenMessage>(passages.Count);
        int lastCall = passages.FindLastIndex(passage => passage.Call is not null);
        for (int i = 0; i < passages.Count; i++)
        {
            Passage passage = passages[i];
            messages.Add(
                passage.Call is { } call
                    ? new SpokenMessage(
                        ChannelNames.Commentary,
                        ToolText.Arguments(call),
                        call,
                        SpokenMessage.UsualType
                    )
                    : new SpokenMessage(
                        passage.IsReasoning ? ChannelNames.Analysis
                            : i < lastCall ? ChannelNames.Commentary
                            : ChannelNames.Final,
                        passage.Text
                    )
            );
        }
        return messages;
    }

    /// <summary>Reads the contents by their parts; null if the parts do not fit the contents.</summary>
    private static List<SpokenMessage>? ByParts(
        List<Passage> passages,
        IReadOnlyList<AnswerPart> parts,
        Tokenizer tokenizer
    )
    {
        var messages = new List<SpokenMessage>();
        int at = 0,
            from = 0;
        // Some frameworks give back texts and calls and never reasoning. The parts of what they give back still fit.
        bool isWithoutReasoning = !passages.Any(passage => passage.IsReasoning);
        foreach (AnswerPart part in parts)
        {
            if (part.In == PartPlace.Reasoning && isWithoutReasoning)
                continue;
            if (part.In == PartPlace.Nowhere)
            {
                messages.Add(
                    new SpokenMessage(part.Channel, part.Words ?? "", Tokens: Own(part, part.Words ?? "", tokenizer))
                );
                continue;
            }
            if (at == passages.Count)
                return null;
            Passage passage = passages[at];
            if (part.In == PartPlace.Call)
            {
                if (passage.Call is not { } call)
                    return null;
                messages.Add(Call(call, part, tokenizer));
                at++;
                continue;
            }
            if (passage.Call is not null || passage.IsReasoning != (part.In == PartPlace.Reasoning))
                return null;
            int start = from + (part.IsBordered ? AnswerPart.Border.Length : 0);
            if (
                start > passage.Text.Length
                || part.Length > passage.Text.Length - start
                || (part.IsBordered && !passage.Text.AsSpan(from..start).SequenceEqual(AnswerPart.Border))
            )
                return null;
            string text = passage.Text.Substring(start, part.Length);
            messages.Add(new SpokenMessage(part.Channel, text, Tokens: Own(part, text, tokenizer)));
            from = start + part.Length;
            if (from == passage.Text.Length)
                (at, from) = (at + 1, 0);
        }
        return at == passages.Count ? messages : null;
    }

    /// <summary>A call with its arguments as the model wrote them, unless the caller has changed them since.</summary>
    private static SpokenMessage Call(FunctionCallContent call, AnswerPart part, Tokenizer tokenizer)
    {
        string compact = ToolText.Arguments(call);
        string text = part.Words is { } written && ToolText.Same(written, compact) ? written : compact;
        string? type = part.Type switch
        {
            null => SpokenMessage.UsualType,
            { } known when SpokenMessage.IsKnownType(known) => known,
            _ => null,
        };
        return new SpokenMessage(part.Channel, text, call, type, Own(part, text, tokenizer));
    }

    /// <summary>The ids of a part, if none of them is a marker and they decode to this text; else null.</summary>
    private static int[]? Own(AnswerPart part, string text, Tokenizer tokenizer) =>
        part.Tokens is { } tokens
        && tokens.All(token => (uint)token < (uint)tokenizer.VocabularySize && !tokenizer.IsSpecial(token))
        && tokenizer.Decode(tokens) == text
            ? tokens
            : null;

    private static List<Passage> Passages(IEnumerable<AIContent> contents)
    {
        var passages = new List<Passage>();
        var text = new StringBuilder(); // of the last passage: an answer comes in one piece for each token
        foreach (AIContent content in contents)
        {
            (string piece, bool isReasoning, FunctionCallContent? call) = content switch
            {
                TextContent spoken => (spoken.Text, false, null),
                TextReasoningContent reasoning => (reasoning.Text, true, null),
                FunctionCallContent made => ("", false, made),
                _ => ("", false, (FunctionCallContent?)null),
            };
            if (piece.Length == 0 && call is null)
                continue;
            if (call is not null || passages is not [.., { Call: null } last] || last.IsReasoning != isReasoning)
            {
                End();
                passages.Add(new Passage("", isReasoning, call));
            }
            text.Append(piece);
        }
        End();
        return passages;

        void End()
        {
            if (text.Length > 0)
                passages[^1] = passages[^1] with { Text = text.ToString() };
            text.Clear();
        }
    }

    /// <summary>
    /// A step in reading an answer's contents: neighbouring pieces of text, or of reasoning, joined, or else one call.
    /// </summary>
    private readonly record struct Passage(string Text, bool IsReasoning, FunctionCallContent? Call);
}

using System.Runtime.InteropServices;

namespace GptOss.Harmony;

/// <summary>
/// Reads the header of a message as the model meant it, even where the model has broken the format. No header is an
/// error.
/// </summary>
/// <remarks>
/// <code>
/// role part  &lt;|channel|&gt;  channel part  &lt;|constrain|&gt;  type part
/// </code>
/// The header is cut at the ids of the markers. Of several channels the last counts, and the text between them is
/// dropped. The recipient is the first word with <c>to=</c> in the channel part, else in the role part. A bare word is
/// a content type, or the name of a tool if there is no <c>to=</c>. More than three bare words are content, and so is
/// the text of a header that does not end with <c>&lt;|message|&gt;</c>.
/// </remarks>
/// <param name="special">The ids of Harmony's markers.</param>
/// <param name="tokenText">Gives the text of any token id.</param>
/// <param name="tools">The functions that are offered, by which a bare word is known as a tool.</param>
internal sealed class HeaderReader(SpecialTokens special, TokenText tokenText, ToolNames tools)
{
    /// <summary>More words without a meaning than this were meant as content.</summary>
    private const int FewWords = 3;

    /// <summary>Reads the header that these ids form.</summary>
    /// <param name="tokens">The ids after <c>&lt;|start|&gt;</c> and the preset role.</param>
    /// <param name="preset">The role where the prompt has begun the header; null where the header names it.</param>
    /// <param name="ending">The token that came behind the ids.</param>
    public Header Read(List<int> tokens, HarmonyRole? preset, Ending ending)
    {
        HeaderParts parts = Cut(CollectionsMarshal.AsSpan(tokens));
        bool isWhole = ending == Ending.Message;
        string role = parts.Role;
        (HarmonyRole speaker, string? name) = ReadRole(ref role, preset, isWhole);

        string channelRest = parts.Channel ?? "";
        ChannelWord channel = ChannelWord.Take(ref channelRest);
        string typeRest = parts.Type ?? "";
        string? type = TakeType(ref typeRest, isWhole);
        string? written = HeaderText.TakeRecipient(ref channelRest)
            ?? HeaderText.TakeRecipient(ref role)
            ?? HeaderText.TakeRecipient(ref typeRest);
        string? recipient = speaker == HarmonyRole.Assistant && written is not null ? tools.Meant(written) : written;

        var words = new List<string>([.. HeaderText.Words(channelRest), .. HeaderText.Words(role)]);
        string body = "";
        bool isFree = isWhole && written is null && words.Count > FewWords;
        if (!isWhole)
        {
            if (recipient is not null && type is null)
                type = HeaderText.TakeKnownType(ref channelRest);
            bool isCut = ending == Ending.Stream && IsBegunHeader(role, preset, parts);
            body = isCut ? "" : Body(role, channel.Rest(channelRest), typeRest);
        }
        else if (isFree)
            body = Body(role, channelRest, "");
        else
            ReadBareWords(words, speaker, ref recipient, ref type);

        return new Header(speaker, name, recipient, channel.Name, type, body);
    }

    private HeaderParts Cut(ReadOnlySpan<int> tokens)
    {
        string role = "";
        string? channel = null;
        string? type = null;
        int marker = -1;
        for (int at = 0; at <= tokens.Length; )
        {
            int length = tokens[at..].IndexOfAny(special.Channel, special.Constrain);
            string text = tokenText.Lossy(length < 0 ? tokens[at..] : tokens.Slice(at, length));
            if (marker < 0)
                role = text;
            else if (marker == special.Constrain)
                type = text;
            else
            {
                type = channel is null ? type : null;
                channel = text;
            }
            if (length < 0)
                break;
            marker = tokens[at + length];
            at += length + 1;
        }
        return new HeaderParts(role, channel, type);
    }

    private (HarmonyRole Role, string? Name) ReadRole(ref string text, HarmonyRole? preset, bool isWhole)
    {
        string trimmed = text.TrimStart();
        string word = HeaderText.FirstWord(trimmed);
        string rest = trimmed[word.Length..];
        if (preset is { } known)
        {
            text = word == known.Word() ? rest : text;
            return (known, null);
        }

        int colon = word.IndexOf(':', StringComparison.Ordinal);
        if (RoleNames.Parse(colon < 0 ? word : word.AsSpan(0, colon)) is { } role)
        {
            text = rest;
            return (
                role,
                colon >= 0 ? word[(colon + 1)..]
                : role == HarmonyRole.Tool ? word
                : null
            );
        }
        string next = HeaderText.FirstWord(rest.TrimStart());
        bool isCertain = isWhole || tools.IsTool(word) || word.AsSpan().Trim('.').Contains('.');
        if (
            HeaderText.IsName(word)
            && (HeaderText.IsRecipient(next) || (next.Length == 0 && isCertain))
            && !IsGluedAssistant(word)
        )
        {
            text = rest;
            return (HarmonyRole.Tool, word);
        }
        if (IsGluedAssistant(word))
            text = trimmed["assistant".Length..];
        return (HarmonyRole.Assistant, null);
    }

    private bool IsGluedAssistant(string word) =>
        word.StartsWith("assistant", StringComparison.Ordinal) && !tools.IsTool(word);

    private static string? TakeType(ref string text, bool isWhole)
    {
        string known = text;
        if (!isWhole && HeaderText.TakeKnownType(ref known) is { } type)
        {
            text = known;
            return SpecialTokens.ConstrainName + type;
        }
        string trimmed = text.TrimStart();
        string word = HeaderText.FirstWord(trimmed);
        if (word.Length == 0 || HeaderText.IsRecipient(word))
            return null;
        text = trimmed[word.Length..];
        return SpecialTokens.ConstrainName + word;
    }

    /// <summary>
    /// Takes words that are a content type or the name of a tool out of the list; words without a meaning stay.
    /// </summary>
    private void ReadBareWords(List<string> words, HarmonyRole speaker, ref string? recipient, ref string? type)
    {
        for (int i = words.Count - 1; i >= 0; i--)
        {
            if (type is null && ToolNames.ContentTypes.Contains(words[i]))
                type = words[i];
            else if (recipient is null && speaker == HarmonyRole.Assistant && tools.IsTool(words[i]))
                recipient = tools.Meant(words[i]);
            else
                continue;
            words.RemoveAt(i);
        }
        // In a header with a recipient, a lone word can only be a content type.
        if (type is null && recipient is not null && words.Count == 1)
        {
            type = words[0];
            words.Clear();
        }
    }

    /// <summary>
    /// Whether a header that the end of the stream cut off holds no more than the beginning of a role or of <c>to=</c>.
    /// </summary>
    private static bool IsBegunHeader(string role, HarmonyRole? preset, HeaderParts parts)
    {
        string[] words = HeaderText.Words(role);
        return parts.Channel is null && parts.Type is null && words.Length <= 1 && (preset is null || words is ["to"]);
    }

    private static string Body(params ReadOnlySpan<string> parts)
    {
        string body = "";
        foreach (string part in parts)
        {
            if (!string.IsNullOrWhiteSpace(part))
                body += body.Length == 0 && part[0] == ' ' ? part[1..] : part;
        }
        return body;
    }

    private readonly record struct HeaderParts(string Role, string? Channel, string? Type);
}

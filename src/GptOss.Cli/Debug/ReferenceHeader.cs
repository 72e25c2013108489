using System.Text;
using GptOss.Harmony;

namespace GptOss.Cli.Debug;

/// <summary>
/// Reads headers exactly as OpenAI's harmony library 0.0.8 does, oddities and errors included. Serves comparison with
/// that library only.
/// </summary>
internal static class ReferenceHeader
{
    private const string ChannelMarker = "<|channel|>";
    private const string Assignment = "to=";

    private static readonly char[] Blanks = [' ', '\t', '\n', '\f', '\r'];
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>
    /// Reads the ids between <c>&lt;|start|&gt;</c> and <c>&lt;|message|&gt;</c>; returns the error, or null if there
    /// is none.
    /// </summary>
    /// <param name="tokenText">Gives the text of any token id.</param>
    /// <param name="header">The ids of the header.</param>
    /// <param name="preset">The role where the header need not name one; else null.</param>
    /// <param name="message">The message without its content; null if there is an error.</param>
    public static string? Read(TokenText tokenText, List<int> header, HarmonyRole? preset, out HarmonyMessage? message)
    {
        message = null;
        string? error = Split(tokenText, header, out List<string> words, out string? channel);
        if (error is not null)
            return error;
        string? first = words.Count > 0 ? words[0] : null;
        if ((preset ?? RoleNames.Parse(first)) is not { } role)
        {
            if (first is null)
                return "The header names no role.";
            if (words.Count == 1 && !first.StartsWith(Assignment, StringComparison.Ordinal))
                return $"Unknown role: {first}";
            role = HarmonyRole.Tool;
            words.RemoveAt(0);
        }
        DropRole(words, role);

        string? recipient = null;
        string? contentType = null;
        if (words.Count > 0)
        {
            bool isOnly = words.Count == 1;
            string last = Take(words);
            if (isOnly || last.StartsWith(Assignment, StringComparison.Ordinal))
                recipient = last;
            else
                (contentType, recipient) = (last, Take(words));
        }
        if (words.Count > 0)
            return $"The header holds more than it should: {string.Join(' ', words)}";
        message = new HarmonyMessage(role, [])
        {
            Name = role == HarmonyRole.Tool && preset is null ? first : null,
            Recipient =
                recipient?.StartsWith(Assignment, StringComparison.Ordinal) == true
                    ? recipient[Assignment.Length..]
                    : recipient,
            Channel = channel,
            ContentType = contentType,
        };
        return null;
    }

    /// <summary>
    /// Makes a message of a header that <c>&lt;|end|&gt;</c> or its like ended: the words of the header are the
    /// content.
    /// </summary>
    public static string? Recover(TokenText tokenText, List<int> header, HarmonyRole role, out HarmonyMessage? message)
    {
        message = null;
        string? error = Split(tokenText, header, out List<string> words, out string? channel);
        if (error is not null)
            return error;
        DropRole(words, role);
        message = new HarmonyMessage(role, string.Join(' ', words)) { Channel = channel };
        return null;
    }

    private static string? Split(TokenText tokenText, List<int> header, out List<string> words, out string? channel)
    {
        words = [];
        channel = null;
        var bytes = new List<byte>();
        foreach (int token in header)
        {
            if (!tokenText.TryGet(token, out ReadOnlySpan<byte> one))
                return "The header holds an id that is in no vocabulary.";
            bytes.AddRange(one);
        }
        string text;
        try
        {
            text = StrictUtf8.GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            return "The header is not UTF-8.";
        }

        int marker = text.IndexOf(ChannelMarker, StringComparison.Ordinal);
        if (marker >= 0)
        {
            int start = marker + ChannelMarker.Length;
            int end = start;
            while (end < text.Length && text[end] != '<' && !char.IsWhiteSpace(text[end]))
                end++;
            if (end == start)
                return "The header holds a channel marker without a channel.";
            channel = text[start..end];
            text = text[..marker] + text[end..];
        }
        text = text.Trim()
            .Replace(SpecialTokens.ConstrainName, " " + SpecialTokens.ConstrainName, StringComparison.Ordinal)
            .Trim();
        words.AddRange(text.Split(Blanks, StringSplitOptions.RemoveEmptyEntries));
        return null;
    }

    private static void DropRole(List<string> words, HarmonyRole role)
    {
        if (words.Count > 0 && words[0] == role.Word())
            words.RemoveAt(0);
    }

    private static string Take(List<string> words)
    {
        string last = words[^1];
        words.RemoveAt(words.Count - 1);
        return last;
    }
}

using GptOss.Tokenization;

namespace GptOss.Chat;

/// <summary>
/// Encodes text in which the spelling of a special token, such as <c>&lt;|channel|&gt;</c>, means that token. For text
/// that the caller vouches for: everywhere else such a spelling stays text.
/// </summary>
internal static class RawHarmony
{
    /// <summary>The ids of a text, special tokens included.</summary>
    /// <remarks>The time grows with the length of the text, whatever the text spells.</remarks>
    /// <exception cref="OperationCanceledException">The encoding was cancelled.</exception>
    public static List<int> Encode(string text, Tokenizer tokenizer, CancellationToken cancellation)
    {
        var ids = new List<int>();
        int from = 0;
        // The end of a special token is looked for only as far as the longest one reaches, so that a text of many "<|"
        // without an end takes no longer than another.
        int longest = tokenizer.SpecialTokens.Keys.Select(name => name.Length).DefaultIfEmpty(0).Max();
        for (
            int at = text.IndexOf("<|", StringComparison.Ordinal);
            at >= 0;
            at = text.IndexOf("<|", at + 1, StringComparison.Ordinal)
        )
        {
            int end = text.IndexOf("|>", at, Math.Min(longest, text.Length - at), StringComparison.Ordinal);
            if (end < 0)
                continue;
            if (!tokenizer.SpecialTokens.TryGetValue(text[at..(end + 2)], out int special))
                continue;
            ids.AddRange(tokenizer.EncodeCancellable(text[from..at], cancellation));
            ids.Add(special);
            from = end + 2;
        }
        ids.AddRange(tokenizer.EncodeCancellable(text[from..], cancellation));
        return ids;
    }
}

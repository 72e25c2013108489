using GptOss.Tokenization;

namespace GptOss.Chat;

/// <summary>Harmony with its special tokens spelled out, to ids: for text that the caller vouches for.</summary>
internal static class RawHarmony
{
    /// <remarks>Time grows with the length of the text, whatever it spells.</remarks>
    /// <exception cref="OperationCanceledException">The encoding was cancelled.</exception>
    public static List<int> Encode(string text, Tokenizer tokenizer, CancellationToken cancellation)
    {
        var ids = new List<int>();
        int from = 0;
        // A name of a special token is no longer than the longest; what is further away is not looked at.
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

namespace GptOss.Chat;

/// <summary>Harmony with its special tokens spelled out, to ids: for text that the caller vouches for.</summary>
internal static class RawHarmony
{
    public static List<int> Encode(string text, GptOssTokenizer tokenizer)
    {
        var ids = new List<int>();
        int from = 0;
        for (int at = text.IndexOf("<|", StringComparison.Ordinal); at >= 0; at = text.IndexOf("<|", at + 1, StringComparison.Ordinal))
        {
            int end = text.IndexOf("|>", at, StringComparison.Ordinal);
            if (end < 0) break;
            if (!tokenizer.SpecialTokens.TryGetValue(text[at..(end + 2)], out int special)) continue;
            ids.AddRange(tokenizer.Encode(text[from..at]));
            ids.Add(special);
            from = end + 2;
        }
        ids.AddRange(tokenizer.Encode(text[from..]));
        return ids;
    }
}

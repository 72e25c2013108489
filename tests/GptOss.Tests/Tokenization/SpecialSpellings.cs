using GptOss.Tokenization;

namespace GptOss.Tests.Tokenization;

/// <summary>
/// Encodes text in which special tokens are spelled out, as a renderer of trusted text would: cut at the spellings.
/// </summary>
internal static class SpecialSpellings
{
    /// <summary>Ids of a text in which every spelling of a special token means the token.</summary>
    public static List<int> Encode(Tokenizer tokenizer, string text)
    {
        var ids = new List<int>();
        while (text.Length > 0)
        {
            var next = tokenizer
                .SpecialTokens.Select(name =>
                    (At: text.IndexOf(name.Key, StringComparison.Ordinal), name.Key, name.Value)
                )
                .Where(found => found.At >= 0)
                .DefaultIfEmpty((At: text.Length, Key: "", Value: -1))
                .MinBy(found => found.At);
            ids.AddRange(tokenizer.Encode(text[..next.At]));
            if (next.Value >= 0)
                ids.Add(next.Value);
            text = text[(next.At + next.Key.Length)..];
        }
        return ids;
    }

    /// <summary>Decodes what lies between the special ids and encodes it again.</summary>
    public static List<int> Encode(Tokenizer tokenizer, int[] ids)
    {
        var again = new List<int>();
        var text = new List<int>();
        foreach (int id in ids)
        {
            if (!tokenizer.IsSpecial(id))
            {
                text.Add(id);
                continue;
            }
            again.AddRange(tokenizer.Encode(tokenizer.Decode(text)));
            again.Add(id);
            text.Clear();
        }
        again.AddRange(tokenizer.Encode(tokenizer.Decode(text)));
        return again;
    }
}

using System.Text;
using GptOss.Tokenization;

namespace GptOss.Harmony;

/// <summary>
/// Gives the bytes and the text of any token id, special tokens and ids beyond the vocabulary included, so that a
/// parser can read whatever a model writes.
/// </summary>
internal sealed class TokenText
{
    private readonly TokenBytes _bytes;
    private readonly byte[]? _oneMore;

    public TokenText(Tokenizer tokenizer)
    {
        _bytes = tokenizer.Bytes;
        // OpenAI's harmony library names one more reserved token than the model's vocabulary has.
        if (tokenizer == Tokenizer.O200kHarmony)
            _oneMore = Encoding.UTF8.GetBytes($"<|reserved_{_bytes.Count}|>");
    }

    /// <summary>The bytes of a token; false if the id is in no vocabulary.</summary>
    public bool TryGet(int token, out ReadOnlySpan<byte> bytes)
    {
        bool isKnown = (uint)token < (uint)_bytes.Count;
        bytes =
            isKnown ? _bytes[token]
            : token == _bytes.Count ? _oneMore
            : [];
        return isKnown || (token == _bytes.Count && _oneMore is not null);
    }

    /// <summary>The text of several tokens, with U+FFFD for unknown ids and for bytes that are not UTF-8.</summary>
    public string Lossy(ReadOnlySpan<int> tokens)
    {
        var all = new List<byte>(tokens.Length * 4);
        foreach (int token in tokens)
        {
            if (TryGet(token, out ReadOnlySpan<byte> bytes))
                all.AddRange(bytes);
            else
                all.AddRange("\uFFFD"u8);
        }
        return Encoding.UTF8.GetString([.. all]);
    }
}

using System.Text;
using GptOss.Tokenization;

namespace GptOss.Harmony;

/// <summary>The bytes of any id whatever, in the vocabulary or not.</summary>
internal sealed class TokenText
{
    private readonly TokenBytes _bytes;
    private readonly byte[]? _oneMore;

    public TokenText(Tokenizer tokenizer)
    {
        _bytes = tokenizer.Bytes;
        // The reference library names one more reserved token than the model has rows for.
        if (tokenizer == Tokenizer.O200kHarmony)
            _oneMore = Encoding.UTF8.GetBytes($"<|reserved_{_bytes.Count}|>");
    }

    /// <summary>False if the id is in no vocabulary.</summary>
    public bool TryGet(int token, out ReadOnlySpan<byte> bytes)
    {
        bool isKnown = (uint)token < (uint)_bytes.Count;
        bytes =
            isKnown ? _bytes[token]
            : token == _bytes.Count ? _oneMore
            : [];
        return isKnown || (token == _bytes.Count && _oneMore is not null);
    }

    /// <summary>The bytes together; false if an id is in no vocabulary.</summary>
    public bool TryGet(IEnumerable<int> tokens, out byte[] bytes)
    {
        var all = new List<byte>();
        bool areKnown = true;
        foreach (int token in tokens)
        {
            areKnown &= TryGet(token, out ReadOnlySpan<byte> one);
            all.AddRange(one);
        }
        bytes = [.. all];
        return areKnown;
    }

    /// <summary>The text, with U+FFFD for what is none.</summary>
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

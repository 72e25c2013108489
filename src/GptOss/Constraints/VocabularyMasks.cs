using System.Runtime.CompilerServices;
using System.Text;
using GptOss.Sampling;
using GptOss.Tokenization;

namespace GptOss.Constraints;

/// <summary>
/// What masks need to know of a vocabulary, made once for each: the tokens as tries, and which of them a text survives
/// that goes on with some number of plain characters, whichever they are.
/// </summary>
/// <remarks>
/// Plain characters are those that stand for themselves in every JSON string: all but <c>"</c>, <c>\</c>, those below
/// U+0020, U+2028 and U+2029. Of o200k_harmony 194,031 tokens are made of nothing else. Special tokens are in no trie.
/// </remarks>
internal sealed class VocabularyMasks
{
    private static readonly ConditionalWeakTable<Tokenizer, Lazy<VocabularyMasks>> Made = [];

    private readonly ulong[][] _plainUpTo;

    private VocabularyMasks(Tokenizer tokenizer)
    {
        Bytes = tokenizer.Bytes;
        Size = tokenizer.VocabularySize;
        List<int> plain = [],
            rest = [];
        var lengths = new List<int>();
        for (int id = 0; id < Bytes.Count; id++)
        {
            ReadOnlySpan<byte> text = Bytes[id];
            if (text.IsEmpty || tokenizer.IsSpecial(id))
                continue;
            if (PlainLength(text) is var length and > 0)
            {
                plain.Add(id);
                lengths.Add(length);
            }
            else
                rest.Add(id);
        }
        _plainUpTo = UpTo(plain, lengths);
        All = [.. _plainUpTo[^1]];
        foreach (int id in rest)
            All[id / 64] |= 1UL << (id % 64);
        Plain = new TokenTrie([.. plain], Bytes);
        Rest = new TokenTrie([.. rest], Bytes);
    }

    /// <summary>The bytes of each token.</summary>
    public TokenBytes Bytes { get; }

    /// <summary>Ids run from 0 to <c>Size - 1</c>.</summary>
    public int Size { get; }

    /// <summary>The tokens of plain characters.</summary>
    public TokenTrie Plain { get; }

    /// <summary>All other tokens but the special ones.</summary>
    public TokenTrie Rest { get; }

    /// <summary>All tokens but the special ones, a bit for each id.</summary>
    public ulong[] All { get; }

    /// <summary>The most characters of a plain token.</summary>
    public int LongestPlain => _plainUpTo.Length - 1;

    /// <summary>
    /// The masks of a vocabulary; made at the first call, which takes a tenth of a second for o200k_harmony. Calls that
    /// come meanwhile wait for it.
    /// </summary>
    public static VocabularyMasks Of(Tokenizer tokenizer) => Made.GetValue(tokenizer, key => new(() => new(key))).Value;

    /// <summary>The tokens with at most that number of plain characters, a bit for each id.</summary>
    public ReadOnlySpan<ulong> PlainUpTo(int characters) => _plainUpTo[Math.Min(characters, LongestPlain)];

    private ulong[][] UpTo(List<int> plain, List<int> lengths)
    {
        var upTo = new ulong[lengths.DefaultIfEmpty().Max() + 1][];
        var byLength = new List<int>[upTo.Length];
        for (int i = 0; i < plain.Count; i++)
            (byLength[lengths[i]] ??= []).Add(plain[i]);
        upTo[0] = new ulong[TokenMask.Words(Size)];
        for (int length = 1; length < upTo.Length; length++)
        {
            upTo[length] = upTo[length - 1];
            if (byLength[length] is not { } added)
                continue;
            upTo[length] = [.. upTo[length]];
            foreach (int id in added)
                upTo[length][id / 64] |= 1UL << (id % 64);
        }
        return upTo;
    }

    // The number of characters of a token of whole plain characters, else 0.
    private static int PlainLength(ReadOnlySpan<byte> text)
    {
        int length = 0;
        for (; !text.IsEmpty; length++)
        {
            if (Rune.DecodeFromUtf8(text, out Rune rune, out int bytes) != System.Buffers.OperationStatus.Done)
                return 0;
            if (rune.Value is < ' ' or '"' or '\\' or 0x2028 or 0x2029)
                return 0;
            text = text[bytes..];
        }
        return length;
    }
}

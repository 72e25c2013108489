using System.Numerics;

namespace GptOss.Sampling;

/// <summary>How a <see cref="TokenMask"/> holds its set.</summary>
internal enum TokenMaskForm
{
    /// <summary>The ids of the allowed tokens, because they are few.</summary>
    Allowed,

    /// <summary>The ids of the forbidden tokens, because they are few.</summary>
    Forbidden,

    /// <summary>One bit for each token, set where it is allowed.</summary>
    Bits,
}

/// <summary>The tokens of a vocabulary that may come next. Immutable, in the smallest of three forms.</summary>
internal sealed class TokenMask
{
    /// <summary>The most ids of a list: 8 KB, where the bits of o200k_harmony have 25 KB.</summary>
    public const int MostIds = 2_000;

    private readonly int[] _ids;
    private readonly ulong[] _bits;

    private TokenMask(TokenMaskForm form, int vocabularySize, int count, int[] ids, ulong[] bits) =>
        (Form, VocabularySize, Count, _ids, _bits) = (form, vocabularySize, count, ids, bits);

    /// <summary>How the set is held.</summary>
    public TokenMaskForm Form { get; }

    /// <summary>Ids run from 0 to <c>VocabularySize - 1</c>; no other is allowed.</summary>
    public int VocabularySize { get; }

    /// <summary>How many tokens are allowed.</summary>
    public int Count { get; }

    /// <summary>The ids that are allowed, or those that are forbidden, as the form says; ascending.</summary>
    public ReadOnlySpan<int> Ids => _ids;

    /// <summary>Bit <c>id % 64</c> of word <c>id / 64</c> is set where a token is allowed; empty in the forms of
    /// lists.</summary>
    public ReadOnlySpan<ulong> Bits => _bits;

    /// <summary>The bytes of memory that the mask takes, its lists included.</summary>
    public long Bytes => 64 + (long)_ids.Length * sizeof(int) + (long)_bits.Length * sizeof(ulong);

    /// <summary>The number of words that hold one bit for each token of a vocabulary.</summary>
    public static int Words(int vocabularySize) => (vocabularySize + 63) / 64;

    /// <summary>The set of the given bits in its smallest form.</summary>
    /// <param name="bits">One for each token, clear beyond the vocabulary; copied where the form needs them.</param>
    /// <param name="vocabularySize">The number of tokens of the vocabulary.</param>
    public static TokenMask Of(ReadOnlySpan<ulong> bits, int vocabularySize)
    {
        int count = 0;
        foreach (ulong word in bits)
            count += BitOperations.PopCount(word);
        int most = Math.Min(MostIds, bits.Length * 2);
        TokenMaskForm form =
            count <= most ? TokenMaskForm.Allowed
            : vocabularySize - count <= most ? TokenMaskForm.Forbidden
            : TokenMaskForm.Bits;
        return Of(bits, vocabularySize, count, form);
    }

    /// <summary>The same set in another form, so that tests can compare what is chosen by each.</summary>
    public TokenMask As(TokenMaskForm form)
    {
        var bits = new ulong[Words(VocabularySize)];
        for (int id = 0; id < VocabularySize; id++)
            if (Allows(id))
                bits[id / 64] |= 1UL << (id % 64);
        return Of(bits, VocabularySize, Count, form);
    }

    /// <summary>Whether a token may come next.</summary>
    public bool Allows(int id) =>
        (uint)id < (uint)VocabularySize
        && Form switch
        {
            TokenMaskForm.Allowed => Array.BinarySearch(_ids, id) >= 0,
            TokenMaskForm.Forbidden => Array.BinarySearch(_ids, id) < 0,
            _ => (_bits[id / 64] >> (id % 64) & 1) != 0,
        };

    /// <summary>Sets the bits of the allowed tokens.</summary>
    public void AddTo(Span<ulong> bits)
    {
        if (Form == TokenMaskForm.Allowed)
            foreach (int id in _ids)
                bits[id / 64] |= 1UL << (id % 64);
        else if (Form == TokenMaskForm.Bits)
            for (int word = 0; word < bits.Length; word++)
                bits[word] |= _bits[word];
        else
            AddAllBut(_ids, bits, VocabularySize);
    }

    // Word by word, since a forbidden token may be set already.
    private static void AddAllBut(ReadOnlySpan<int> forbidden, Span<ulong> bits, int vocabularySize)
    {
        for (int word = 0; word * 64 < vocabularySize; word++)
        {
            ulong allowed = vocabularySize - word * 64 < 64 ? (1UL << (vocabularySize % 64)) - 1 : ulong.MaxValue;
            for (; !forbidden.IsEmpty && forbidden[0] / 64 == word; forbidden = forbidden[1..])
                allowed &= ~(1UL << (forbidden[0] % 64));
            bits[word] |= allowed;
        }
    }

    private static TokenMask Of(ReadOnlySpan<ulong> bits, int vocabularySize, int count, TokenMaskForm form) =>
        form switch
        {
            TokenMaskForm.Allowed => new(form, vocabularySize, count, Listed(bits, vocabularySize, count, 0), []),
            TokenMaskForm.Forbidden => new(
                form,
                vocabularySize,
                count,
                Listed(bits, vocabularySize, vocabularySize - count, ulong.MaxValue),
                []
            ),
            _ => new(form, vocabularySize, count, [], bits.ToArray()),
        };

    // The ids whose bit is set after each word is turned over where the flip has ones.
    private static int[] Listed(ReadOnlySpan<ulong> bits, int vocabularySize, int count, ulong flip)
    {
        var ids = new int[count];
        int at = 0;
        for (int word = 0; word < bits.Length; word++)
        for (ulong rest = bits[word] ^ flip; rest != 0; rest &= rest - 1)
        {
            int id = word * 64 + BitOperations.TrailingZeroCount(rest);
            if (id < vocabularySize)
                ids[at++] = id;
        }
        return ids;
    }
}

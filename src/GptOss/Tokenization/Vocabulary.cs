namespace GptOss.Tokenization;

/// <summary>
/// All that a tokenizer knows: how text becomes ids, what bytes an id stands for, and which ids have a name instead.
/// </summary>
internal sealed class Vocabulary(BytePairEncoder encoder, TokenBytes bytes, IReadOnlyDictionary<string, int> specials)
{
    private readonly HashSet<int> _special = [.. specials.Values];

    /// <summary>Turns text into ids, none of them special.</summary>
    public BytePairEncoder Encoder { get; } = encoder;

    /// <summary>The bytes that each id stands for.</summary>
    public TokenBytes Bytes { get; } = bytes;

    /// <summary>The id of each special token, by its name.</summary>
    public IReadOnlyDictionary<string, int> Specials { get; } = specials;

    public bool IsSpecial(int token) => _special.Contains(token);
}

namespace GptOss.Tokenization;

/// <summary>
/// All that a tokenizer knows: how text becomes ids, what bytes an id stands for, and which ids have a name instead.
/// </summary>
internal sealed class Vocabulary(BytePairEncoder encoder, TokenBytes bytes, IReadOnlyDictionary<string, int> specials)
{
    private readonly HashSet<int> _special = [.. specials.Values];

    /// <summary>Text → ids, none of them special.</summary>
    public BytePairEncoder Encoder { get; } = encoder;

    /// <summary>Id → bytes.</summary>
    public TokenBytes Bytes { get; } = bytes;

    /// <summary>Name → id of each special token.</summary>
    public IReadOnlyDictionary<string, int> Specials { get; } = specials;

    public bool IsSpecial(int token) => _special.Contains(token);
}

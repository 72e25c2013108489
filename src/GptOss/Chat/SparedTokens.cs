using System.Buffers;
using GptOss.Harmony;
using GptOss.Sampling;
using GptOss.Tokenization;

namespace GptOss.Chat;

/// <summary>
/// The tokens that no penalty for repetition touches. A marker that has come before, or a quote, would else become
/// ever less likely, and a string would never end.
/// </summary>
/// <param name="special">The markers and the vocabulary.</param>
internal sealed class SparedTokens(SpecialTokens special)
{
    private static readonly SearchValues<byte> Structural = SearchValues.Create("{}[]\",: \t\r\n"u8);

    private readonly Lazy<TokenMask> _markers = new(() => Of(special, hasStructure: false)),
        _structure = new(() => Of(special, hasStructure: true));

    /// <summary>The markers of the chat format.</summary>
    public TokenMask Markers => _markers.Value;

    /// <summary>The markers, and the tokens made of the punctuation of JSON and white space alone.</summary>
    public TokenMask Structure => _structure.Value;

    private static TokenMask Of(SpecialTokens special, bool hasStructure)
    {
        Tokenizer tokenizer = special.Tokenizer;
        var bits = new ulong[TokenMask.Words(tokenizer.VocabularySize)];
        foreach (int marker in TurnGrammar.MarkersOf(special))
            bits[marker / 64] |= 1UL << (marker % 64);
        for (int id = 0; hasStructure && id < tokenizer.VocabularySize; id++)
            if (
                !tokenizer.IsSpecial(id)
                && tokenizer.Bytes[id] is { IsEmpty: false } bytes
                && !bytes.ContainsAnyExcept(Structural)
            )
                bits[id / 64] |= 1UL << (id % 64);
        return TokenMask.Of(bits, tokenizer.VocabularySize);
    }
}

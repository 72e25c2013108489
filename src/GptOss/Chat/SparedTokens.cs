using System.Buffers;
using GptOss.Harmony;
using GptOss.Sampling;
using GptOss.Tokenization;

namespace GptOss.Chat;

/// <summary>
/// The tokens that no penalty for repetition touches. A marker that has come before, or a quote, would else become
/// ever less likely, and a string would never end.
/// </summary>
internal sealed class SparedTokens
{
    private static readonly SearchValues<byte> Structural = SearchValues.Create("{}[]\",: \t\r\n"u8);

    /// <param name="special">The markers and the vocabulary, all of which is looked at.</param>
    public SparedTokens(SpecialTokens special) =>
        (Markers, Structure) = (Of(special, hasStructure: false), Of(special, hasStructure: true));

    /// <summary>The markers of the chat format.</summary>
    public TokenMask Markers { get; }

    /// <summary>The markers, and the tokens made of the punctuation of JSON and white space alone.</summary>
    public TokenMask Structure { get; }

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

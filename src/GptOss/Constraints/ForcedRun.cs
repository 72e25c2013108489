using System.Runtime.InteropServices;
using System.Text;
using GptOss.Tokenization;

namespace GptOss.Constraints;

/// <summary>
/// What can only follow: bytes and markers of which each is the only one, as the tokens that a model would write.
/// </summary>
/// <remarks>
/// The last tokens of a run may be the beginning of longer ones that the model would rather write, as <c>"</c> is of
/// <c>":</c>. Such a token is not taken: what cannot be taken for certain is left to be chosen. So nothing that was
/// written is ever taken back.
/// </remarks>
internal readonly struct ForcedRun(Tokenizer tokenizer, VocabularyMasks vocabulary, int[] markers)
{
    // A turn's headers and keys are far shorter; a grammar could force a text without end.
    private const int MostSymbols = 4_096;

    /// <summary>The tokens that can only follow.</summary>
    public List<int> Of(ConstraintState state)
    {
        List<int> tokens = [];
        List<byte> text = [];
        // Only whole characters are encoded: of one whose bytes are not all forced, none is taken.
        int whole = 0,
            left = 0;
        ConstraintState end = state;
        for (int symbols = 0; symbols < MostSymbols && !state.IsComplete; symbols++)
        {
            int symbol = state.Grammar.Forced(state.Grammar.Current(state.Configuration));
            if (symbol < 0 || !state.TryAdvance(symbol, out state))
                break;
            if (symbol >= 256)
            {
                tokens.AddRange(Encode(text));
                tokens.Add(markers[symbol - 256]);
                text.Clear();
                whole = 0;
                end = state;
                continue;
            }
            if (symbol is >= 0x80 and < 0xC0 && left == 0)
                break; // the character began before the run
            text.Add((byte)symbol);
            left = symbol switch
            {
                < 0x80 => 0,
                < 0xC0 => left - 1,
                < 0xE0 => 1,
                < 0xF0 => 2,
                _ => 3,
            };
            if (left == 0)
                (whole, end) = (text.Count, state);
        }
        AddCertain(text[..whole], end, tokens);
        return tokens;
    }

    private IReadOnlyList<int> Encode(List<byte> text) =>
        text.Count == 0 ? [] : tokenizer.Encode(Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(text)));

    // The tokens of a text at the end of a run, up to one that could go on past it.
    private void AddCertain(List<byte> text, ConstraintState end, List<int> tokens)
    {
        ReadOnlySpan<byte> rest = CollectionsMarshal.AsSpan(text);
        foreach (int token in Encode(text))
        {
            if (GoesOn(vocabulary.Plain, rest, end) || GoesOn(vocabulary.Rest, rest, end))
                return;
            tokens.Add(token);
            rest = rest[vocabulary.Bytes[token].Length..];
        }
    }

    // Whether a token begins with a text and goes on with a byte that may follow it.
    private static bool GoesOn(TokenTrie trie, ReadOnlySpan<byte> text, ConstraintState end)
    {
        int node = 0,
            last = trie.Count;
        foreach (byte label in text)
        {
            while (node < last && trie.Labels[node] != label)
                node = trie.Skips[node];
            if (node >= last)
                return false;
            last = trie.Skips[node];
            node++;
        }
        for (; node < last; node = trie.Skips[node])
            if (end.TryAdvance(trie.Labels[node], out _))
                return true;
        return false;
    }
}

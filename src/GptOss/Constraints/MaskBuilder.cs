using GptOss.Constraints.Walkers;
using GptOss.Sampling;

namespace GptOss.Constraints;

/// <summary>
/// Works out which tokens may follow a text: those whose bytes, one after the other, the grammar lets come. Used under
/// the lock of the grammar; holds buffers, so that only the mask is made anew.
/// </summary>
internal sealed class MaskBuilder(VocabularyMasks vocabulary)
{
    private readonly ulong[] _bits = new ulong[TokenMask.Words(vocabulary.Size)];
    private readonly Configuration?[][] _rows = new Configuration?[vocabulary.Bytes.Longest + 1][];
    private readonly Configuration[] _way = new Configuration[vocabulary.Bytes.Longest + 1];

    /// <summary>Whether the last mask depended on a recorded text, so that it is no other text's.</summary>
    public bool DependedOnText { get; private set; }

    /// <summary>The tokens that may follow.</summary>
    /// <param name="state">The text so far.</param>
    /// <param name="standing">The configuration that stands for the text's own in masks, or that itself.</param>
    /// <param name="markers">The token of each marker.</param>
    public TokenMask Build(ConstraintState state, Configuration standing, ReadOnlySpan<int> markers)
    {
        DependedOnText = false;
        if (standing.IsFree)
            vocabulary.All.CopyTo(_bits, 0);
        else
        {
            Survivors(standing).CopyTo(_bits);
            Walk(vocabulary.Rest, state, standing);
            if (NeedsPlain(standing))
                Walk(vocabulary.Plain, state, standing);
        }
        for (int marker = 0; marker < markers.Length; marker++)
            if (!ReferenceEquals(state.Grammar.Next(standing, 256 + marker), Configuration.Dead))
                Set(markers[marker]);
        return TokenMask.Of(_bits, vocabulary.Size);
    }

    // The plain tokens that some reading surely survives.
    private ReadOnlySpan<ulong> Survivors(Configuration standing)
    {
        int most = 0;
        foreach (ref readonly Reading reading in standing.Readings.AsSpan())
            most = Math.Max(most, reading.Walker.Survives(reading, out _));
        return vocabulary.PlainUpTo(most);
    }

    // Not where one reading survives every token, or where each says exactly which it survives.
    private bool NeedsPlain(Configuration standing)
    {
        bool isExact = true;
        foreach (ref readonly Reading reading in standing.Readings.AsSpan())
        {
            if (reading.Walker.Survives(reading, out bool isReadingExact) >= vocabulary.LongestPlain)
                return false;
            isExact &= isReadingExact;
        }
        return !isExact;
    }

    private void Walk(TokenTrie trie, ConstraintState state, Configuration standing)
    {
        Grammar grammar = state.Grammar;
        byte[] labels = trie.Labels;
        ushort[] depths = trie.Depths;
        int[] skips = trie.Skips,
            tokens = trie.Tokens;
        Configuration?[][] rows = _rows;
        ulong[] bits = _bits;
        rows[0] = grammar.RowOf(standing);
        _way[0] = standing;
        for (int node = 0; node < labels.Length; )
        {
            int depth = depths[node],
                label = labels[node];
            Configuration next = rows[depth - 1][label] ?? grammar.Next(_way[depth - 1], label);
            if (ReferenceEquals(next, Configuration.Dead))
            {
                node = skips[node];
                continue;
            }
            if (ReferenceEquals(next, Configuration.Ask))
            {
                TryEach(trie, node, state);
                node = skips[node];
                continue;
            }
            int token = tokens[node];
            if (token >= 0)
                bits[token >> 6] |= 1UL << token;
            if (skips[node] > ++node)
            {
                _way[depth] = next;
                rows[depth] = grammar.RowOf(next);
            }
        }
    }

    // The tokens below a node, byte by byte with the recorded text.
    private void TryEach(TokenTrie trie, int node, ConstraintState state)
    {
        DependedOnText = true;
        for (int end = trie.Skips[node]; node < end; node++)
            if (trie.Tokens[node] is var token and >= 0 && state.TryAdvance(vocabulary.Bytes[token], out _))
                Set(token);
    }

    private void Set(int token) => _bits[token / 64] |= 1UL << (token % 64);
}

using System.Runtime.InteropServices;
using GptOss.Constraints.Walkers;
using GptOss.Sampling;

namespace GptOss.Constraints;

/// <summary>
/// Works out which tokens may follow a text: those whose bytes, one after the other, the grammar lets come. Used under
/// the lock of the grammar; holds buffers, so that only the mask is made anew.
/// </summary>
internal sealed class MaskBuilder(Grammar grammar, VocabularyMasks vocabulary)
{
    private readonly ulong[] _bits = new ulong[TokenMask.Words(vocabulary.Size)];
    private readonly Configuration[] _way = new Configuration[vocabulary.Bytes.Longest + 1];
    private readonly ushort[][] _columns = new ushort[vocabulary.Bytes.Longest + 1][];
    private readonly int[][] _targets = new int[vocabulary.Bytes.Longest + 1][];
    private readonly List<Reading> _others = [];
    private readonly PlainTexts _plainTexts = new(grammar, vocabulary);

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
            AddPlain(state, standing);
            Walk(vocabulary.Rest, state, standing);
        }
        for (int marker = 0; marker < markers.Length; marker++)
            if (grammar.Next(standing, 256 + marker) != Configuration.Dead)
                Set(markers[marker]);
        return TokenMask.Of(_bits, vocabulary.Size);
    }

    // Some plain tokens a reading survives surely, whichever they are; of others the text says it once for all places.
    // Only for the rest of the readings the tokens are walked.
    private void AddPlain(ConstraintState state, Configuration standing)
    {
        vocabulary.PlainUpTo(standing.Survives).CopyTo(_bits);
        if (standing.Survives >= vocabulary.LongestPlain)
            return;
        _others.Clear();
        foreach (ref readonly Reading reading in standing.Readings.AsSpan())
            if (!reading.Walker.IsPlainInside(reading, out SpelledText? text))
                _others.Add(reading);
            else if (text is not null)
                _plainTexts.Of(text, reading.Register).AddTo(_bits);
        if (_others.Count > 0)
            Walk(vocabulary.Plain, state, grammar.Part(CollectionsMarshal.AsSpan(_others)));
    }

    private void Walk(TokenTrie trie, ConstraintState state, Configuration from)
    {
        byte[] labels = trie.Labels;
        ushort[] depths = trie.Depths;
        int[] skips = trie.Skips,
            tokens = trie.Tokens;
        ushort[][] columns = _columns;
        int[][] targets = _targets;
        ulong[] bits = _bits;
        bool isPlain = trie == vocabulary.Plain;
        Enter(from, 0);
        for (int node = 0; node < labels.Length; )
        {
            int depth = depths[node],
                label = labels[node],
                target = targets[depth - 1][columns[depth - 1][label]];
            if (target == Configuration.Unknown)
                target = grammar.Next(_way[depth - 1], label);
            if (target < 0)
            {
                if (target == Configuration.Ask)
                    TryEach(trie, node, state);
                node = skips[node];
                continue;
            }
            int token = tokens[node];
            if (token >= 0)
                bits[token >> 6] |= 1UL << token;
            int end = skips[node++];
            if (end == node)
                continue;
            Configuration behind = grammar.Numbered(target);
            if (isPlain && behind.Survives >= trie.Reaches[node - 1])
            {
                trie.AddAll(bits, node, end);
                node = end;
            }
            else
                Enter(behind, depth);
        }
    }

    private void Enter(Configuration configuration, int depth)
    {
        grammar.Charge(configuration);
        grammar.EnsureRow(configuration);
        (_way[depth], _columns[depth], _targets[depth]) = (
            configuration,
            configuration.Columns!,
            configuration.Targets
        );
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

namespace GptOss.Constraints.Regular;

/// <summary>What can be said of the rests of a text, for each state of an automaton.</summary>
internal sealed class DfaMeasures
{
    /// <summary>A length or a number without bound.</summary>
    public const int Endless = int.MaxValue;

    private readonly int[] _shortest;
    private readonly int[] _longest;
    private readonly long[] _counts;
    private readonly int[] _plainLives;

    /// <summary>Measures every state of an automaton, in time proportional to its edges.</summary>
    /// <param name="dfa">A trimmed automaton, which may be empty.</param>
    public DfaMeasures(DfaStates dfa)
    {
        var graph = new DfaGraph(dfa);
        _shortest = graph.DistancesTo(dfa.Accepts);
        (_longest, _counts) = MeasureRests(dfa, graph);
        _plainLives = PlainLives(dfa, graph);
    }

    /// <summary>The fewest code points that a text still needs in a state.</summary>
    public int Shortest(int state) => _shortest[state];

    /// <summary>The most code points that a text can still have in a state, or <see cref="Endless"/>.</summary>
    public int Longest(int state) => _longest[state];

    /// <summary>
    /// How many rests a text can have in a state; <see cref="long.MaxValue"/> for more or endlessly many.
    /// </summary>
    public long Texts(int state) => _counts[state];

    /// <summary>
    /// How many plain characters, whichever they are, a text surely survives in a state; <see cref="Endless"/> where
    /// plain characters never lead out of such states. Plain are all but <c>"</c>, <c>\</c>, those below U+0020,
    /// U+2028 and U+2029.
    /// </summary>
    public int PlainLife(int state) => _plainLives[state];

    private static (int[] Longest, long[] Texts) MeasureRests(DfaStates dfa, DfaGraph graph)
    {
        var longest = new int[dfa.Count];
        var texts = new long[dfa.Count];
        Array.Fill(longest, Endless);
        Array.Fill(texts, long.MaxValue);
        foreach (int state in graph.FromTheEnds())
        {
            int length = 0;
            Int128 count = dfa.Accepts(state) ? 1 : 0;
            foreach (DfaEdge edge in dfa.Edges(state))
            {
                length = Math.Max(length, longest[edge.Target] + 1);
                count += (Int128)texts[edge.Target] * (edge.Last - edge.First + 1);
            }
            longest[state] = length;
            texts[state] = (long)Int128.Min(count, long.MaxValue);
        }
        return (longest, texts);
    }

    // A state is at distance 0 from death where some plain character is refused.
    private static int[] PlainLives(DfaStates dfa, DfaGraph graph) =>
        graph.DistancesTo(
            state => PlainCharacters.In(dfa.Edges(state)) < PlainCharacters.Count,
            edge => PlainCharacters.In(edge) > 0
        );
}

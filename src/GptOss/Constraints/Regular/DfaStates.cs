namespace GptOss.Constraints.Regular;

/// <summary>The states of a deterministic automaton and their edges. Immutable.</summary>
/// <param name="edges">The edges of state 0, then those of state 1 and so on, each sorted and disjoint.</param>
/// <param name="ends">Where the edges of each state end.</param>
/// <param name="accepting">Whether a text may end in each state.</param>
internal abstract class DfaStates(DfaEdge[] edges, int[] ends, bool[] accepting)
{
    /// <summary>Number of states; 0 for the empty language.</summary>
    public int Count => accepting.Length;

    /// <summary>Number of edges of all states.</summary>
    public int EdgeCount => edges.Length;

    /// <summary>About how many bytes the automaton takes, with what is measured of its states.</summary>
    public long Bytes => 12L * EdgeCount + 25L * Count;

    /// <summary>Whether a text may end in this state.</summary>
    public bool Accepts(int state) => accepting[state];

    /// <summary>The edges of a state, sorted by code point, without overlap and without surrogates.</summary>
    public ReadOnlySpan<DfaEdge> Edges(int state)
    {
        int start = state == 0 ? 0 : ends[state - 1];
        return edges.AsSpan(start, ends[state] - start);
    }
}

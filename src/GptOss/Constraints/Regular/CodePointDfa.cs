namespace GptOss.Constraints.Regular;

/// <summary>
/// A deterministic automaton over Unicode scalar values: a regular language. Immutable. Every state is reached from
/// the start and reaches an accepting state, so the empty language has no state at all.
/// </summary>
internal sealed class CodePointDfa
{
    /// <summary>The state in which every text begins.</summary>
    public const int Start = 0;

    /// <summary>What <see cref="Next"/> gives where no text goes on.</summary>
    public const int Dead = -1;

    private readonly DfaEdge[] _edges;
    private readonly int[] _ends;
    private readonly bool[] _accepting;

    /// <param name="edges">The edges of state 0, then those of state 1 and so on, each sorted and disjoint.</param>
    /// <param name="ends">Where the edges of each state end.</param>
    /// <param name="accepting">Whether a text may end in each state.</param>
    internal CodePointDfa(DfaEdge[] edges, int[] ends, bool[] accepting) =>
        (_edges, _ends, _accepting) = (edges, ends, accepting);

    /// <summary>Number of states; 0 for the empty language.</summary>
    public int Count => _accepting.Length;

    /// <summary>Whether no text belongs to the language.</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>Whether a text may end in this state.</summary>
    public bool Accepts(int state) => _accepting[state];

    /// <summary>The edges of a state, sorted by code point, without overlap.</summary>
    public ReadOnlySpan<DfaEdge> Edges(int state)
    {
        int start = state == 0 ? 0 : _ends[state - 1];
        return _edges.AsSpan(start, _ends[state] - start);
    }

    /// <summary>The state behind a code point, or <see cref="Dead"/>.</summary>
    public int Next(int state, int codePoint)
    {
        ReadOnlySpan<DfaEdge> edges = Edges(state);
        int low = 0,
            high = edges.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (edges[middle].Last < codePoint)
                low = middle + 1;
            else
                high = middle;
        }
        return low < edges.Length && edges[low].First <= codePoint ? edges[low].Target : Dead;
    }

    /// <summary>Whether a text belongs to the language. A lone surrogate belongs to none.</summary>
    public bool Accepts(string text)
    {
        if (IsEmpty)
            return false;
        int state = Start;
        foreach (System.Text.Rune rune in text.EnumerateRunes())
            if ((state = Next(state, rune.Value)) == Dead)
                return false;
        return Accepts(state);
    }
}

/// <summary>An edge of a <see cref="CodePointDfa"/>: the code points from the first to the last lead to the target.</summary>
internal readonly record struct DfaEdge(int First, int Last, int Target);

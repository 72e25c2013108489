using System.Runtime.InteropServices;
using System.Text;

namespace GptOss.Constraints.Regular;

/// <summary>Builds the smallest automaton of a list of texts, with one pass over the sorted list.</summary>
/// <remarks>
/// Only the path of the latest text is open. Once the next text leaves the path, the states behind the fork can no
/// longer change, and each is joined with an earlier state that has the same edges. Source: J. Daciuk and others,
/// "Incremental construction of minimal acyclic finite-state automata", Computational Linguistics 26 (2000). Closed
/// states are flat lists and not objects, for a megabyte of texts can have a million of them.
/// </remarks>
internal sealed class TextTrie : IEqualityComparer<int>
{
    private readonly List<DfaEdge> _edges = []; // Of the closed states, each with the edges before its end.
    private readonly List<int> _ends = [];
    private readonly List<bool> _accepting = [];
    private readonly HashSet<int> _closed;
    private readonly List<DfaEdge> _path = []; // Of the open states, from the root on: those below came later.
    private readonly List<int> _counts = [0]; // How many edges each open state has.
    private readonly List<bool> _isEnd = [false];
    private int _depth;

    // Room for all that there can be: growing step by step would make it three times.
    private TextTrie(int states)
    {
        _closed = new(states, this);
        _edges.EnsureCapacity(states);
        _ends.EnsureCapacity(states);
        _accepting.EnsureCapacity(states);
    }

    /// <summary>The automaton of a list of texts in any order, without those that hold a lone surrogate.</summary>
    public static CodePointDfa Build(IEnumerable<string> texts)
    {
        int[][] sorted = [.. texts.Where(IsWellFormed).Select(CodePoints)];
        if (sorted.Length == 0)
            return CodePointDfa.Nothing;
        var trie = new TextTrie(1 + sorted.Sum(text => text.Length));
        Array.Sort(sorted, (a, b) => a.AsSpan().SequenceCompareTo(b));
        int[] last = [];
        foreach (int[] text in sorted)
        {
            trie.CloseBelow(text.AsSpan().CommonPrefixLength(last));
            trie.Open(text);
            last = text;
        }
        trie.CloseBelow(0);
        trie.Close(0);
        return trie.ToDfa();
    }

    /// <inheritdoc/>
    public bool Equals(int x, int y) => _accepting[x] == _accepting[y] && EdgesOf(x).SequenceEqual(EdgesOf(y));

    /// <inheritdoc/>
    public int GetHashCode(int state)
    {
        int hash = _accepting[state] ? 1 : 0;
        foreach (DfaEdge edge in EdgesOf(state))
            hash = HashCode.Combine(hash, edge.First, edge.Target);
        return hash;
    }

    /// <summary>Whether a text has no half of a surrogate pair alone.</summary>
    public static bool IsWellFormed(string text)
    {
        for (int at = 0; at < text.Length; at += char.IsHighSurrogate(text[at]) ? 2 : 1)
            if (!Rune.TryGetRuneAt(text, at, out _))
                return false;
        return true;
    }

    private static int[] CodePoints(string text)
    {
        int pairs = 0;
        foreach (char unit in text)
            pairs += char.IsHighSurrogate(unit) ? 1 : 0;
        var codePoints = new int[text.Length - pairs];
        int count = 0;
        foreach (Rune rune in text.EnumerateRunes())
            codePoints[count++] = rune.Value;
        return codePoints;
    }

    private void Open(ReadOnlySpan<int> text)
    {
        foreach (int codePoint in text[_depth..])
        {
            _path.Add(new(codePoint, codePoint, CodePointDfa.Dead));
            _counts[_depth++]++;
            _counts.Add(0);
            _isEnd.Add(false);
        }
        _isEnd[_depth] = true;
    }

    private void CloseBelow(int depth)
    {
        for (; _depth > depth; _depth--)
        {
            int number = Close(_depth);
            _counts.RemoveAt(_depth);
            _isEnd.RemoveAt(_depth);
            _path[^1] = _path[^1] with { Target = number };
        }
    }

    // The number of the state at a depth of the path, or of an equal one that is closed.
    private int Close(int depth)
    {
        int number = _ends.Count;
        int begin = _path.Count - _counts[depth];
        foreach (DfaEdge edge in CollectionsMarshal.AsSpan(_path)[begin..])
            if (_edges.Count > StartOf(number) && _edges[^1].Target == edge.Target && _edges[^1].Last + 1 == edge.First)
                _edges[^1] = _edges[^1] with { Last = edge.Last };
            else
                _edges.Add(edge);
        _ends.Add(_edges.Count);
        _accepting.Add(_isEnd[depth]);
        _path.RemoveRange(begin, _counts[depth]);
        if (!_closed.TryGetValue(number, out int equal))
        {
            _closed.Add(number);
            return number;
        }
        _edges.RemoveRange(StartOf(number), _edges.Count - StartOf(number));
        _ends.RemoveAt(number);
        _accepting.RemoveAt(number);
        return equal;
    }

    // The root was closed last and begins the automaton, so the states come in reverse.
    private CodePointDfa ToDfa()
    {
        var edges = new DfaEdge[_edges.Count];
        var ends = new int[_ends.Count];
        int count = 0;
        for (int state = 0; state < ends.Length; state++)
        {
            foreach (DfaEdge edge in EdgesOf(ends.Length - 1 - state))
                edges[count++] = edge with { Target = ends.Length - 1 - edge.Target };
            ends[state] = count;
        }
        bool[] accepting = [.. _accepting];
        Array.Reverse(accepting);
        return new(edges, ends, accepting);
    }

    private int StartOf(int state) => state == 0 ? 0 : _ends[state - 1];

    private ReadOnlySpan<DfaEdge> EdgesOf(int state) => CollectionsMarshal.AsSpan(_edges)[StartOf(state).._ends[state]];
}

using System.Text;

namespace GptOss.Constraints.Regular;

/// <summary>Builds the smallest automaton of a list of texts, with one pass over the sorted list.</summary>
/// <remarks>
/// Only the path of the latest text is open. Once the next text leaves the path, the states behind the fork can no
/// longer change, and each is joined with an earlier state that has the same edges. Source: J. Daciuk and others,
/// "Incremental construction of minimal acyclic finite-state automata", Computational Linguistics 26 (2000).
/// </remarks>
internal sealed class TextTrie
{
    private readonly List<Node> _path = [new()];
    private readonly Dictionary<Node, int> _numbers = new(NodeComparer.Instance);
    private readonly List<Node> _closed = [];

    private TextTrie() { }

    /// <summary>The automaton of a list of texts in any order, without those that hold a lone surrogate.</summary>
    public static CodePointDfa Build(IEnumerable<string> texts)
    {
        var trie = new TextTrie();
        int[][] sorted = [.. texts.Where(IsWellFormed).Select(CodePoints)];
        Array.Sort(sorted, (a, b) => a.AsSpan().SequenceCompareTo(b));
        int[]? last = null;
        foreach (int[] text in sorted)
        {
            trie.Close(last is null ? 0 : text.AsSpan().CommonPrefixLength(last));
            trie.Open(text);
            last = text;
        }
        trie.Close(0);
        return last is null ? CodePointDfa.Nothing : trie.ToDfa();
    }

    private static bool IsWellFormed(string text)
    {
        for (int at = 0; at < text.Length; at += char.IsHighSurrogate(text[at]) ? 2 : 1)
            if (!Rune.TryGetRuneAt(text, at, out _))
                return false;
        return true;
    }

    private static int[] CodePoints(string text) => [.. text.EnumerateRunes().Select(rune => rune.Value)];

    private void Open(ReadOnlySpan<int> text)
    {
        foreach (int codePoint in text[(_path.Count - 1)..])
        {
            _path[^1].Edges.Add(new(codePoint, codePoint, CodePointDfa.Dead));
            _path.Add(new());
        }
        _path[^1].IsAccepting = true;
    }

    // Closes the open path but for its first edges: each node behind them gets its number.
    private void Close(int edges)
    {
        while (_path.Count - 1 > edges)
        {
            Node node = _path[^1];
            _path.RemoveAt(_path.Count - 1);
            if (!_numbers.TryGetValue(node, out int number))
            {
                _numbers[node] = number = _closed.Count + 1; // The root is 0.
                _closed.Add(node);
            }
            List<DfaEdge> into = _path[^1].Edges;
            into[^1] = into[^1] with { Target = number };
        }
    }

    private CodePointDfa ToDfa()
    {
        List<DfaEdge> edges = [];
        List<int> ends = [];
        List<bool> accepting = [];
        foreach (Node node in _closed.Prepend(_path[0]))
        {
            int begin = edges.Count;
            foreach (DfaEdge edge in node.Edges)
                if (edges.Count > begin && edges[^1].Target == edge.Target && edges[^1].Last + 1 == edge.First)
                    edges[^1] = edges[^1] with { Last = edge.Last };
                else
                    edges.Add(edge);
            ends.Add(edges.Count);
            accepting.Add(node.IsAccepting);
        }
        return new([.. edges], [.. ends], [.. accepting]);
    }

    private sealed class Node
    {
        public List<DfaEdge> Edges { get; } = [];

        public bool IsAccepting { get; set; }
    }

    private sealed class NodeComparer : IEqualityComparer<Node>
    {
        public static NodeComparer Instance { get; } = new();

        public bool Equals(Node? x, Node? y) => x!.IsAccepting == y!.IsAccepting && x.Edges.SequenceEqual(y.Edges);

        public int GetHashCode(Node node)
        {
            var hash = new HashCode();
            hash.Add(node.IsAccepting);
            foreach (DfaEdge edge in node.Edges)
            {
                hash.Add(edge.First);
                hash.Add(edge.Target);
            }
            return hash.ToHashCode();
        }
    }
}

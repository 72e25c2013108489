namespace GptOss.Constraints.Walkers;

/// <summary>
/// The declared names of an object as a trie over their bytes with both quotes. The names below a node are neighbours
/// in their sorted order, so whether one of them is allowed is a look at a range of bits.
/// </summary>
internal sealed class NameTrie
{
    private readonly List<NameNode> _nodes = [];
    private readonly List<(byte Label, int Child)> _edges = [];

    public NameTrie(IReadOnlyList<byte[]> names)
    {
        Sorted = [.. Enumerable.Range(0, names.Count)];
        Array.Sort(Sorted, (a, b) => names[a].AsSpan().SequenceCompareTo(names[b]));
        Build(names);
    }

    /// <summary>The numbers of the names in the order of their bytes.</summary>
    public int[] Sorted { get; }

    /// <summary>The node behind a byte, or -1.</summary>
    public int Next(int node, int symbol)
    {
        NameNode from = _nodes[node];
        for (int at = from.FirstEdge; at < from.LastEdge; at++)
            if (_edges[at].Label == symbol)
                return _edges[at].Child;
        return -1;
    }

    /// <summary>Adds the bytes behind a node.</summary>
    public void AddSymbols(int node, SymbolSet symbols)
    {
        for (int at = _nodes[node].FirstEdge; at < _nodes[node].LastEdge; at++)
            symbols.Add(_edges[at].Label);
    }

    /// <summary>The number of the name that ends at a node, or -1. None begins another: all end by a quote.</summary>
    public int NameAt(int node) =>
        _nodes[node].FirstEdge == _nodes[node].LastEdge && _nodes[node].Last > _nodes[node].First
            ? Sorted[_nodes[node].First]
            : -1;

    /// <summary>Whether a name below a node is allowed.</summary>
    /// <param name="node">The node, 0 for all names.</param>
    /// <param name="allowed">A bit for each name in the order of <see cref="Sorted"/>.</param>
    public bool IsAlive(int node, ulong[] allowed)
    {
        int at = _nodes[node].First,
            last = _nodes[node].Last;
        while (at < last)
        {
            ulong rest = allowed[at / 64] >> (at % 64);
            if (rest != 0)
                return at + System.Numerics.BitOperations.TrailingZeroCount(rest) < last;
            at += 64 - at % 64;
        }
        return false;
    }

    // Breadth first, so the edges of a node lie together.
    private void Build(IReadOnlyList<byte[]> names)
    {
        var depths = new Queue<(int Node, int Depth)>();
        _nodes.Add(new NameNode(0, names.Count, 0, 0));
        depths.Enqueue((0, 0));
        while (depths.TryDequeue(out (int Node, int Depth) next))
        {
            NameNode node = _nodes[next.Node];
            int firstEdge = _edges.Count;
            for (int at = node.First; at < node.Last; )
            {
                byte[] name = names[Sorted[at]];
                if (name.Length == next.Depth)
                    break;
                int end = at + 1;
                while (end < node.Last && names[Sorted[end]][next.Depth] == name[next.Depth])
                    end++;
                _edges.Add((name[next.Depth], _nodes.Count));
                depths.Enqueue((_nodes.Count, next.Depth + 1));
                _nodes.Add(new NameNode(at, end, 0, 0));
                at = end;
            }
            _nodes[next.Node] = node with { FirstEdge = firstEdge, LastEdge = _edges.Count };
        }
    }

    private readonly record struct NameNode(int First, int Last, int FirstEdge, int LastEdge);
}

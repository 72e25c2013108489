using System.Text;

namespace GptOss.Constraints.Walkers;

/// <summary>
/// The declared names of an object as a trie over their bytes with both quotes. The names below a node are neighbours
/// in their sorted order, so whether one of them is allowed is a look at a range of bits.
/// </summary>
/// <remarks>
/// Where a character may be escaped, a detour leads from the node before it to the one behind it. Amid detours to
/// several characters the names are no neighbours, so there the nodes behind are asked one by one.
/// </remarks>
internal sealed class NameTrie
{
    private readonly List<NameNode> _nodes = [];
    private readonly List<(byte Label, int Child)> _edges = [];
    private readonly Dictionary<int, Detours> _detours = [];

    /// <param name="values">The names as values, without quotes or escapes.</param>
    public NameTrie(IReadOnlyList<string> values)
    {
        byte[][] names = [.. values.Select(value => JsonEscapes.Quoted(value))];
        Spellings = names;
        Sorted = [.. Enumerable.Range(0, names.Length)];
        Array.Sort(Sorted, (a, b) => names[a].AsSpan().SequenceCompareTo(names[b]));
        Build(names);
        foreach (string value in values)
            if (value.EnumerateRunes().Any(rune => JsonEscapes.IsOptional(rune.Value)))
                AddDetours(value);
    }

    /// <summary>The bytes of each name with both quotes.</summary>
    public byte[][] Spellings { get; }

    /// <summary>About how many bytes the trie takes.</summary>
    public long Bytes => 24L * _nodes.Count + Spellings.Sum(name => 24L + name.Length);

    /// <summary>The numbers of the names in the order of their bytes.</summary>
    public int[] Sorted { get; }

    /// <summary>The node behind a byte, or -1.</summary>
    public int Next(int node, int symbol)
    {
        NameNode from = _nodes[node];
        for (int at = from.FirstEdge; at < from.LastEdge; at++)
            if (_edges[at].Label == symbol)
                return _edges[at].Child;
        if (_detours.Count > 0 && _detours.TryGetValue(node, out Detours? detours))
            foreach ((byte label, int child) in detours.Edges)
                if (label == symbol)
                    return child;
        return -1;
    }

    /// <summary>Adds the bytes behind a node.</summary>
    public void AddSymbols(int node, SymbolSet symbols)
    {
        for (int at = _nodes[node].FirstEdge; at < _nodes[node].LastEdge; at++)
            symbols.Add(_edges[at].Label);
        if (_detours.TryGetValue(node, out Detours? detours))
            foreach ((byte label, _) in detours.Edges)
                symbols.Add(label);
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
        if (IsOneAllowed(node, allowed))
            return true;
        if (_detours.TryGetValue(node, out Detours? detours))
            foreach (int end in detours.Ends)
                if (IsOneAllowed(end, allowed))
                    return true;
        return false;
    }

    private bool IsOneAllowed(int node, ulong[] allowed)
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
    private void Build(byte[][] names)
    {
        var depths = new Queue<(int Node, int Depth)>();
        _nodes.Add(new NameNode(0, names.Length, 0, 0));
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

    private void AddDetours(string value)
    {
        int node = Next(0, '"');
        foreach (Rune rune in value.EnumerateRunes())
        {
            int behind = node;
            foreach (byte label in JsonEscapes.Spelled(rune.Value))
                behind = Next(behind, label);
            if (JsonEscapes.Escaped(rune.Value) is { } escape)
                AddDetour(node, escape, behind);
            node = behind;
        }
    }

    private void AddDetour(int node, byte[] escape, int behind)
    {
        for (int i = 0; i < escape.Length; i++)
        {
            bool isLast = i == escape.Length - 1;
            int next = Next(node, escape[i]);
            if (next < 0)
            {
                next = isLast ? behind : _nodes.Count;
                if (!isLast)
                    _nodes.Add(default);
                DetoursOf(node).Edges.Add((escape[i], next));
            }
            if (!isLast && DetoursOf(next).Ends is var ends && !ends.Contains(behind))
                ends.Add(behind);
            node = next;
        }
    }

    private Detours DetoursOf(int node)
    {
        if (!_detours.TryGetValue(node, out Detours? detours))
            _detours.Add(node, detours = new Detours());
        return detours;
    }

    /// <summary>Detours that leave a node, and the nodes behind those that pass it.</summary>
    private sealed class Detours
    {
        public List<(byte Label, int Child)> Edges { get; } = [];

        public List<int> Ends { get; } = [];
    }

    private readonly record struct NameNode(int First, int Last, int FirstEdge, int LastEdge);
}

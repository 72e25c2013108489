namespace GptOss.Constraints.Regular;

/// <summary>The edges of an automaton backwards, and what can be told by following them.</summary>
internal sealed class DfaGraph
{
    private readonly DfaStates _dfa;
    private readonly DfaEdge[] _into;
    private readonly int[] _ends;

    /// <summary>Sorts the edges of an automaton by their targets.</summary>
    /// <param name="dfa">An automaton, trimmed or not.</param>
    public DfaGraph(DfaStates dfa)
    {
        _dfa = dfa;
        _ends = new int[dfa.Count + 1];
        for (int state = 0; state < dfa.Count; state++)
            foreach (DfaEdge edge in dfa.Edges(state))
                _ends[edge.Target + 1]++;
        for (int state = 0; state < dfa.Count; state++)
            _ends[state + 1] += _ends[state];

        _into = new DfaEdge[_ends[dfa.Count]];
        int[] next = _ends[..dfa.Count];
        for (int state = 0; state < dfa.Count; state++)
            foreach (DfaEdge edge in dfa.Edges(state))
                _into[next[edge.Target]++] = edge with { Target = state };
    }

    /// <summary>The edges that lead to a state; their <see cref="DfaEdge.Target"/> is where they come from.</summary>
    public ReadOnlySpan<DfaEdge> Into(int state) => _into.AsSpan(_ends[state].._ends[state + 1]);

    /// <summary>
    /// For each state the fewest edges to a state of a kind; <see cref="int.MaxValue"/> where none is reached.
    /// </summary>
    /// <param name="isGoal">Whether a state is of the kind.</param>
    /// <param name="isWay">Whether an edge may be followed; every edge by default.</param>
    public int[] DistancesTo(Func<int, bool> isGoal, Func<DfaEdge, bool>? isWay = null)
    {
        var distances = new int[_dfa.Count];
        var queue = new Queue<int>();
        for (int state = 0; state < distances.Length; state++)
        {
            distances[state] = isGoal(state) ? 0 : int.MaxValue;
            if (distances[state] == 0)
                queue.Enqueue(state);
        }
        while (queue.TryDequeue(out int state))
            foreach (DfaEdge edge in Into(state))
                if (distances[edge.Target] == int.MaxValue && (isWay is null || isWay(edge)))
                {
                    distances[edge.Target] = distances[state] + 1;
                    queue.Enqueue(edge.Target);
                }
        return distances;
    }

    /// <summary>
    /// The states from which no cycle is reached, each behind all states that its edges lead to.
    /// </summary>
    public List<int> FromTheEnds()
    {
        var open = new int[_dfa.Count];
        var order = new List<int>(open.Length);
        for (int state = 0; state < open.Length; state++)
        {
            open[state] = _dfa.Edges(state).Length;
            if (open[state] == 0)
                order.Add(state);
        }
        for (int at = 0; at < order.Count; at++)
            foreach (DfaEdge edge in Into(order[at]))
                if (--open[edge.Target] == 0)
                    order.Add(edge.Target);
        return order;
    }
}

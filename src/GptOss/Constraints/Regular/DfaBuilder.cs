namespace GptOss.Constraints.Regular;

/// <summary>
/// Takes an automaton state by state, from the start on, and makes a trimmed and minimal <see cref="CodePointDfa"/>.
/// </summary>
/// <param name="budget">What the automaton may cost.</param>
internal sealed class DfaBuilder(PatternBudget budget)
{
    private readonly List<DfaEdge> _edges = [];
    private readonly List<int> _ends = [];
    private readonly List<bool> _accepting = [];

    /// <summary>Number of the state that takes the next edges.</summary>
    public int Count => _ends.Count;

    /// <summary>
    /// Adds an edge to the state that is being built. Edges come in order of code points; one that touches its
    /// predecessor and leads to the same state is joined with it.
    /// </summary>
    public void Add(int first, int last, int target)
    {
        int begin = Count == 0 ? 0 : _ends[^1];
        if (_edges.Count > begin && _edges[^1].Target == target && _edges[^1].Last + 1 == first)
            _edges[^1] = _edges[^1] with { Last = last };
        else
            _edges.Add(new(first, last, target));
    }

    /// <summary>Ends the state that is being built.</summary>
    public void End(bool isAccepting)
    {
        budget.Take(20 + 8 * (_edges.Count - (Count == 0 ? 0 : _ends[^1])));
        _ends.Add(_edges.Count);
        _accepting.Add(isAccepting);
        if (Count > PatternBudget.MostStatesBeforeTrim)
            throw new LimitException($"needs more than {PatternBudget.MostStatesBeforeTrim:N0} states");
        if (_edges.Count > PatternBudget.MostEdges)
            throw new LimitException($"needs more than {PatternBudget.MostEdges:N0} edges");
    }

    /// <summary>The automaton of all states that were ended, without those from which no text can end.</summary>
    public CodePointDfa Build()
    {
        var dfa = new CodePointDfa([.. _edges], [.. _ends], [.. _accepting]);
        budget.Take(8 * (_edges.Count + Count));
        int[] alive = Renumber(dfa);
        dfa = Minimizer.Minimize(Keep(dfa, alive), budget);
        if (dfa.Count > PatternBudget.MostStates)
            throw new LimitException($"has {dfa.Count:N0} states, and the limit is {PatternBudget.MostStates:N0}");
        return dfa;
    }

    // The number of each living state among the living ones; Dead for the others.
    private static int[] Renumber(CodePointDfa dfa)
    {
        int[] distances = new DfaGraph(dfa).DistancesTo(dfa.Accepts);
        var numbers = new int[dfa.Count];
        int count = 0;
        for (int state = 0; state < dfa.Count; state++)
            numbers[state] = distances[state] == int.MaxValue ? CodePointDfa.Dead : count++;
        return numbers;
    }

    // Where the start is dead, every state that can be reached is: the language is empty.
    private static CodePointDfa Keep(CodePointDfa dfa, int[] numbers)
    {
        if (dfa.IsEmpty || numbers[CodePointDfa.Start] == CodePointDfa.Dead)
            return CodePointDfa.Nothing;
        if (Array.IndexOf(numbers, CodePointDfa.Dead) < 0)
            return dfa;
        var edges = new List<DfaEdge>();
        var ends = new List<int>();
        var accepting = new List<bool>();
        for (int state = 0; state < dfa.Count; state++)
        {
            if (numbers[state] == CodePointDfa.Dead)
                continue;
            foreach (DfaEdge edge in dfa.Edges(state))
                if (numbers[edge.Target] != CodePointDfa.Dead)
                    edges.Add(edge with { Target = numbers[edge.Target] });
            ends.Add(edges.Count);
            accepting.Add(dfa.Accepts(state));
        }
        return new([.. edges], [.. ends], [.. accepting]);
    }
}

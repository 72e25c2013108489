using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>What does not change about a net while it is read.</summary>
internal sealed class NetPlan
{
    private readonly bool[] _goesOn; // something other than the end can follow
    private readonly bool[] _ends; // the end can be reached without reading anything
    private bool[]? _holdsPlain;

    public NetPlan(NetShape shape, Func<Rule, Callee> calleeOf)
    {
        States = shape.States;
        Calls = [.. States.Select(state => state.Calls.Select(call => (calleeOf(call.Rule), call.Target)).ToArray())];
        var before = new List<int>?[States.Count];
        for (int state = 0; state < States.Count; state++)
            foreach (int empty in States[state].Empty)
                (before[empty] ??= []).Add(state);
        _goesOn = Backwards(before, state => state.Edges.Count + state.Calls.Count > 0 || state.IsFree);
        _ends = Backwards(before, state => state.IsAccepting);
    }

    /// <summary>The states as they were compiled.</summary>
    public IReadOnlyList<NetState> States { get; }

    /// <summary>The rules that each state calls, with the states behind them.</summary>
    public (Callee Callee, int Target)[][] Calls { get; }

    /// <summary>Whether nothing but the end follows.</summary>
    public bool IsEnd(int state) => _ends[state] && !_goesOn[state];

    /// <summary>Whether plain characters, whichever they are, never lead out of such states.</summary>
    public bool HoldsPlain(int state) => (_holdsPlain ??= FindPlain())[state];

    // The states of a kind, and those that lead to them.
    private bool[] Backwards(List<int>?[] before, Func<NetState, bool> begins)
    {
        var found = new bool[States.Count];
        var next = new Stack<int>();
        for (int state = 0; state < found.Length; state++)
            if (begins(States[state]))
                next.Push(state);
        while (next.TryPop(out int state))
        {
            if (found[state])
                continue;
            found[state] = true;
            if (before[state] is { } earlier)
                earlier.ForEach(next.Push);
        }
        return found;
    }

    // A plain character is refused, or leads to where one will be refused: found from such states backwards.
    private bool[] FindPlain()
    {
        var before = new List<int>?[States.Count];
        for (int state = 0; state < before.Length; state++)
            foreach (NetEdge edge in States[state].Edges)
                if (PlainCharacters.In(new DfaEdge(edge.First, edge.Last, 0)) > 0)
                    (before[edge.Target] ??= []).Add(state);
        bool[] leaves = Backwards(before, state => !ReadsAllPlain(state));
        return [.. States.Select((state, number) => state.IsFree || !leaves[number])];
    }

    private static bool ReadsAllPlain(NetState state)
    {
        int most = 0; // what the edges read if none overlaps another
        foreach (NetEdge edge in state.Edges)
            most += PlainCharacters.In(new DfaEdge(edge.First, edge.Last, 0));
        if (most < PlainCharacters.Count)
            return false;
        int reached = 0,
            plain = 0;
        foreach (NetEdge edge in state.Edges.OrderBy(edge => edge.First))
            if (edge.Last >= reached)
            {
                plain += PlainCharacters.In(new DfaEdge(Math.Max(edge.First, reached), edge.Last, 0));
                reached = edge.Last + 1;
            }
        return plain == PlainCharacters.Count;
    }
}

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
        List<int>[] before = [.. States.Select(_ => new List<int>())];
        for (int state = 0; state < States.Count; state++)
            foreach (int empty in States[state].Empty)
                before[empty].Add(state);
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

    /// <summary>The states that are reached from the start without reading anything.</summary>
    public IEnumerable<int> Reached()
    {
        var met = new HashSet<int> { 0 };
        var next = new Stack<int>(met);
        while (next.TryPop(out int state))
        {
            yield return state;
            foreach (int empty in States[state].Empty)
                if (met.Add(empty))
                    next.Push(empty);
            foreach ((Callee callee, int target) in Calls[state])
                if (callee.IsNullable && met.Add(target))
                    next.Push(target);
        }
    }

    private bool[] Backwards(List<int>[] before, Func<NetState, bool> begins)
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
            foreach (int earlier in before[state])
                next.Push(earlier);
        }
        return found;
    }

    // States are taken out until every plain character leads from each of the rest to one of the rest.
    private bool[] FindPlain()
    {
        var holds = new bool[States.Count];
        for (int state = 0; state < holds.Length; state++)
            holds[state] = States[state].Edges.Count > 0;
        for (bool changed = true; changed; )
        {
            changed = false;
            for (int state = 0; state < holds.Length; state++)
                if (holds[state] && !IsHeld(States[state], holds))
                    (holds[state], changed) = (false, true);
        }
        for (int state = 0; state < holds.Length; state++)
            holds[state] |= States[state].IsFree;
        return holds;
    }

    private static bool IsHeld(NetState state, bool[] holds)
    {
        var disjoint = new List<DfaEdge>();
        int reached = 0;
        foreach (NetEdge edge in state.Edges.Where(edge => holds[edge.Target]).OrderBy(edge => edge.First))
            if (edge.First < Markers.First && edge.Last >= reached)
            {
                disjoint.Add(new DfaEdge(Math.Max(edge.First, reached), edge.Last, 0));
                reached = edge.Last + 1;
            }
        return PlainCharacters.In(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(disjoint))
            == PlainCharacters.Count;
    }
}

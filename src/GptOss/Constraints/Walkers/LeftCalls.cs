namespace GptOss.Constraints.Walkers;

/// <summary>Which rules may be empty, and in which order rules are entered that call each other at one place.</summary>
/// <remarks>
/// Goes from the start of every net over what can be passed without reading. A call waits until its rule is found to
/// be one that may be empty, so every state and every call is looked at once.
/// </remarks>
internal sealed class LeftCalls
{
    private readonly Dictionary<Callee, HashSet<Callee>> _calls = [];
    private readonly Dictionary<Callee, List<(Callee Owner, NetPlan Net, int State)>> _waiting = [];
    private readonly HashSet<(NetPlan Net, int State)> _met = [];
    private readonly Stack<(Callee Owner, NetPlan Net, int State)> _open = new();

    private LeftCalls() { }

    /// <summary>Sets <see cref="Callee.IsNullable"/> and <see cref="Callee.Rank"/> of all rules of a grammar.</summary>
    /// <exception cref="LimitException">A rule calls itself before it has read anything.</exception>
    public static void Settle(IReadOnlyList<Callee> callees, CompileBudget budget)
    {
        var left = new LeftCalls();
        left.Pass(callees, budget);
        left.Rank(callees, budget);
    }

    private void Pass(IReadOnlyList<Callee> callees, CompileBudget budget)
    {
        foreach (Callee callee in callees)
        foreach (Walker walker in callee.Walkers)
            if (walker is NetWalker net)
                _open.Push((callee, net.Plan, 0));
            else if (walker.IsNullable)
                MayBeEmpty(callee);
        while (_open.TryPop(out (Callee Owner, NetPlan Net, int State) at))
        {
            budget.Take(20);
            if (!_met.Add((at.Net, at.State)))
                continue;
            if (at.Net.States[at.State].IsAccepting)
                MayBeEmpty(at.Owner);
            foreach (int empty in at.Net.States[at.State].Empty)
                _open.Push(at with { State = empty });
            foreach ((Callee called, int target) in at.Net.Calls[at.State])
            {
                budget.Take(20);
                Of(_calls, at.Owner).Add(called);
                if (called.IsNullable)
                    _open.Push(at with { State = target });
                else
                    Of(_waiting, called).Add(at with { State = target });
            }
        }
    }

    private void MayBeEmpty(Callee callee)
    {
        if (callee.IsNullable)
            return;
        callee.IsNullable = true;
        if (_waiting.Remove(callee, out List<(Callee, NetPlan, int)>? waiting))
            foreach ((Callee, NetPlan, int) behind in waiting)
                _open.Push(behind);
    }

    private void Rank(IReadOnlyList<Callee> callees, CompileBudget budget)
    {
        int rank = callees.Count;
        var open = new HashSet<Callee>();
        var way = new Stack<(Callee Callee, IEnumerator<Callee> Calls)>();
        foreach (Callee callee in callees)
        {
            Enter(callee);
            while (way.TryPeek(out (Callee Callee, IEnumerator<Callee> Calls) step))
                if (step.Calls.MoveNext())
                    Enter(step.Calls.Current);
                else
                {
                    // All that it calls have higher ranks already.
                    step.Callee.Rank = rank--;
                    open.Remove(step.Callee);
                    way.Pop();
                }
        }

        void Enter(Callee callee)
        {
            budget.Take(10);
            if (callee.Rank > 0)
                return;
            if (!open.Add(callee))
                throw new LimitException($"calls rule '{callee.Name}' in itself before anything is read");
            IEnumerable<Callee> calls = _calls.TryGetValue(callee, out HashSet<Callee>? found) ? found : [];
            way.Push((callee, calls.GetEnumerator()));
        }
    }

    private static T Of<T>(Dictionary<Callee, T> all, Callee callee)
        where T : new() => all.TryGetValue(callee, out T? one) ? one : all[callee] = new T();
}

namespace GptOss.Constraints.Walkers;

/// <summary>Which rules may be empty, and in which order rules are entered that call each other at one place.</summary>
internal static class LeftCalls
{
    /// <summary>Sets <see cref="Callee.IsNullable"/> and <see cref="Callee.Rank"/> of all rules of a grammar.</summary>
    /// <exception cref="LimitException">A rule calls itself before it has read anything.</exception>
    public static void Settle(IReadOnlyList<Callee> callees)
    {
        // From the last to the first, because rules mostly stand before those that they call.
        for (bool changed = true; changed; )
        {
            changed = false;
            for (int i = callees.Count - 1; i >= 0; i--)
                if (!callees[i].IsNullable && callees[i].Walkers.Any(walker => walker.IsNullable))
                    callees[i].IsNullable = changed = true;
        }

        Dictionary<Callee, Callee[]> calls = callees.ToDictionary(
            callee => callee,
            callee => callee.Walkers.SelectMany(walker => walker.LeftCalls).Distinct().ToArray()
        );
        int rank = callees.Count;
        var open = new HashSet<Callee>();
        var done = new HashSet<Callee>();
        var way = new Stack<(Callee Callee, int Next)>();
        foreach (Callee callee in callees)
        {
            Enter(callee);
            while (way.TryPop(out (Callee Callee, int Next) step))
                if (step.Next < calls[step.Callee].Length)
                {
                    way.Push((step.Callee, step.Next + 1));
                    Enter(calls[step.Callee][step.Next]);
                }
                else
                {
                    // All that it calls have higher ranks already.
                    step.Callee.Rank = rank--;
                    open.Remove(step.Callee);
                    done.Add(step.Callee);
                }
        }

        void Enter(Callee callee)
        {
            if (done.Contains(callee))
                return;
            if (!open.Add(callee))
                throw new LimitException($"calls rule '{callee.Name}' in itself before anything is read");
            way.Push((callee, 0));
        }
    }
}

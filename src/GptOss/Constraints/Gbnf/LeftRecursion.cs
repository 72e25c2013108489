using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Gbnf;

/// <summary>Finds rules that call themselves before they have read anything.</summary>
internal static class LeftRecursion
{
    /// <summary>The rules of a circle of such calls, in order; null where there is none.</summary>
    /// <param name="bodies">The automata of the rules by number; null for those that are not reached.</param>
    public static List<int>? Find(IReadOnlyList<CodePointDfa?> bodies)
    {
        bool[] isNullable = RuleEnds.Find(bodies, isReading: false);
        var isDone = new bool[bodies.Count];
        for (int number = 0; number < bodies.Count; number++)
            if (FindCircle(bodies, isNullable, number, isDone) is { } circle)
                return circle;
        return null;
    }

    // Depth first, as a loop, since a grammar may have 10,000 rules one below the other.
    private static List<int>? FindCircle(
        IReadOnlyList<CodePointDfa?> bodies,
        bool[] isNullable,
        int start,
        bool[] isDone
    )
    {
        var path = new List<int>();
        var open = new Stack<(int Number, int Depth)>([(start, 0)]);
        while (open.TryPop(out (int Number, int Depth) next))
        {
            foreach (int left in path.Skip(next.Depth))
                isDone[left] = true;
            path.RemoveRange(next.Depth, path.Count - next.Depth);
            int again = path.IndexOf(next.Number);
            if (again >= 0)
                return path[again..];
            if (isDone[next.Number] || bodies[next.Number] is not { } body)
                continue;
            path.Add(next.Number);
            foreach (int called in LeftCalls(body, isNullable))
                open.Push((called, path.Count));
        }
        foreach (int left in path)
            isDone[left] = true;
        return null;
    }

    private static IEnumerable<int> LeftCalls(CodePointDfa body, bool[] isNullable) =>
        Reached(body, isNullable)
            .SelectMany(state => body.Edges(state).ToArray())
            .Select(edge => GbnfRule.Called(edge))
            .OfType<int>()
            .Distinct();

    // The states that are reached from the start by calls of rules that may be empty.
    private static HashSet<int> Reached(CodePointDfa body, bool[] isNullable)
    {
        var seen = new HashSet<int>();
        var open = new Stack<int>(body.IsEmpty ? [] : [CodePointDfa.Start]);
        while (open.TryPop(out int state))
        {
            if (!seen.Add(state))
                continue;
            foreach (DfaEdge edge in body.Edges(state))
                if (GbnfRule.Called(edge) is int called && isNullable[called])
                    open.Push(edge.Target);
        }
        return seen;
    }
}

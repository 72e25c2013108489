using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Gbnf;

/// <summary>Finds rules that call themselves before they have read anything.</summary>
internal sealed class LeftRecursion
{
    private readonly IReadOnlyList<CodePointDfa?> _bodies;
    private readonly bool[] _isNullable;
    private readonly bool[] _isDone;
    private readonly int[] _lastCaller; // of each rule, plus 1: a rule that is called twice counts once

    // Used again for every rule, so that a rule makes little: a grammar may have ten thousand.
    private readonly HashSet<int> _seen = [];
    private readonly Stack<int> _states = [];

    private LeftRecursion(IReadOnlyList<CodePointDfa?> bodies)
    {
        _bodies = bodies;
        _isNullable = RuleEnds.Find(bodies, isReading: false);
        _isDone = new bool[bodies.Count];
        _lastCaller = new int[bodies.Count];
    }

    /// <summary>The rules of a circle of such calls, in order; null where there is none.</summary>
    /// <param name="bodies">The automata of the rules by number; null for those that are not reached.</param>
    public static List<int>? Find(IReadOnlyList<CodePointDfa?> bodies)
    {
        var recursion = new LeftRecursion(bodies);
        for (int number = 0; number < bodies.Count; number++)
            if (recursion.FindCircle(number) is { } circle)
                return circle;
        return null;
    }

    // Depth first, as a loop, since a grammar may have 10,000 rules one below the other.
    private List<int>? FindCircle(int start)
    {
        var path = new List<int>();
        var open = new Stack<(int Number, int Depth)>([(start, 0)]);
        while (open.TryPop(out (int Number, int Depth) next))
        {
            for (int left = next.Depth; left < path.Count; left++)
                _isDone[path[left]] = true;
            path.RemoveRange(next.Depth, path.Count - next.Depth);
            int again = path.IndexOf(next.Number);
            if (again >= 0)
                return path[again..];
            if (_isDone[next.Number] || _bodies[next.Number] is not { } body)
                continue;
            path.Add(next.Number);
            PushLeftCalls(next.Number, body, open, path.Count);
        }
        foreach (int left in path)
            _isDone[left] = true;
        return null;
    }

    // The rules that are called before anything is read, also behind calls of rules that may be empty.
    private void PushLeftCalls(int caller, CodePointDfa body, Stack<(int Number, int Depth)> open, int depth)
    {
        _seen.Clear();
        if (!body.IsEmpty)
            _states.Push(CodePointDfa.Start);
        while (_states.TryPop(out int state))
        {
            if (!_seen.Add(state))
                continue;
            foreach (DfaEdge edge in body.Edges(state))
            {
                if (GbnfRule.Called(edge) is not int called)
                    continue;
                if (_lastCaller[called] != caller + 1)
                    open.Push((called, depth));
                _lastCaller[called] = caller + 1;
                if (_isNullable[called])
                    _states.Push(edge.Target);
            }
        }
    }
}

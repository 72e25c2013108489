using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Gbnf;

/// <summary>Finds the rules of a grammar that can end: with some finite text, or with the empty one.</summary>
/// <remarks>
/// Goes backwards from the accepting states of all rules. A state before a call waits until the start of the called
/// rule is found, so every edge is looked at once, in whatever order the rules stand.
/// </remarks>
internal sealed class RuleEnds
{
    private readonly IReadOnlyList<CodePointDfa?> _bodies;
    private readonly bool[][] _found;
    private readonly bool[] _ends;
    private readonly List<(int Rule, int State)>?[] _waiting;
    private readonly Stack<(int Rule, int State)> _open = [];

    private RuleEnds(IReadOnlyList<CodePointDfa?> bodies)
    {
        _bodies = bodies;
        _found = [.. bodies.Select(body => new bool[body?.Count ?? 0])];
        _ends = new bool[bodies.Count];
        _waiting = new List<(int, int)>?[bodies.Count];
    }

    /// <summary>Whether each rule can end.</summary>
    /// <param name="bodies">The automata of the rules by number; null for those that are not reached.</param>
    /// <param name="isReading">Whether code points may be read on the way; else only the empty text counts.</param>
    public static bool[] Find(IReadOnlyList<CodePointDfa?> bodies, bool isReading)
    {
        var ends = new RuleEnds(bodies);
        ends.Run(isReading);
        return ends._ends;
    }

    private void Run(bool isReading)
    {
        DfaGraph?[] graphs = [.. _bodies.Select(body => body is null ? null : new DfaGraph(body))];
        for (int rule = 0; rule < _bodies.Count; rule++)
        for (int state = 0; state < _found[rule].Length; state++)
            if (_bodies[rule]!.Accepts(state))
                _open.Push((rule, state));
        while (_open.TryPop(out (int Rule, int State) at))
        {
            if (_found[at.Rule][at.State])
                continue;
            _found[at.Rule][at.State] = true;
            if (at.State == CodePointDfa.Start)
                End(at.Rule);
            foreach (DfaEdge edge in graphs[at.Rule]!.Into(at.State))
                if (GbnfRule.Called(edge) is int called && !_ends[called])
                    (_waiting[called] ??= []).Add((at.Rule, edge.Target));
                else if (isReading || GbnfRule.Called(edge) is not null)
                    _open.Push((at.Rule, edge.Target));
        }
    }

    private void End(int rule)
    {
        _ends[rule] = true;
        foreach ((int Rule, int State) waiting in _waiting[rule] ?? [])
            _open.Push(waiting);
    }
}

using System.Text;
using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Gbnf;

/// <summary>Compiles a grammar in GBNF.</summary>
/// <remarks>
/// The symbol of a called rule is a symbol like a code point, so each rule becomes a deterministic and minimal
/// automaton over both. A rule that calls no other is then a regular text, and the others are nets without empty
/// edges.
/// </remarks>
internal sealed class GbnfGrammar
{
    private const int MostBytes = 1 << 20;
    private const string RootName = "root";

    private readonly GbnfText _text;
    private readonly List<GbnfRule> _rules;
    private readonly CompileBudget _budget;
    private readonly CodePointDfa?[] _bodies; // Of the rules that are reached.

    private GbnfGrammar(string text, CompileBudget budget)
    {
        _text = new(text);
        _rules = GbnfReader.Read(_text);
        _budget = budget;
        _bodies = new CodePointDfa?[_rules.Count];
    }

    /// <summary>The rule named root, and by its calls all that it reaches.</summary>
    /// <exception cref="GbnfException">The grammar is wrong, or no text fits it.</exception>
    /// <exception cref="LimitException">The grammar is larger than what is compiled.</exception>
    public static Rule Compile(string text, CompileBudget budget)
    {
        int bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > MostBytes)
            throw new LimitException($"has {bytes:N0} bytes, and the limit is {MostBytes:N0}");
        return new GbnfGrammar(text, budget).Compile();
    }

    private Rule Compile()
    {
        int root = _rules.FindIndex(rule => rule.Name == RootName);
        if (root < 0 || _rules[root].Body is null)
            throw _text.Error($"no rule is named '{RootName}'", root < 0 ? 0 : _rules[root].Position);
        CompileBodies(root);
        CheckLeftRecursion();
        DropEndless(root);

        var rules = new Rule[_rules.Count];
        for (int number = 0; number < rules.Length; number++)
            rules[number] = new Rule(_rules[number].Name);
        for (int number = 0; number < rules.Length; number++)
            if (_bodies[number] is { IsEmpty: false } body)
                rules[number].Alternatives.Add(ShapeOf(body, rules));
        return rules[root];
    }

    private void CompileBodies(int root)
    {
        var open = new Queue<int>([root]);
        while (open.TryDequeue(out int number))
        {
            if (_bodies[number] is not null)
                continue;
            GbnfRule rule = _rules[number];
            if (rule.Body is null)
                throw _text.Error($"rule '{rule.Name}' is not defined", rule.Position);
            _bodies[number] = Patterns.Whole(rule.Body, _budget);
            foreach (int called in Calls(_bodies[number]!).Distinct())
                open.Enqueue(called);
        }
    }

    private void CheckLeftRecursion()
    {
        if (LeftRecursion.Find(_bodies) is not { } circle)
            return;
        string names = string.Join(" → ", circle.Append(circle[0]).Select(number => _rules[number].Name));
        throw _text.Error($"left recursion: {names} begins with itself", _rules[circle[0]].Position);
    }

    // A rule that no finite text fits is called nowhere: a text that entered it could not end.
    private void DropEndless(int root)
    {
        bool[] ends = RuleEnds.Find(_bodies, isReading: true);
        if (!ends[root])
            throw _text.Error($"no finite text fits rule '{RootName}'", _rules[root].Position);
        for (int number = 0; number < ends.Length; number++)
            if (_bodies[number] is { } body && Calls(body).Any(called => !ends[called]))
                _bodies[number] = Without(body, ends);
    }

    private CodePointDfa Without(CodePointDfa body, bool[] ends)
    {
        var builder = new DfaBuilder(new(_budget));
        for (int state = 0; state < body.Count; state++)
        {
            foreach (DfaEdge edge in body.Edges(state))
                if (IsOpen(edge, ends))
                    builder.Add(edge.First, edge.Last, edge.Target);
            builder.End(body.Accepts(state));
        }
        return builder.Build();
    }

    private static bool IsOpen(DfaEdge edge, bool[] ends) => GbnfRule.Called(edge) is not int called || ends[called];

    private static IEnumerable<int> Calls(CodePointDfa body)
    {
        for (int state = 0; state < body.Count; state++)
        for (int at = 0; at < body.Edges(state).Length; at++)
            if (GbnfRule.Called(body.Edges(state)[at]) is int called)
                yield return called;
    }

    private static Shape ShapeOf(CodePointDfa body, Rule[] rules)
    {
        if (!Calls(body).Any())
            return new TextShape(body, IsQuoted: false);
        var states = new NetState[body.Count];
        for (int state = 0; state < states.Length; state++)
        {
            states[state] = new NetState { IsAccepting = body.Accepts(state) };
            foreach (DfaEdge edge in body.Edges(state))
                if (GbnfRule.Called(edge) is int called)
                    states[state].Calls.Add((rules[called], edge.Target));
                else
                    states[state].Edges.Add(new NetEdge(edge.First, edge.Last, edge.Target));
        }
        return new NetShape(states);
    }
}

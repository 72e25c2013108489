using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>Makes the walkers of all rules that a rule reaches.</summary>
internal sealed class WalkerBuilder(bool isCompact, Ledger ledger, CompileBudget budget)
{
    private const int MostRules = 20_000;
    private const int MostStates = 1_000_000;

    private readonly Dictionary<Rule, Callee> _callees = [];
    private readonly Queue<Rule> _open = new();
    private readonly List<Callee> _made = [];
    private readonly Dictionary<Shape, Walker> _scalars = [];
    private readonly Dictionary<TextShape, SpelledText> _spelled = [];
    private readonly Dictionary<TextShape, RecordedText> _recorded = [];
    private readonly HashSet<CodePointDfa> _languages = [];
    private int _states;

    /// <summary>All walkers that were made.</summary>
    public List<Walker> Walkers { get; } = [];

    /// <summary>How many rules were made.</summary>
    public int Rules => _made.Count;

    /// <summary>Makes the walkers of a rule and of all that it reaches.</summary>
    /// <exception cref="LimitException">The grammar is larger than what is compiled.</exception>
    public Callee Build(Rule root)
    {
        Callee callee = CalleeOf(root);
        while (_open.TryDequeue(out Rule? rule))
        {
            budget.Take(1 + rule.Alternatives.Count);
            _callees[rule].Walkers = [.. rule.Alternatives.Select(WalkerOf)];
        }
        LeftCalls.Settle(_made, budget);
        return callee;
    }

    private Callee CalleeOf(Rule rule)
    {
        if (_callees.TryGetValue(rule, out Callee? callee))
            return callee;
        callee = new Callee(rule);
        _callees.Add(rule, callee);
        _made.Add(callee);
        _open.Enqueue(rule);
        if (_made.Count > MostRules)
            throw new LimitException($"has more than {MostRules:N0} rules");
        return callee;
    }

    // Scalars of one kind share a walker, so that what is known of one place is known of the others.
    private Walker WalkerOf(Shape shape)
    {
        if (_scalars.TryGetValue(shape, out Walker? known))
            return known;
        int id = ledger.NextId();
        Walker walker = shape switch
        {
            TextShape text => new TextWalker(SpelledOf(text)) { Id = id },
            FreeStringShape text => new FreeStringWalker(text) { Id = id },
            ObjectShape made => new ObjectWalker(new ObjectFrame.ObjectFrames(PlanOf(made), ledger), isCompact, ledger)
            {
                Id = id,
            },
            ArrayShape made => new ArrayWalker(
                new ArrayFrame.ArrayFrames(new ArrayPlan(made, CalleeOf, RecordedItems, budget), ledger),
                isCompact,
                ledger
            )
            {
                Id = id,
            },
            NetShape net => new NetWalker(PlanOf(net)) { Id = id },
            _ => throw new InvalidOperationException($"No walker knows the shape {shape.GetType().Name}."),
        };
        if (shape is TextShape or FreeStringShape)
            _scalars.Add(shape, walker);
        Walkers.Add(walker);
        return walker;
    }

    private ObjectPlan PlanOf(ObjectShape made)
    {
        var plan = new ObjectPlan(made, CalleeOf, RecordedNames, budget);
        ledger.Keep(plan.Bytes);
        return plan;
    }

    private NetPlan PlanOf(NetShape net)
    {
        budget.Take(net.States.Sum(state => 1L + state.Edges.Count));
        if ((_states += net.States.Count) > MostStates)
            throw new LimitException($"has more than {MostStates:N0} states");
        ledger.Keep(net.States.Sum(state => 160L + 12 * state.Edges.Count + 24 * state.Calls.Count));
        return new NetPlan(net, CalleeOf);
    }

    private SpelledText SpelledOf(TextShape shape)
    {
        if (_spelled.TryGetValue(shape, out SpelledText? spelled))
            return spelled;
        if (_languages.Add(shape.Language))
            ledger.Keep(shape.Language.Bytes);
        _spelled.Add(shape, spelled = new SpelledText(shape, budget));
        return spelled;
    }

    private RecordedText RecordedNames(CodePointDfa names) => Recorded(new TextShape(names, IsQuoted: true));

    private IEnumerable<RecordedText> RecordedItems(Rule rule)
    {
        foreach (Shape shape in rule.Alternatives)
            yield return shape is TextShape text
                ? Recorded(text)
                : throw new InvalidOperationException("Only scalars of one spelling can be told apart.");
    }

    private RecordedText Recorded(TextShape shape)
    {
        if (!_recorded.TryGetValue(shape, out RecordedText? text))
            _recorded.Add(shape, text = new RecordedText(SpelledOf(shape), shape));
        return text;
    }
}

using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>
/// Builds the rules of a schema. A rule is the conjunction of a list of goals and is made once for each list, so that
/// recursion, references with neighbours and overlapping patterns need no care of their own. Rules are built from a
/// queue.
/// </summary>
internal sealed class Conjunction
{
    private const int MostRules = 20_000,
        MostFollowed = 100_000;

    private readonly Dictionary<string, Rule> _rules = new(StringComparer.Ordinal);
    private readonly Queue<(Rule Rule, IReadOnlyList<Goal> Goals)> _unbuilt = new();
    private readonly Dictionary<Rule, (Keyword Keyword, string Why)> _conflicts = [];
    private readonly LiteralRules _literalRules = new();
    private readonly LiteralCheck _literals;
    private readonly Negation _negation;
    private readonly Expansion _expansion;
    private readonly StringShapes _strings;
    private readonly NumberLanguages _numbers;
    private readonly UniqueItems _unique;
    private readonly ObjectShapes _objects;
    private readonly ArrayShapes _arrays;
    private readonly bool _isClosedByDefault;
    private readonly CompileBudget _budget;

    private Conjunction(bool isClosedByDefault, bool isAnyOrder, CompileBudget budget)
    {
        (_isClosedByDefault, _budget) = (isClosedByDefault, budget);
        var languages = new LanguageCache(budget);
        _literals = new(budget);
        _negation = new(goals => NamesOf(goals, languages), budget);
        _strings = new(languages, budget);
        _numbers = new(languages, budget);
        Emptiness? emptiness = null;
        _expansion = new(
            _negation,
            _literals,
            (context, left, right) => emptiness!.AreDisjoint(context, left, right),
            alternative => emptiness!.IsEmptyAtAGlance(alternative),
            budget
        );
        emptiness = new(_expansion.Of, _strings, _numbers, _literals, budget);
        _unique = new(Expand, _strings, _numbers, languages);
        _objects = new(isAnyOrder, RuleOf, goals => NamesOf(goals, languages), languages, budget);
        _arrays = new(RuleOf, _unique, _negation);
    }

    /// <summary>The rule of all values that fit a schema, and all rules that it reaches.</summary>
    /// <param name="goals">What a value has to do.</param>
    /// <param name="isClosedByDefault">Whether an object that declares properties has no others unless told so.</param>
    /// <param name="isAnyOrder">Whether declared properties come in any order.</param>
    /// <param name="budget">Pays for the rules.</param>
    /// <exception cref="SchemaException">There is no such value, or the schema is larger than a limit.</exception>
    /// <exception cref="UnsupportedException">A keyword is not supported where it stands.</exception>
    public static Rule RuleOf(IReadOnlyList<Goal> goals, bool isClosedByDefault, bool isAnyOrder, CompileBudget budget)
    {
        var conjunction = new Conjunction(isClosedByDefault, isAnyOrder, budget);
        Rule root = conjunction.RuleOf(goals);
        while (conjunction._unbuilt.TryDequeue(out (Rule Rule, IReadOnlyList<Goal> Goals) next))
            conjunction.Build(next.Rule, next.Goals);
        var heights = new Heights(budget);
        heights.Settle([
            .. conjunction._rules.Values,
            .. conjunction._literalRules.Rules,
            .. conjunction._unique.Rules,
        ]);
        return root.Alternatives.Count > 0 ? root : throw conjunction.NoValue(root, heights);
    }

    private Rule RuleOf(IReadOnlyList<Goal> goals)
    {
        Goal[] normal = Normal(goals);
        string key = string.Join(',', normal.Select(goal => goal.Key));
        if (!_rules.TryGetValue(key, out Rule? rule))
        {
            string name = goals.Count > 0 ? goals[0].Node.Pointer : "";
            if (_rules.Count == MostRules)
                throw SchemaErrors.Large(name, $"needs one rule too many: the limit is {MostRules:N0}");
            _rules[key] = rule = new(name);
            _budget.Take(20);
            _unbuilt.Enqueue((rule, normal));
        }
        return rule;
    }

    // Without goals that say nothing, references followed, each goal once.
    private Goal[] Normal(IReadOnlyList<Goal> goals)
    {
        var normal = new List<Goal>(goals.Count);
        HashSet<int> keys = [];
        foreach (Goal goal in goals)
        {
            Goal followed = Followed(goal);
            if (followed.IsNothing)
                return [Goal.Nothing];
            if (!followed.IsEverything && keys.Add(followed.Key))
                normal.Add(followed);
        }
        return [.. normal];
    }

    // A schema that is a reference alone is the one that it refers to.
    private Goal Followed(Goal goal)
    {
        for (
            int step = 0;
            step < MostFollowed && goal.Node.Keywords is [AllOfKeyword { Goals: [Goal only] } all];
            step++
        )
        {
            if (goal.IsNegated)
                _negation.AskOn(goal.Node, only.Not);
            else
                _negation.Ask(only, all.Pointer);
            goal = goal.IsNegated ? only.Not : only;
            _budget.Take(1);
        }
        return goal;
    }

    private List<SchemaAlternative> Expand(IReadOnlyList<Goal> goals) =>
        _expansion.Of([new(new AllOfKeyword(goals.Count > 0 ? goals[0].Node.Pointer : "", goals), null)]);

    private void Build(Rule rule, IReadOnlyList<Goal> goals)
    {
        try
        {
            var scalars = new ScalarShapes(_strings, _numbers);
            var containers = new List<Shape>();
            foreach (SchemaAlternative alternative in Expand(goals))
                if (alternative.Literals is { } literals)
                    foreach (Literal value in literals)
                        if ((value.Type & JsonTypes.Scalar) != 0)
                            scalars.Add(value);
                        else
                            containers.Add(_literalRules.ShapeOf(value));
                else
                {
                    scalars.Add(alternative);
                    containers.AddRange(Containers(alternative, rule));
                }
            rule.Alternatives.AddRange(scalars.Shapes());
            rule.Alternatives.AddRange(containers);
            _budget.Take(rule.Alternatives.Count);
        }
        catch (LimitException limit)
        {
            throw SchemaErrors.Large(rule.Name, limit.Message);
        }
    }

    private IEnumerable<Shape> Containers(SchemaAlternative alternative, Rule rule)
    {
        if ((alternative.Types & JsonTypes.Array) != 0)
            if (_arrays.Of(alternative, (keyword, why) => _conflicts[rule] = (keyword, why)) is ArrayShape array)
                yield return array;
        if ((alternative.Types & JsonTypes.Object) == 0)
            yield break;
        var parts = new ObjectParts(alternative, _isClosedByDefault, _literals);
        foreach (ObjectShape shape in _objects.Of(alternative, parts))
            yield return shape;
    }

    private CodePointDfa NamesOf(IReadOnlyList<Goal> goals, LanguageCache languages)
    {
        CodePointDfa names = CodePointDfa.Nothing;
        Placed[] start =
        [
            new(new TypeKeyword("", JsonTypes.String), null),
            new(new AllOfKeyword(goals[0].Node.Pointer, goals), null),
        ];
        foreach (SchemaAlternative alternative in _expansion.Of(start))
            names = languages.Or(
                names,
                alternative.Literals is { } literals
                    ? CodePointDfa.Of(literals.Select(literal => literal.Text))
                    : _strings.LanguageOf(alternative)
            );
        return names;
    }

    // The innermost rule without a value that others needed one of.
    private SchemaException NoValue(Rule root, Heights heights)
    {
        Rule nearest = root;
        HashSet<Rule> seen = [];
        while (seen.Add(nearest) && heights.Needed.TryGetValue(nearest, out Rule? needed))
            nearest = needed;
        bool isTold = _conflicts.TryGetValue(nearest, out (Keyword Keyword, string Why) conflict);
        return SchemaErrors.NoValue(nearest.Name, isTold ? conflict.Why : null, isTold ? conflict.Keyword.Name : null);
    }
}

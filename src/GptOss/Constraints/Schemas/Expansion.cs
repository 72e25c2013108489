namespace GptOss.Constraints.Schemas;

/// <summary>
/// Turns a conjunction of schemas into its alternatives: what is asked for is followed, what branches is tried in every
/// way, and a branch ends where it contradicts itself.
/// </summary>
/// <param name="negation">Rewrites what is denied.</param>
/// <param name="literals">Looks at listed values, which need no branches.</param>
/// <param name="areDisjoint">Whether surely no value fits some keywords together with two goals.</param>
/// <param name="isEmpty">Whether surely no value fits an alternative.</param>
/// <param name="budget">Pays for the branches.</param>
internal sealed class Expansion(
    Negation negation,
    LiteralCheck literals,
    Func<IReadOnlyList<Placed>, Goal, Goal, bool> areDisjoint,
    Func<SchemaAlternative, bool> isEmpty,
    CompileBudget budget
)
{
    private const int MostAlternatives = 1_000,
        MostUnlooked = 8,
        MostEvaluatedBranches = 6;

    /// <summary>The ways to meet all of some keywords; none where no value does.</summary>
    /// <exception cref="LimitException">There are more than the limit.</exception>
    /// <exception cref="UnsupportedException">The opposite of a schema is needed and cannot be said.</exception>
    public List<SchemaAlternative> Of(IEnumerable<Placed> start)
    {
        budget.Take(10_000);
        var done = new List<SchemaAlternative>();
        var open = new Stack<Branch>([new Branch(start)]);
        while (open.TryPop(out Branch? branch))
        {
            while (branch.Settle(negation, budget))
            {
                if (branch.Listed is EnumKeyword listed)
                {
                    if (FittingValues(branch, listed) is { Count: > 0 } values)
                        done.Add(branch.ToAlternative(values));
                    break;
                }
                if (!branch.TryDefer(out Placed next))
                {
                    done.Add(branch.ToAlternative());
                    break;
                }
                // Of many branches most contradict themselves, and each would part into more.
                if (done.Count + open.Count > MostUnlooked && isEmpty(branch.ToAlternative()))
                    break;
                List<Keyword[]> ways = Ways(next, branch);
                if (ways.Count == 0)
                    break;
                for (int i = ways.Count - 1; i > 0; i--)
                {
                    budget.Take(250 * branch.Weight);
                    open.Push(branch.With(ways[i], next.Origin));
                }
                if (done.Count + open.Count >= MostAlternatives)
                    throw new LimitException($"has more than {MostAlternatives:N0} alternatives, which is the limit");
                branch.Add(ways[0], next.Origin);
            }
        }
        return done;
    }

    // Values that are listed are tried one by one, against all that is asked for and before it branches.
    private List<Literal> FittingValues(Branch branch, EnumKeyword listed)
    {
        var fitting = new List<Literal>();
        foreach (Literal value in listed.Values)
            if (
                branch.Settled.All(placed => literals.Holds(value, placed.Keyword))
                && branch.Deferred.All(placed => literals.Holds(value, placed.Keyword))
            )
                fitting.Add(value);
        return fitting;
    }

    private List<Keyword[]> Ways(Placed placed, Branch branch)
    {
        string at = placed.Keyword.Pointer;
        switch (placed.Keyword)
        {
            case AllOfKeyword { Goals: [{ IsNegated: true } denied] }:
                return negation.WaysToFail(denied.Node);
            case AnyOfKeyword any:
                return placed.Origin?.Scope is null
                    ? [.. any.Goals.Select(goal => new Keyword[] { new AllOfKeyword(at, [goal]) })]
                    : Subsets(any);
            case OneOfKeyword one:
                return [.. one.Goals.SelectMany((_, index) => OneAndNoOther(one, index, branch))];
            case IfKeyword condition:
                return
                [
                    [new AllOfKeyword(at, Present(condition.If, condition.Then))],
                    [new AllOfKeyword(at, Present(condition.If.Not, condition.Else))],
                ];
            case DependentSchemaKeyword dependent:
                return
                [
                    [Negation.Without(at, dependent.If)],
                    [
                        new TypeKeyword(at, JsonTypes.Object),
                        new RequiredKeyword(at, [dependent.If], Declares: false),
                        new AllOfKeyword(at, [dependent.Then]),
                    ],
                ];
            default:
                throw new InvalidOperationException($"{placed.Keyword.Name} does not branch.");
        }
    }

    // Every branch that fits tells what it has looked at, so several that fit together are a case of their own.
    private static List<Keyword[]> Subsets(AnyOfKeyword any)
    {
        if (any.Goals.Count > MostEvaluatedBranches)
            throw new UnsupportedException(
                any.Pointer,
                $"of more than {MostEvaluatedBranches} schemas within 'unevaluated…' is not supported"
            );
        var subsets = new List<Keyword[]>();
        for (int members = 1; members < 1 << any.Goals.Count; members++)
            subsets.Add([
                new AllOfKeyword(any.Pointer, [.. any.Goals.Where((_, index) => (members >> index & 1) != 0)]),
            ]);
        return subsets;
    }

    // One branch and the opposite of every other one that may fit with it. Branches without a type all fit what is no
    // object, but often no object fits two of them; then objects are a case of their own, without any opposite.
    private List<Keyword[]> OneAndNoOther(OneOfKeyword one, int index, Branch branch)
    {
        Goal[] others = Overlapping(one, index, branch.Settled);
        if (others.Length > 0 && (branch.Types & JsonTypes.Object) != 0 && branch.Types != JsonTypes.Object)
        {
            var isObject = new TypeKeyword(one.Pointer, JsonTypes.Object);
            Goal[] overlapping = Overlapping(one, index, [.. branch.Settled, new(isObject, null)]);
            if (overlapping.Length < others.Length)
                return
                [
                    [isObject, OneWithout(overlapping)],
                    [new TypeKeyword(one.Pointer, JsonTypes.Any & ~JsonTypes.Object), OneWithout(others)],
                ];
        }
        return
        [
            [OneWithout(others)],
        ];

        AllOfKeyword OneWithout(Goal[] denied) =>
            new(one.Pointer, [one.Goals[index], .. denied.Select(goal => goal.Not)]);
    }

    private Goal[] Overlapping(OneOfKeyword one, int index, IReadOnlyList<Placed> context) =>
        [.. one.Goals.Where((goal, other) => other != index && !areDisjoint(context, one.Goals[index], goal))];

    private static Goal[] Present(Goal first, Goal? second) => second is Goal goal ? [first, goal] : [first];
}

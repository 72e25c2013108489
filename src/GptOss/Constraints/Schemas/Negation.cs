using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>
/// Rewrites "does not fit" into what a value has to do instead. The keywords of a schema are denied one by one, and
/// each gives ways in which a value can fail it; a value that goes one of these ways does not fit.
/// </summary>
/// <param name="namesOf">The strings that meet some goals.</param>
/// <param name="budget">Pays for the complements of patterns.</param>
internal sealed class Negation(Func<IReadOnlyList<Goal>, CodePointDfa> namesOf, CompileBudget budget)
{
    private const int MostBranchesInPairs = 16;

    // Which keyword of the caller's schema asked for the opposite of a schema, for messages.
    private readonly Dictionary<SchemaNode, string> _askers = [];
    private readonly Dictionary<CodePointDfa, CodePointDfa> _complements = [];

    /// <summary>Notes which keyword asks for the opposite of a schema; the first one counts.</summary>
    public void Ask(Goal goal, string pointer)
    {
        if (goal.IsNegated)
            _askers.TryAdd(goal.Node, pointer);
    }

    /// <summary>Notes that whoever asks for the opposite of a schema asks for that of another one, too.</summary>
    public void AskOn(SchemaNode asked, Goal goal) => Ask(goal, _askers.GetValueOrDefault(asked, asked.Pointer));

    /// <summary>The ways not to fit a schema, each a list of keywords of which all have to be met.</summary>
    /// <exception cref="UnsupportedException">The opposite of a keyword cannot be said.</exception>
    public List<Keyword[]> WaysToFail(SchemaNode node)
    {
        string asker = _askers.GetValueOrDefault(node, node.Pointer);
        List<Keyword[]> ways = [.. node.Keywords.SelectMany(keyword => WaysToFail(keyword, asker))];
        foreach (Goal goal in ways.SelectMany(way => way.SelectMany(GoalsIn)))
            AskOn(node, goal);
        return ways;
    }

    private IEnumerable<Keyword[]> WaysToFail(Keyword keyword, string asker)
    {
        string at = keyword.Pointer;
        return keyword switch
        {
            TypeKeyword type =>
            [
                [new TypeKeyword(at, JsonTypes.Any & ~type.Types)],
            ],
            EnumKeyword list when list.Values.All(value => (value.Type & JsonTypes.Scalar) != 0) =>
            [
                [new ExcludedKeyword(at, list.Values)],
            ],
            MinimumKeyword min =>
            [
                [new TypeKeyword(at, JsonTypes.Number), new MaximumKeyword(at, Beyond(min.Bound))],
            ],
            MaximumKeyword max =>
            [
                [new TypeKeyword(at, JsonTypes.Number), new MinimumKeyword(at, Beyond(max.Bound))],
            ],
            MultipleOfKeyword multiple =>
            [
                [new TypeKeyword(at, JsonTypes.Number), multiple with { IsNegated = !multiple.IsNegated }],
            ],
            SizeKeyword size => Sizes(size),
            LanguageKeyword { Whole: CodePointDfa whole } =>
            [
                [new TypeKeyword(at, JsonTypes.String), new LanguageKeyword(at, Complement(whole), whole)],
            ],
            ObjectKeyword properties => Properties(properties, asker),
            RequiredKeyword required => required.Names.Select(name =>
                new Keyword[] { OfObject(at), Without(at, name) }
            ),
            DependentRequiredKeyword dependent => dependent.Then.Select(name =>
                new Keyword[] { OfObject(at), With(at, dependent.If), Without(at, name) }
            ),
            DependentSchemaKeyword dependent =>
            [
                [OfObject(at), With(at, dependent.If), new AllOfKeyword(at, [dependent.Then.Not])],
            ],
            PropertyNamesKeyword names => PropertyNames(names, asker),
            ArrayKeyword items when items.Prefix.Count == 0 || items.Rest is null or { IsEverything: true } => Items(
                items,
                asker
            ),
            ContainsKeyword contains => Contains(contains),
            AllOfKeyword all => all.Goals.Select(goal => new Keyword[] { new AllOfKeyword(at, [goal.Not]) }),
            AnyOfKeyword any =>
            [
                [new AllOfKeyword(at, [.. any.Goals.Select(goal => goal.Not)])],
            ],
            OneOfKeyword one when one.Goals.Count <= MostBranchesInPairs => OneOf(one),
            IfKeyword condition => If(condition),
            _ => throw new UnsupportedException(
                asker,
                $"over '{keyword.Name}', at {keyword.Pointer}, is not supported"
            ),
        };
    }

    private static IEnumerable<Keyword[]> Sizes(SizeKeyword size)
    {
        var type = new TypeKeyword(size.Pointer, size.Of);
        if (size.Min > 0)
            yield return [type, size with { Min = 0, Max = size.Min - 1 }];
        if (size.Max is < SchemaValue.MostSize and int max)
            yield return [type, size with { Min = max + 1, Max = null }];
    }

    private IEnumerable<Keyword[]> Properties(ObjectKeyword keyword, string asker)
    {
        string at = keyword.Pointer;
        foreach ((string name, Goal value) in keyword.Properties)
            if (!value.IsEverything)
                yield return [OfObject(at), With(at, name), Property(at, name, value.Not)];
        foreach ((CodePointDfa names, Goal value) in keyword.Patterns)
            if (!value.IsEverything)
                yield return [OfObject(at), new SomePropertyKeyword(asker, names, value.Not)];
        if (keyword.Additional is not Goal { IsEverything: false } additional)
            yield break;
        CodePointDfa named = CodePointDfa.Of(keyword.Properties.Select(property => property.Key));
        foreach ((CodePointDfa names, _) in keyword.Patterns)
            named = named.Or(names, budget);
        yield return [OfObject(at), new SomePropertyKeyword(asker, Complement(named), additional.Not)];
    }

    private IEnumerable<Keyword[]> PropertyNames(PropertyNamesKeyword names, string asker)
    {
        Ask(names.Names.Not, asker);
        CodePointDfa others = namesOf([names.Names.Not]);
        if (!others.IsEmpty)
            yield return [OfObject(names.Pointer), new SomePropertyKeyword(asker, others, new(SchemaNode.Everything))];
    }

    private static IEnumerable<Keyword[]> Items(ArrayKeyword items, string asker)
    {
        string at = items.Pointer;
        var type = new TypeKeyword(at, JsonTypes.Array);
        for (int place = 0; place < items.Prefix.Count; place++)
        {
            Goal anything = new(SchemaNode.Everything);
            Goal[] prefix = [.. Enumerable.Repeat(anything, place), items.Prefix[place].Not];
            if (!items.Prefix[place].IsEverything)
                yield return
                [
                    type,
                    new SizeKeyword(at, JsonTypes.Array, place + 1, Max: null),
                    new ArrayKeyword(at, prefix, Rest: null),
                ];
        }
        if (items.Rest is Goal { IsEverything: false } rest)
            yield return [type, new ContainsKeyword(asker, rest.Not, Min: 1, Max: null)];
    }

    private static IEnumerable<Keyword[]> Contains(ContainsKeyword contains)
    {
        var type = new TypeKeyword(contains.Pointer, JsonTypes.Array);
        if (contains.Min > 0)
            yield return [type, contains with { Min = 0, Max = contains.Min - 1 }];
        if (contains.Max is < SchemaValue.MostSize and int max)
            yield return [type, contains with { Min = max + 1, Max = null }];
    }

    // None of the branches fits, or two of them do.
    private static IEnumerable<Keyword[]> OneOf(OneOfKeyword one)
    {
        yield return [new AllOfKeyword(one.Pointer, [.. one.Goals.Select(goal => goal.Not)])];
        for (int first = 0; first < one.Goals.Count; first++)
        for (int second = first + 1; second < one.Goals.Count; second++)
            yield return [new AllOfKeyword(one.Pointer, [one.Goals[first], one.Goals[second]])];
    }

    private static IEnumerable<Keyword[]> If(IfKeyword condition)
    {
        if (condition.Then is Goal then)
            yield return [new AllOfKeyword(condition.Pointer, [condition.If, then.Not])];
        if (condition.Else is Goal otherwise)
            yield return [new AllOfKeyword(condition.Pointer, [condition.If.Not, otherwise.Not])];
    }

    private static DecimalBound Beyond(DecimalBound bound) => bound with { IsExclusive = !bound.IsExclusive };

    private CodePointDfa Complement(CodePointDfa language)
    {
        if (!_complements.TryGetValue(language, out CodePointDfa? complement))
            _complements[language] = complement = language.Not(budget);
        return complement;
    }

    private static TypeKeyword OfObject(string at) => new(at, JsonTypes.Object);

    private static RequiredKeyword With(string at, string name) => new(at, [name], Declares: false);

    /// <summary>An object without a property of some name.</summary>
    public static ObjectKeyword Without(string at, string name) => Property(at, name, Goal.Nothing);

    private static ObjectKeyword Property(string at, string name, Goal value) =>
        new(at, [KeyValuePair.Create(name, value)], [], Additional: null, Declares: false);

    private static IEnumerable<Goal> GoalsIn(Keyword keyword) =>
        keyword switch
        {
            AllOfKeyword all => all.Goals,
            ObjectKeyword properties => properties.Properties.Select(property => property.Value),
            SomePropertyKeyword some => [some.Value],
            ContainsKeyword contains => [contains.Item],
            ArrayKeyword items => items.Prefix,
            _ => [],
        };
}

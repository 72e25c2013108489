using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>What an alternative asks of the properties of an object, whichever schemas ask it.</summary>
internal sealed class ObjectParts
{
    private readonly List<(ObjectKeyword Keyword, Origin? Origin)> _parts = [];
    private readonly List<(UnevaluatedKeyword Keyword, Origin? Origin)> _unevaluated = [];
    private readonly List<Goal> _names = [];
    private readonly LiteralCheck _literals;
    private readonly HashSet<string> _declared = new(StringComparer.Ordinal);
    private readonly bool _isClosed;

    /// <param name="alternative">What is asked for.</param>
    /// <param name="isClosedByDefault">Whether an object that declares properties has no others unless told so.</param>
    /// <param name="literals">Looks at the names of properties.</param>
    public ObjectParts(SchemaAlternative alternative, bool isClosedByDefault, LiteralCheck literals)
    {
        _literals = literals;
        foreach ((Keyword keyword, Origin? origin) in alternative.Keywords)
            switch (keyword)
            {
                case ObjectKeyword part:
                    _parts.Add((part, origin));
                    break;
                case UnevaluatedKeyword { Of: JsonTypes.Object } unevaluated:
                    _unevaluated.Add((unevaluated, origin));
                    break;
                case PropertyNamesKeyword names:
                    _names.Add(names.Names);
                    break;
            }
        Required = [.. alternative.Of<RequiredKeyword>().SelectMany(keyword => keyword.Names).Distinct()];
        Dependent = [.. alternative.Of<DependentRequiredKeyword>()];
        Some = [.. alternative.Of<SomePropertyKeyword>()];
        Declared =
        [
            .. _parts
                .SelectMany(part => part.Keyword.Properties.Select(property => property.Key))
                .Concat(Required)
                .Concat(Dependent.SelectMany(dependent => dependent.Then.Prepend(dependent.If)))
                .Distinct(),
        ];
        _declared.UnionWith(
            _parts
                .Where(part => part.Keyword.Declares)
                .SelectMany(part => part.Keyword.Properties.Select(property => property.Key))
                .Concat(alternative.Of<RequiredKeyword>().Where(keyword => keyword.Declares).SelectMany(k => k.Names))
                .Concat(Dependent.SelectMany(dependent => dependent.Then))
        );
        _isClosed = isClosedByDefault && SaysNothingOfOthers(alternative.Size(JsonTypes.Object).Min);
    }

    /// <summary>The names that must come.</summary>
    public IReadOnlyList<string> Required { get; }

    /// <summary>What must come with other names.</summary>
    public IReadOnlyList<DependentRequiredKeyword> Dependent { get; }

    /// <summary>Properties of which one has to be there.</summary>
    public IReadOnlyList<SomePropertyKeyword> Some { get; }

    /// <summary>All names that are spoken of, in the order in which they are.</summary>
    public IReadOnlyList<string> Declared { get; }

    /// <summary>What the names have to fit.</summary>
    public IReadOnlyList<Goal> Names => _names;

    /// <summary>The languages of names that are told apart.</summary>
    public IEnumerable<CodePointDfa> Patterns =>
        _parts
            .SelectMany(part => part.Keyword.Patterns.Select(pattern => pattern.Names))
            .Concat(Some.Select(some => some.Names))
            .Distinct();

    /// <summary>Whether no name comes that is neither declared nor of a pattern.</summary>
    public bool HasNoOthers => _isClosed && !_parts.Exists(part => part.Keyword.Patterns.Count > 0);

    /// <summary>What the value of a property has to fit.</summary>
    public List<Goal> GoalsOf(string name) =>
        _names.TrueForAll(goal => _literals.Holds(Literal.String(name), goal))
            ? GoalsOf(name, names => names.Accepts(name))
            : [Goal.Nothing];

    /// <summary>What the value of an undeclared property has to fit whose name belongs to some languages.</summary>
    public List<Goal> GoalsOf(Func<CodePointDfa, bool> isOf) => GoalsOf(name: null, isOf);

    private List<Goal> GoalsOf(string? name, Func<CodePointDfa, bool> isOf)
    {
        bool isDeclared = name is not null && _declared.Contains(name);
        if (_isClosed && !isDeclared && !_parts.Exists(part => part.Keyword.Patterns.Any(p => isOf(p.Names))))
            return [Goal.Nothing];
        var goals = new List<Goal>();
        foreach ((ObjectKeyword part, _) in _parts)
            goals.AddRange(name is null ? PropertyGoals.Of(part, isOf) : PropertyGoals.Of(part, name));
        foreach ((UnevaluatedKeyword keyword, Origin? origin) in _unevaluated)
            if (!IsEvaluated(origin!, keyword, name, isOf))
                goals.Add(keyword.Value);
        return goals;
    }

    private bool IsEvaluated(Origin scope, UnevaluatedKeyword keyword, string? name, Func<CodePointDfa, bool> isOf) =>
        _parts.Exists(part => part.Origin!.IsWithin(scope) && PropertyGoals.Looks(part.Keyword, name, isOf))
        || _unevaluated.Exists(inner => inner.Keyword != keyword && inner.Origin!.IsWithin(scope));

    private bool SaysNothingOfOthers(int minProperties) =>
        _parts.Exists(part => part.Keyword.Declares)
        && !_parts.Exists(part => part.Keyword.Additional is not null)
        && _unevaluated.Count == 0
        && Some.Count == 0
        && (_declared.Count >= minProperties || _parts.Exists(part => part.Keyword.Patterns.Count > 0));
}

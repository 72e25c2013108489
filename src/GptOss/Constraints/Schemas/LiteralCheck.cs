using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>
/// Tells of a literal whether it surely fits a schema, or surely does not: neither where a format is asked of a text
/// that only the wider reading of other validators lets through.
/// </summary>
/// <param name="budget">Pays for every keyword that is looked at.</param>
internal sealed class LiteralCheck(CompileBudget budget)
{
    // Schemas that refer to each other without a value between are followed so far.
    private const int MostFollowed = 400;

    private int _followed;

    /// <summary>Whether a literal surely does what a goal asks.</summary>
    public bool Holds(Literal value, Goal goal)
    {
        if (++_followed > MostFollowed)
            throw new LimitException($"refers to more than {MostFollowed} schemas in a row");
        try
        {
            return goal.IsNegated
                ? goal.Node.Keywords.Exists(keyword => Holds(value, keyword, isNegated: true))
                : goal.Node.Keywords.TrueForAll(keyword => Holds(value, keyword, isNegated: false));
        }
        finally
        {
            _followed--;
        }
    }

    /// <summary>Whether a literal surely fits a keyword; or surely does not, where the keyword is negated.</summary>
    public bool Holds(Literal value, Keyword keyword, bool isNegated = false)
    {
        budget.Take(300);
        return keyword switch
        {
            TypeKeyword type => type.Types.HasFlag(value.Type) != isNegated,
            EnumKeyword list => list.Has(value) != isNegated,
            ExcludedKeyword list => list.Has(value) == isNegated,
            SizeKeyword size => Size(value, size.Of) is int count
                ? (count >= size.Min && count <= (size.Max ?? int.MaxValue)) != isNegated
                : !isNegated,
            LanguageKeyword language => Language(value, language, isNegated),
            AllOfKeyword all => isNegated
                ? all.Goals.Any(goal => Holds(value, goal.Not))
                : all.Goals.All(goal => Holds(value, goal)),
            AnyOfKeyword any => isNegated
                ? any.Goals.All(goal => Holds(value, goal.Not))
                : any.Goals.Any(goal => Holds(value, goal)),
            OneOfKeyword one => OneOf(value, one, isNegated),
            IfKeyword condition => If(value, condition, isNegated),
            _ => (value.Type & JsonTypes.Number) != 0 ? Number(value, keyword, isNegated)
            : value.Type == JsonTypes.Object ? Object(value, keyword, isNegated)
            : value.Type == JsonTypes.Array ? Array(value, keyword, isNegated)
            : !isNegated,
        };
    }

    private static int? Size(Literal value, JsonTypes of) =>
        value.Type != of ? null
        : of == JsonTypes.String ? value.Text.EnumerateRunes().Count()
        : of == JsonTypes.Array ? value.Items.Count
        : value.Members.Count;

    private bool Language(Literal value, LanguageKeyword language, bool isNegated)
    {
        if (value.Type != JsonTypes.String)
            return !isNegated;
        budget.Take(4L * value.Text.Length);
        return !isNegated
            ? (language.Whole ?? language.Language).Accepts(value.Text)
            : language.Whole is CodePointDfa whole && !whole.Accepts(value.Text);
    }

    private bool OneOf(Literal value, OneOfKeyword one, bool isNegated)
    {
        int holding = one.Goals.Count(goal => Holds(value, goal)),
            failing = one.Goals.Count(goal => Holds(value, goal.Not));
        return isNegated ? holding > 1 || failing == one.Goals.Count : holding == 1 && failing == one.Goals.Count - 1;
    }

    private bool If(Literal value, IfKeyword condition, bool isNegated)
    {
        if (condition is { Then: null, Else: null })
            return !isNegated;
        Goal? then =
            Holds(value, condition.If) ? condition.Then
            : Holds(value, condition.If.Not) ? condition.Else
            : throw Unknown(condition);
        return then is Goal goal ? Holds(value, isNegated ? goal.Not : goal) : !isNegated;
    }

    private static bool Number(Literal value, Keyword keyword, bool isNegated) =>
        keyword switch
        {
            MinimumKeyword { Bound: var bound } => value.Number.CompareTo(bound.Value) >= (bound.IsExclusive ? 1 : 0)
                != isNegated,
            MaximumKeyword { Bound: var bound } => value.Number.CompareTo(bound.Value) <= (bound.IsExclusive ? -1 : 0)
                != isNegated,
            MultipleOfKeyword multiple => value.Number.IsMultipleOf(multiple.Divisor)
                != multiple.IsNegated
                != isNegated,
            _ => !isNegated,
        };

    private bool Array(Literal value, Keyword keyword, bool isNegated)
    {
        switch (keyword)
        {
            case UniqueKeyword:
                return value.Items.DistinctBy(item => item.Key).Count() == value.Items.Count != isNegated;
            case ContainsKeyword contains:
                int holding = value.Items.Count(item => Holds(item, contains.Item)),
                    failing = value.Items.Count(item => Holds(item, contains.Item.Not)),
                    possible = value.Items.Count - failing,
                    max = contains.Max ?? int.MaxValue;
                return isNegated
                    ? possible < contains.Min || holding > max
                    : holding >= contains.Min && possible <= max;
            case ArrayKeyword items:
                return All(
                    value.Items.Select(
                        (item, place) => (item, place < items.Prefix.Count ? items.Prefix[place] : items.Rest)
                    ),
                    isNegated
                );
            case UnevaluatedKeyword { Of: JsonTypes.Array }:
                throw Unknown(keyword);
            default:
                return !isNegated;
        }
    }

    private bool Object(Literal value, Keyword keyword, bool isNegated)
    {
        budget.Take(20L * value.Members.Count);
        switch (keyword)
        {
            case RequiredKeyword required:
                budget.Take(20L * required.Names.Count);
                return required.Names.All(value.Has) != isNegated;
            case DependentRequiredKeyword dependent:
                return (!value.Has(dependent.If) || dependent.Then.All(value.Has)) != isNegated;
            case DependentSchemaKeyword dependent:
                return value.Has(dependent.If)
                    ? Holds(value, isNegated ? dependent.Then.Not : dependent.Then)
                    : !isNegated;
            case PropertyNamesKeyword names:
                return All(value.Members.Select(member => (Literal.String(member.Key), (Goal?)names.Names)), isNegated);
            case ObjectKeyword properties:
                return All(
                    value.Members.SelectMany(member =>
                        PropertyGoals.Of(properties, member.Key).Select(goal => (member.Value, (Goal?)goal))
                    ),
                    isNegated
                );
            case SomePropertyKeyword some:
                IEnumerable<Literal> values = value
                    .Members.Where(member => some.Names.Accepts(member.Key))
                    .Select(member => member.Value);
                return isNegated
                    ? values.All(member => Holds(member, some.Value.Not))
                    : values.Any(member => Holds(member, some.Value));
            case UnevaluatedKeyword { Of: JsonTypes.Object }:
                throw Unknown(keyword);
            default:
                return !isNegated;
        }
    }

    private bool All(IEnumerable<(Literal Value, Goal? Goal)> parts, bool isNegated) =>
        isNegated
            ? parts.Any(part => part.Goal is Goal goal && Holds(part.Value, goal.Not))
            : parts.All(part => part.Goal is not Goal goal || Holds(part.Value, goal));

    private static UnsupportedException Unknown(Keyword keyword) =>
        new(keyword.Pointer, "beside literals is not supported");
}

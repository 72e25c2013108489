using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>
/// Rules of items of which no two may be equal: scalars in one spelling each, so that equal values have equal texts.
/// </summary>
/// <param name="expand">The alternatives of some goals.</param>
/// <param name="strings">Builds the strings of an alternative.</param>
/// <param name="numbers">Builds the numbers of an alternative.</param>
/// <param name="languages">Combines the languages of alternatives.</param>
internal sealed class UniqueItems(
    Func<IReadOnlyList<Goal>, List<SchemaAlternative>> expand,
    StringShapes strings,
    NumberLanguages numbers,
    LanguageCache languages
)
{
    private readonly List<Rule> _rules = [];

    /// <summary>All rules that were made.</summary>
    public IReadOnlyList<Rule> Rules => _rules;

    /// <summary>The rule of items that meet some goals.</summary>
    /// <exception cref="UnsupportedException">An item may be an object or an array.</exception>
    public Rule RuleOf(IReadOnlyList<Goal> goals, UniqueKeyword keyword)
    {
        CodePointDfa unquoted = CodePointDfa.Nothing,
            quoted = CodePointDfa.Nothing;
        HashSet<string> words = new(StringComparer.Ordinal),
            texts = new(StringComparer.Ordinal);
        foreach (SchemaAlternative alternative in expand(goals))
        {
            JsonTypes types = alternative.Literals?.Aggregate(JsonTypes.None, (all, value) => all | value.Type)
                ?? alternative.Types;
            if ((types & ~JsonTypes.Scalar) != 0)
                throw new UnsupportedException(
                    keyword.Pointer,
                    "over items that may be objects or arrays is not supported"
                );
            foreach (Literal value in alternative.Literals ?? [])
                (value.Type == JsonTypes.String ? texts : words).Add(value.Text);
            if (alternative.Literals is not null)
                continue;
            words.UnionWith(ScalarShapes.Words(alternative));
            if ((types & JsonTypes.Number) != 0)
                unquoted = languages.Or(unquoted, numbers.Of(alternative, isCanonical: true));
            if ((types & JsonTypes.String) != 0)
                quoted = languages.Or(quoted, strings.LanguageOf(alternative));
        }
        var rule = new Rule(keyword.Pointer);
        Add(rule, languages.Or(unquoted, CodePointDfa.Of(words)), isQuoted: false);
        Add(rule, languages.Or(quoted, CodePointDfa.Of(texts)), isQuoted: true);
        _rules.Add(rule);
        return rule;
    }

    /// <summary>
    /// Bounds an array by the number of its values; null where there are fewer than it needs. With items that have
    /// places of their own, every place has to have a value left, whatever stands before it.
    /// </summary>
    public static ArrayShape? Bounded(
        ArrayShape shape,
        UniqueKeyword keyword,
        SchemaAlternative alternative,
        Action<Keyword, string> conflict
    )
    {
        if (shape.Contains.Count > 0)
            throw new UnsupportedException(keyword.Pointer, "beside 'contains' is not supported");
        if (shape.Prefix.Count > 0)
            return shape.Prefix.Append(shape.Rest).All(items => Values(items) is null or int.MaxValue)
                ? shape
                : throw new UnsupportedException(
                    keyword.Pointer,
                    "over items with places of their own and few values is not supported"
                );
        int values = Values(shape.Rest) ?? 0;
        if (values >= shape.MinItems)
            return values < (shape.MaxItems ?? int.MaxValue) ? shape with { MaxItems = values } : shape;
        conflict(
            alternative.Of<SizeKeyword>().Last(size => size.Of == JsonTypes.Array && size.Min > values),
            $"there are only {values:N0} different items"
        );
        return null;
    }

    // The number of values; null where the place cannot be filled at all.
    private static int? Values(IReadOnlyList<Item> items)
    {
        long values = items
            .SelectMany(item => item.Value.Alternatives)
            .Sum(shape => Math.Min(((TextShape)shape).Language.Measures.Texts(CodePointDfa.Start), int.MaxValue));
        return values == 0 ? null : (int)Math.Min(values, int.MaxValue);
    }

    private static void Add(Rule rule, CodePointDfa language, bool isQuoted)
    {
        if (!language.IsEmpty)
            rule.Alternatives.Add(new TextShape(language, isQuoted));
    }
}

using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>The objects that an alternative allows.</summary>
/// <param name="isAnyOrder">Whether declared properties come in any order.</param>
/// <param name="ruleOf">The rule of values that meet some goals.</param>
/// <param name="namesOf">The strings that meet some goals.</param>
/// <param name="languages">Combines the languages of names.</param>
/// <param name="budget">Pays for the properties of all shapes.</param>
internal sealed class ObjectShapes(
    bool isAnyOrder,
    Func<IReadOnlyList<Goal>, Rule> ruleOf,
    Func<IReadOnlyList<Goal>, CodePointDfa> namesOf,
    LanguageCache languages,
    CompileBudget budget
)
{
    private const int MostLanguages = 128,
        MostNames = 2_000,
        MostNameCharacters = 200_000,
        MostPropertiesInAll = 1_000_000;

    private int _properties;

    /// <summary>The shapes of the objects of an alternative; none where there is no object.</summary>
    public IEnumerable<ObjectShape> Of(SchemaAlternative alternative, ObjectParts parts)
    {
        (int min, int? max) = alternative.Size(JsonTypes.Object);
        if (min > max || parts.Required.Count > max)
            return [];
        if (parts.Declared.Count > MostNames)
            throw new LimitException($"has {parts.Declared.Count:N0} names, and the limit is {MostNames:N0}");
        int length = parts.Declared.Sum(name => name.Length);
        if (length > MostNameCharacters)
            throw new LimitException(
                $"has names of {length:N0} characters together, and the limit is {MostNameCharacters:N0}"
            );
        List<ExtraNames> extras = Extras(parts);
        return Choices(parts, extras.Count > 0).Select(choice => Shape(parts, extras, choice, (min, max)));
    }

    // Which property is the one that has to be there, for each such demand: a declared one, or null for an extra one.
    private static IEnumerable<string?[]> Choices(ObjectParts parts, bool hasExtras)
    {
        IEnumerable<string?[]> choices =
        [
            [],
        ];
        foreach (SomePropertyKeyword some in parts.Some)
        {
            string?[] names = [.. parts.Declared.Where(name => some.Names.Accepts(name)), .. Extra(hasExtras)];
            choices = choices.SelectMany(choice => names.Select(name => (string?[])[.. choice, name]));
        }
        foreach (string?[] choice in choices)
        {
            if (choice.Count(name => name is null) > 1)
                throw new UnsupportedException(
                    parts.Some[1].Pointer,
                    "asks for a second undeclared property beside another one, which is not supported"
                );
            yield return choice;
        }
    }

    private static string?[] Extra(bool hasExtras) => hasExtras ? [null] : [];

    private ObjectShape Shape(ObjectParts parts, List<ExtraNames> extras, string?[] choice, (int Min, int? Max) size)
    {
        _properties += parts.Declared.Count;
        if (_properties > MostPropertiesInAll)
            throw new LimitException($"brings the properties of all rules beyond {MostPropertiesInAll:N0}");
        budget.Take(1_500 * parts.Declared.Count);
        HashSet<string> required = [.. parts.Required, .. choice.OfType<string>()];
        Dictionary<string, int> places = new(StringComparer.Ordinal);
        var properties = new List<Property>();
        foreach (string name in parts.Declared)
        {
            places[name] = properties.Count;
            List<Goal> goals = parts.GoalsOf(name);
            goals.AddRange(parts.Some.Where((_, index) => choice[index] == name).Select(some => some.Value));
            Rule? value = goals.Exists(goal => goal.IsNothing) ? null : ruleOf(goals);
            properties.Add(new(name, value, required.Contains(name)));
        }
        int counted = Array.IndexOf(choice, null);
        return new()
        {
            Properties = properties,
            Extras = counted < 0 ? Uncounted(extras) : [.. Counted(extras, parts.Some[counted])],
            IsAnyOrder = isAnyOrder,
            MinProperties = size.Min,
            MaxProperties = size.Max,
            DependentRequired =
            [
                .. parts
                    .Dependent.SelectMany(dependent =>
                        dependent.Then.Select(then => (If: places[dependent.If], Then: places[then]))
                    )
                    .Where(pair => pair.If != pair.Then)
                    .Distinct(),
            ],
            MinCounted = counted < 0 ? 0 : 1,
        };
    }

    // Languages whose values have the same rule are one.
    private List<ExtraProperties> Uncounted(List<ExtraNames> extras)
    {
        var found = new List<ExtraProperties>();
        foreach ((CodePointDfa names, List<Goal> goals) in extras)
        {
            Rule values = ruleOf(goals);
            int same = found.FindIndex(extra => extra.Values == values);
            if (same < 0)
                found.Add(new(names, values));
            else
                found[same] = found[same] with { Names = languages.Or(found[same].Names, names) };
        }
        return found;
    }

    // A language lies within the demanded names or outside of them. Within, a property may count or not.
    private IEnumerable<ExtraProperties> Counted(List<ExtraNames> extras, SomePropertyKeyword counted)
    {
        foreach ((CodePointDfa names, List<Goal> goals) in extras)
        {
            yield return new(names, ruleOf(goals));
            if (!languages.And(names, counted.Names).IsEmpty)
                yield return new(names, ruleOf([.. goals, counted.Value]), Counts: true);
        }
    }

    // The names beside the declared ones, parted by the patterns that they match.
    private List<ExtraNames> Extras(ObjectParts parts)
    {
        if (parts.HasNoOthers)
            return [];
        CodePointDfa all = CodePointDfa.AnyText;
        if (parts.Names.Count > 0)
            all = namesOf(parts.Names);
        List<(CodePointDfa Names, CodePointDfa[] Matched)> cells = all.IsEmpty ? [] : [(all, [])];
        foreach (CodePointDfa pattern in parts.Patterns)
        {
            var parted = new List<(CodePointDfa, CodePointDfa[])>();
            foreach ((CodePointDfa names, CodePointDfa[] matched) in cells)
            {
                if (languages.And(names, pattern) is { IsEmpty: false } inside)
                    parted.Add((inside, [.. matched, pattern]));
                if (languages.Minus(names, pattern) is { IsEmpty: false } outside)
                    parted.Add((outside, matched));
            }
            cells = parted;
            if (cells.Count > MostLanguages)
                throw new LimitException(
                    $"parts names into more than {MostLanguages:N0} languages, which is the limit"
                );
        }
        return
        [
            .. cells
                .Select(cell => new ExtraNames(cell.Names, parts.GoalsOf(names => cell.Matched.Contains(names))))
                .Where(extra => !extra.Goals.Exists(goal => goal.IsNothing)),
        ];
    }

    private readonly record struct ExtraNames(CodePointDfa Names, List<Goal> Goals);
}

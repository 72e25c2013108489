namespace GptOss.Constraints.Schemas;

/// <summary>The arrays that an alternative allows.</summary>
/// <param name="ruleOf">The rule of values that meet some goals.</param>
/// <param name="unique">Items that differ from each other.</param>
/// <param name="negation">Is told who asks for the opposite of a schema.</param>
internal sealed class ArrayShapes(Func<IReadOnlyList<Goal>, Rule> ruleOf, UniqueItems unique, Negation negation)
{
    // An item that may count for several demands makes as many readings of it, for each of which the counts differ: the
    // masks of as many readings as this take a tenth of a second.
    private const double MostCounts = 100_000;

    private const int MostContains = 5,
        MostPrefix = 10_000;

    /// <summary>The shape of the arrays of an alternative; null where there is none.</summary>
    /// <param name="alternative">What is asked for.</param>
    /// <param name="conflict">Told the keyword that cannot be met, and why.</param>
    public ArrayShape? Of(SchemaAlternative alternative, Action<Keyword, string> conflict)
    {
        var parts = new ArrayParts(alternative);
        (int min, int? max) = alternative.Size(JsonTypes.Array);
        if (min > max || parts.Contains.Any(contains => contains.Min > contains.Max))
            return null;
        RefuseCrowded(parts, max);
        RefuseLargeCounts(parts);
        int prefix = Math.Min(parts.PrefixCount, max ?? int.MaxValue);
        if (prefix > MostPrefix)
            throw new LimitException($"has {prefix:N0} items in its prefix, and the limit is {MostPrefix:N0}");
        UniqueKeyword? keyword = alternative.Of<UniqueKeyword>().FirstOrDefault();
        bool isUnique = keyword is not null && max is null or > 1;
        Func<IReadOnlyList<Goal>, Rule> rule = isUnique ? goals => unique.RuleOf(goals, keyword!) : ruleOf;
        var shape = new ArrayShape
        {
            Prefix = [.. Enumerable.Range(0, prefix).Select(place => Items(parts, place, rule))],
            Rest = max == prefix ? [] : Items(parts, parts.PrefixCount, rule),
            MinItems = min,
            MaxItems = max,
            IsUnique = isUnique,
            Contains = [.. parts.Contains.Select(contains => (contains.Min, contains.Max))],
        };
        return isUnique ? UniqueItems.Bounded(shape, keyword!, alternative, conflict) : shape;
    }

    private static void RefuseCrowded(ArrayParts parts, int? max)
    {
        if (parts.Contains.Count > MostContains)
            throw new UnsupportedException(
                parts.Contains[^1].Pointer,
                $"more than {MostContains} times is not supported"
            );
        bool isBounded = max is not null || parts.Contains.Any(contains => contains.Max is not null);
        if (parts.Contains.Count > 1 && isBounded)
            throw new UnsupportedException(
                parts.Contains[1].Pointer,
                "beside another one and a bound from above is not supported"
            );
    }

    private static void RefuseLargeCounts(ArrayParts parts)
    {
        double counts = Math.Pow(4, parts.Contains.Count);
        foreach (var contains in parts.Contains)
            counts *= contains.Min + 1.0;
        if (parts.Contains.Count > 1 && counts > MostCounts)
            throw new UnsupportedException(
                parts.Contains[1].Pointer,
                "several times with so large a 'minContains' is not supported"
            );
    }

    // One alternative for each set of demands that an item counts for.
    private List<Item> Items(ArrayParts parts, int place, Func<IReadOnlyList<Goal>, Rule> rule)
    {
        var items = new List<Item>();
        for (uint counts = 0; counts < 1u << parts.Contains.Count; counts++)
        {
            List<Goal> goals = parts.GoalsOf(place, counts);
            for (int index = 0; index < parts.Contains.Count; index++)
                if ((counts >> index & 1) != 0)
                    goals.Add(parts.Contains[index].Item);
                else if (parts.IsTold(index))
                {
                    negation.Ask(parts.Contains[index].Item.Not, parts.Contains[index].Pointer);
                    goals.Add(parts.Contains[index].Item.Not);
                }
            if (!goals.Exists(goal => goal.IsNothing))
                items.Add(new(rule(goals), counts));
        }
        return items;
    }
}

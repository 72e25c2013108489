namespace GptOss.Constraints.Schemas;

/// <summary>
/// What tells schemas apart at a glance: their types, and the few values of properties that they require. Most lists of
/// alternatives are told apart by one such property, and may be long.
/// </summary>
/// <param name="budget">Pays for the looks.</param>
internal sealed class Discriminators(CompileBudget budget)
{
    private const int MostFollowed = 100;

    private readonly Dictionary<SchemaNode, Discriminator> _known = [];

    /// <summary>Whether two schemas surely have no value in common; false where more has to be looked at.</summary>
    public bool AreDisjoint(Goal left, Goal right)
    {
        budget.Take(20);
        if (left.IsNegated || right.IsNegated)
            return false;
        Discriminator one = Of(left.Node),
            other = Of(right.Node);
        JsonTypes types = one.Types & other.Types;
        if (types == JsonTypes.None)
            return true;
        if (types != JsonTypes.Object)
            return false;
        foreach ((string name, HashSet<string> values) in one.Values)
            if (other.Values.TryGetValue(name, out HashSet<string>? others))
            {
                budget.Take(Math.Min(values.Count, others.Count));
                if (!values.Overlaps(others))
                    return true;
            }
        return false;
    }

    private Discriminator Of(SchemaNode node)
    {
        if (!_known.TryGetValue(node, out Discriminator? known))
            _known[node] = known = Read(node);
        return known;
    }

    private Discriminator Read(SchemaNode node)
    {
        List<Keyword> keywords = Plain(node);
        var discriminator = new Discriminator(
            keywords.OfType<TypeKeyword>().Aggregate(JsonTypes.Any, (types, keyword) => types & keyword.Types)
        );
        HashSet<string> required = [.. keywords.OfType<RequiredKeyword>().SelectMany(keyword => keyword.Names)];
        foreach (ObjectKeyword properties in keywords.OfType<ObjectKeyword>())
        foreach ((string name, Goal value) in properties.Properties)
            if (
                !value.IsNegated
                && required.Contains(name)
                && Plain(value.Node).OfType<EnumKeyword>().FirstOrDefault() is EnumKeyword listed
            )
                discriminator.Values.TryAdd(name, [.. listed.Values.Select(literal => literal.Key)]);
        return discriminator;
    }

    // The keywords of a schema and of those that it is a conjunction of.
    private List<Keyword> Plain(SchemaNode node)
    {
        var keywords = new List<Keyword>();
        HashSet<SchemaNode> seen = [];
        var next = new Queue<SchemaNode>([node]);
        while (seen.Count < MostFollowed && next.TryDequeue(out SchemaNode? at))
        {
            if (!seen.Add(at))
                continue;
            budget.Take(at.Keywords.Count);
            keywords.AddRange(at.Keywords);
            foreach (Goal goal in at.Keywords.OfType<AllOfKeyword>().SelectMany(all => all.Goals))
                if (!goal.IsNegated)
                    next.Enqueue(goal.Node);
        }
        return keywords;
    }

    /// <param name="Types">The types that a value may have.</param>
    private sealed record Discriminator(JsonTypes Types)
    {
        /// <summary>By the name of a required property: the values that it may have.</summary>
        public Dictionary<string, HashSet<string>> Values { get; } = new(StringComparer.Ordinal);
    }
}

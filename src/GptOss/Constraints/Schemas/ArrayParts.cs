namespace GptOss.Constraints.Schemas;

/// <summary>What an alternative asks of the items of an array, whichever schemas ask it.</summary>
internal sealed class ArrayParts
{
    private readonly List<(ArrayKeyword Keyword, Origin? Origin)> _parts = [];
    private readonly List<(UnevaluatedKeyword Keyword, Origin? Origin)> _unevaluated = [];
    private readonly List<(ContainsKeyword Keyword, Origin? Origin)> _contains = [];

    /// <param name="alternative">What is asked for.</param>
    public ArrayParts(SchemaAlternative alternative)
    {
        foreach ((Keyword keyword, Origin? origin) in alternative.Keywords)
            switch (keyword)
            {
                case ArrayKeyword part:
                    _parts.Add((part, origin));
                    break;
                case UnevaluatedKeyword { Of: JsonTypes.Array } unevaluated:
                    _unevaluated.Add((unevaluated, origin));
                    break;
            }
        foreach ((Keyword keyword, Origin? origin) in alternative.Keywords)
            if (keyword is ContainsKeyword contains && (contains.Min > 0 || contains.Max is not null || IsSeen(origin)))
                _contains.Add((contains, origin));
        PrefixCount = _parts.Select(part => part.Keyword.Prefix.Count).DefaultIfEmpty(0).Max();
    }

    /// <summary>How many items have a place of their own.</summary>
    public int PrefixCount { get; }

    /// <summary>How often items have to fit something.</summary>
    public IReadOnlyList<ContainsKeyword> Contains => [.. _contains.Select(contains => contains.Keyword)];

    /// <summary>Whether an item that does not count has to be one that does not fit.</summary>
    public bool IsTold(int contains) =>
        _contains[contains].Keyword.Max is not null || IsSeen(_contains[contains].Origin);

    /// <summary>What an item has to fit.</summary>
    /// <param name="place">The item's place; any place behind the prefix is as good as another.</param>
    /// <param name="counts">Bit n is set where the item fits the n-th of <see cref="Contains"/>.</param>
    public List<Goal> GoalsOf(int place, uint counts)
    {
        var goals = new List<Goal>();
        foreach ((ArrayKeyword part, _) in _parts)
            if (place < part.Prefix.Count)
                goals.Add(part.Prefix[place]);
            else if (part.Rest is Goal rest)
                goals.Add(rest);
        foreach ((UnevaluatedKeyword keyword, Origin? origin) in _unevaluated)
            if (!IsEvaluated(origin!, keyword, place, counts))
                goals.Add(keyword.Value);
        return goals;
    }

    private bool IsSeen(Origin? origin) =>
        origin is not null && _unevaluated.Exists(unevaluated => origin.IsWithin(unevaluated.Origin!));

    private bool IsEvaluated(Origin scope, UnevaluatedKeyword keyword, int place, uint counts) =>
        _parts.Exists(part =>
            part.Origin!.IsWithin(scope) && (place < part.Keyword.Prefix.Count || part.Keyword.Rest is not null)
        )
        || _unevaluated.Exists(inner => inner.Keyword != keyword && inner.Origin!.IsWithin(scope))
        || _contains.Where((contains, index) => (counts >> index & 1) != 0 && contains.Origin!.IsWithin(scope)).Any();
}

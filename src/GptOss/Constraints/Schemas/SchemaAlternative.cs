namespace GptOss.Constraints.Schemas;

/// <summary>One way to fit a conjunction of schemas: plain keywords, all of which have to be met.</summary>
/// <param name="types">The types that a value may have.</param>
/// <param name="keywords">What a value has to meet; nothing among it branches any more.</param>
internal sealed class SchemaAlternative(JsonTypes types, IReadOnlyList<Placed> keywords)
{
    /// <summary>The types that a value may have.</summary>
    public JsonTypes Types { get; } = types;

    /// <summary>What a value has to meet; nothing among it branches any more.</summary>
    public IReadOnlyList<Placed> Keywords { get; } = keywords;

    /// <summary>The values themselves, where they are listed; null where they are not.</summary>
    public IReadOnlyList<Literal>? Literals { get; init; }

    /// <summary>The keywords of one kind, in their order.</summary>
    public IEnumerable<T> Of<T>()
        where T : Keyword
    {
        foreach (Placed placed in Keywords)
            if (placed.Keyword is T keyword)
                yield return keyword;
    }

    /// <summary>The size that values of a type may have, and whether there is any.</summary>
    public (int Min, int? Max) Size(JsonTypes of)
    {
        (int min, int? max) = (0, null);
        foreach (SizeKeyword size in Of<SizeKeyword>())
            if (size.Of == of)
            {
                min = Math.Max(min, size.Min);
                max = max is int most && most <= (size.Max ?? int.MaxValue) ? max : size.Max;
            }
        return (min, max);
    }
}

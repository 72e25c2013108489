namespace GptOss.Harmony;

/// <summary>
/// Compares two types of a tool's parameters: whether one names anything that the other does not, so that a prompt need
/// not say the same twice.
/// </summary>
/// <param name="budget">Counts the members that are compared. When it is spent, no type adds anything.</param>
internal sealed class ToolTypeComparer(SchemaBudget budget)
{
    /// <summary>
    /// Whether <paramref name="b"/> names a type, a property or a value that <paramref name="a"/> does not.
    /// </summary>
    public bool Adds(ToolType a, ToolType b)
    {
        long indexes = (long)a.Indexes.Count * b.Indexes.Count; // each is compared with each
        if (!budget.Step(1 + b.Properties.Count + (b.Literals?.Count ?? 0) + (int)Math.Min(indexes, int.MaxValue / 2)))
            return false;
        if (b.Variants is not null)
            return b.Variants.Any(one => Adds(a, one));
        if (a.Variants is not null)
            return a.Variants.All(one => Adds(one, b));
        return (a.Words.Count == 0 ? b.Words.Any(word => !IsImplied(a, word)) : b.Words.Except(a.Words).Any())
            || (b.Nullable && !a.Nullable)
            || b.Literals?.Except(a.Literals ?? []).Any() == true
            || b.Properties.Any(p => !a.Properties.TryGetValue(p.Key, out ToolType? own) || Adds(own, p.Value))
            || b.Indexes.Any(index => !a.Indexes.Any(own => IsSaid(own, index)))
            || (b.Items is { } items && (a.Items is null || Adds(a.Items, items)))
            || (
                b.Tuple is { } tuple
                && (
                    a.Tuple is null
                    || a.Tuple.Count < tuple.Count
                    || tuple.Zip(a.Tuple).Any(pair => Adds(pair.Second, pair.First))
                )
            );
    }

    /// <summary>
    /// Whether properties known by the form of their names add nothing to others: the names have the same form, and the
    /// values add nothing.
    /// </summary>
    public bool IsSaid(ToolIndex own, ToolIndex index) =>
        own.Key == index.Key && own.Pattern == index.Pattern && !Adds(own.Value, index.Value);

    /// <summary>Whether a type without words can only be of this kind, because of its properties or items.</summary>
    private static bool IsImplied(ToolType a, string word) =>
        (word == "object" && a.HasMembers) || (word == "array" && a.HasItems);
}

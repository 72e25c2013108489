namespace GptOss.Constraints.Schemas;

/// <summary>
/// Gives every rule the fewest levels of objects and arrays that its values have, and takes out what has no value: a
/// rule that needs itself, or a required property that cannot be.
/// </summary>
/// <param name="budget">Pays for every look at a shape.</param>
internal sealed class Heights(CompileBudget budget)
{
    private const int None = int.MaxValue;

    private readonly Dictionary<Rule, Rule> _needed = [];

    /// <summary>For a rule without a value, another one without a value that its values would need.</summary>
    public IReadOnlyDictionary<Rule, Rule> Needed => _needed;

    /// <summary>Finds all heights, then leaves only shapes that have a value.</summary>
    public void Settle(IReadOnlyCollection<Rule> rules)
    {
        List<Rule> unknown = [.. rules];
        foreach (Rule rule in rules)
            rule.Height = None;
        // A container is one level higher than what it needs, so the rules of each height follow from those below.
        for (int height = 0, found = 1; height <= Rule.MostDepth && (found > 0 || height < 2); height++)
        {
            List<Rule> settled = unknown.FindAll(rule => rule.Alternatives.Exists(shape => HeightOf(shape) <= height));
            foreach (Rule rule in settled)
                rule.Height = height;
            unknown.RemoveAll(rule => rule.Height != None);
            found = settled.Count;
        }
        foreach (Rule rule in unknown)
            if (NeededBy(rule).FirstOrDefault(other => other.Height == None) is Rule needed)
                _needed[rule] = needed;
        foreach (Rule rule in rules)
            Prune(rule);
    }

    private int HeightOf(Shape shape)
    {
        switch (shape)
        {
            case ObjectShape container:
                budget.Take(10 + 4 * container.Properties.Count + 80 * container.DependentRequired.Count);
                return ObjectHeight.Of(container);
            case ArrayShape container:
                budget.Take(10 + 4 * container.Prefix.Count);
                return ArrayHeight.Of(container);
            default:
                return 0;
        }
    }

    private static IEnumerable<Rule> NeededBy(Rule rule)
    {
        foreach (Shape shape in rule.Alternatives)
            if (shape is ObjectShape container)
            {
                foreach (Property property in container.Properties)
                    if (property is { IsRequired: true, Value: Rule value })
                        yield return value;
            }
            else if (shape is ArrayShape array)
                foreach (Item item in array.Prefix.Append(array.Rest).SelectMany(items => items))
                    yield return item.Value;
    }

    private void Prune(Rule rule)
    {
        List<Shape> living = rule.Alternatives.FindAll(shape => HeightOf(shape) != None);
        rule.Alternatives.Clear();
        foreach (Shape shape in living)
            rule.Alternatives.Add(
                shape switch
                {
                    ObjectShape container => ObjectHeight.Pruned(container),
                    ArrayShape container => ArrayHeight.Pruned(container),
                    _ => shape,
                }
            );
    }
}

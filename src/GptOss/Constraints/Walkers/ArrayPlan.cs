using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>What does not change about an array while it is read: which items may stand where.</summary>
internal sealed class ArrayPlan
{
    private readonly int[][] _prefix;
    private readonly int[] _rest;

    /// <param name="shape">The shape as it was compiled.</param>
    /// <param name="calleeOf">The rule of an item as it is called.</param>
    /// <param name="textsOf">The texts of an item's rule, where items have to differ.</param>
    /// <param name="budget">Pays for counting the items that differ.</param>
    /// <exception cref="LimitException">Bounds stand beside each other that are not held together.</exception>
    public ArrayPlan(
        ArrayShape shape,
        Func<Rule, Callee> calleeOf,
        Func<Rule, IEnumerable<RecordedText>> textsOf,
        CompileBudget budget
    )
    {
        Shape = shape;
        var alternatives = new List<ItemChoice>();
        _prefix = [.. shape.Prefix.Select(Numbers)];
        _rest = Numbers(shape.Rest);
        Alternatives = [.. alternatives];
        Highest = Alternatives.Select(alternative => alternative.Callee.Height).DefaultIfEmpty().Max();
        Distinct = shape.IsUnique ? CountDistinct(budget) : long.MaxValue;
        Check();

        int[] Numbers(IReadOnlyList<Item> items)
        {
            int first = alternatives.Count;
            foreach (Item item in items)
            foreach (RecordedText? text in shape.IsUnique ? textsOf(item.Value) : (IEnumerable<RecordedText?>)[null])
                alternatives.Add(new ItemChoice(calleeOf(item.Value), item.Counts, text));
            return [.. Enumerable.Range(first, alternatives.Count - first)];
        }
    }

    /// <summary>The shape as it was compiled.</summary>
    public ArrayShape Shape { get; }

    /// <summary>How many items have a place of their own.</summary>
    public int PrefixCount => _prefix.Length;

    /// <summary>The alternatives of all places.</summary>
    public ItemChoice[] Alternatives { get; }

    /// <summary>The greatest height of an item: with more levels than that left, depth does not matter.</summary>
    public int Highest { get; }

    /// <summary>How many distinct items there are of which none may come twice; else endlessly many.</summary>
    public long Distinct { get; }

    /// <summary>From how many items on their number no longer matters; never where there is a most.</summary>
    public int MostCounted =>
        Shape.MaxItems is null && Distinct == long.MaxValue ? Math.Max(Shape.MinItems, _prefix.Length) : int.MaxValue;

    /// <summary>The alternatives of the item behind that number of others.</summary>
    public int[] At(int count) => count < _prefix.Length ? _prefix[count] : _rest;

    private void Check()
    {
        if (Distinct != long.MaxValue && (_prefix.Length > 0 || Shape.Contains.Count > 0))
            throw new LimitException("has items of which none may come twice beside 'prefixItems' or 'contains'");
        bool isBounded = Shape.MaxItems is not null || Shape.Contains.Any(number => number.Max is not null);
        if (Shape.Contains.Count > 1 && isBounded)
            throw new LimitException("has items that count in several ways beside a bound from above");
    }

    // The texts of one kind are one language; a text in quotes is none without.
    private long CountDistinct(CompileBudget budget)
    {
        if (Alternatives.Any(alternative => alternative.Text!.IsEndless))
            return long.MaxValue;
        return Alternatives
            .Select(alternative => alternative.Text!.Shape)
            .Distinct()
            .GroupBy(text => text.IsQuoted)
            .Sum(texts =>
                texts
                    .Select(text => text.Language)
                    .Aggregate((all, more) => all.Or(more, budget))
                    .Measures.Texts(CodePointDfa.Start)
            );
    }

    /// <summary>One alternative of an item.</summary>
    /// <param name="Callee">The rule of the item.</param>
    /// <param name="Counts">Bit n is set where the item counts for the array's n-th number.</param>
    /// <param name="Text">
    /// Where no two items may have the same text: those of one form that the rule allows.
    /// </param>
    internal sealed record ItemChoice(Callee Callee, uint Counts, RecordedText? Text);
}

namespace GptOss.Constraints.Walkers;

/// <summary>What does not change about an array while it is read: which items may stand where.</summary>
internal sealed class ArrayPlan
{
    // Histories of arrays whose items have to count are explored; their number is bounded before.
    private const long MostHistories = 1_000_000;

    private readonly int[][] _prefix;
    private readonly int[] _rest;

    /// <exception cref="LimitException">The items that have to count can do so in too many ways.</exception>
    public ArrayPlan(ArrayShape shape, Func<Rule, Callee> calleeOf, Func<Rule, IEnumerable<RecordedText>> textsOf)
    {
        Shape = shape;
        var alternatives = new List<ItemChoice>();
        _prefix = [.. shape.Prefix.Select(Numbers)];
        _rest = Numbers(shape.Rest);
        Alternatives = [.. alternatives];
        Highest = Alternatives.Select(alternative => alternative.Callee.Height).DefaultIfEmpty().Max();
        Distinct = shape.IsUnique ? CountDistinct() : long.MaxValue;
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
        if (Shape.Contains.Count == 0)
            return;
        double histories = Math.Max(Shape.MaxItems ?? 0, Math.Max(Shape.MinItems, _prefix.Length)) + 1.0;
        foreach ((int min, int? max) in Shape.Contains)
            histories *= (max ?? min) + 1.0;
        if (histories > MostHistories)
            throw new LimitException(
                $"has items that can count in {histories:N0} ways, and the limit is {MostHistories:N0}"
            );
    }

    private long CountDistinct()
    {
        if (Alternatives.Any(alternative => alternative.Text!.IsEndless))
            return long.MaxValue;
        UsedTexts texts = new UsedTexts.TextTable(new Ledger()).Empty;
        foreach (ItemChoice alternative in Alternatives.DistinctBy(alternative => alternative.Text))
        foreach (byte[] text in alternative.Text!.Texts())
            texts = texts.With(text);
        return texts.Count;
    }

    /// <summary>One alternative of an item.</summary>
    /// <param name="Callee">The rule of the item.</param>
    /// <param name="Counts">Bit n is set where the item counts for the array's n-th number.</param>
    /// <param name="Text">
    /// Where no two items may have the same text: those of one form that the rule allows.
    /// </param>
    internal sealed record ItemChoice(Callee Callee, uint Counts, RecordedText? Text);
}

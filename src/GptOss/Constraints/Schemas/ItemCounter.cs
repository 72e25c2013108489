namespace GptOss.Constraints.Schemas;

/// <summary>
/// Fills an array place by place with the lowest items that meet what is still demanded, to see how high it has to be
/// and whether its demands can be met at all.
/// </summary>
internal sealed class ItemCounter(ArrayShape shape)
{
    private const int None = int.MaxValue;

    private readonly int[] _counted = new int[shape.Contains.Count];

    /// <summary>Whether every demand for items that count is met and none is passed.</summary>
    public bool IsMet =>
        shape.Contains.Select((demand, index) => _counted[index] >= demand.Min && _counted[index] <= (demand.Max ?? None))
            .All(isMet => isMet);

    /// <summary>How many more items are needed, so many for the array's length, or more for what has to count.</summary>
    public int Missing(int items) =>
        shape.Contains.Select((demand, index) => demand.Min - _counted[index]).Append(items).Append(0).Max();

    /// <summary>Puts an item at a number of places; the height of the highest one.</summary>
    public int Take(IReadOnlyList<Item> items, int times)
    {
        // With several demands each has places of its own, which are there since such arrays have no upper bound.
        int height = 0;
        for (int index = 0; index < _counted.Length; index++)
        {
            (int min, int? max) = shape.Contains[index];
            int missing = Math.Max(0, Math.Min(times, min - _counted[index]));
            int counting = Lowest(items, item => (item.Counts >> index & 1) != 0),
                other = Lowest(items, item => (item.Counts >> index & 1) == 0);
            if (counting == None)
                missing = 0;
            // The places beside are filled with what does not count, or else count, too.
            int counted = other == None ? times : missing;
            if (counted > 0)
                height = Math.Max(height, counting);
            if (counted < times && other != None)
                height = Math.Max(height, other);
            _counted[index] += counted;
            if (_counted[index] > (max ?? None))
                return None;
        }
        return Math.Max(height, _counted.Length == 0 ? Lowest(items, _ => true) : height);
    }

    private static int Lowest(IReadOnlyList<Item> items, Func<Item, bool> isOf) =>
        items.Where(isOf).Select(item => item.Value.Height).DefaultIfEmpty(None).Min();
}

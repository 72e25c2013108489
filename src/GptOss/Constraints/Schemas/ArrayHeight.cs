namespace GptOss.Constraints.Schemas;

/// <summary>The fewest levels of an array, and which of its items have a value.</summary>
internal static class ArrayHeight
{
    private const int None = int.MaxValue;

    /// <summary>The height of a shape by the heights of its items so far; <see cref="None"/> without a value.</summary>
    public static int Of(ArrayShape shape)
    {
        int length = Length(shape),
            height = 0;
        if (length > Math.Min(shape.MaxItems ?? None, MostItems(shape)) || length == None)
            return None;
        // Behind the prefix all places are the same.
        for (int place = 0; place < Math.Min(length, shape.Prefix.Count + 1); place++)
            height = Math.Max(height, ItemHeight(shape, place));
        return height == None ? None : height + 1;
    }

    /// <summary>The shape without items that have no value.</summary>
    public static ArrayShape Pruned(ArrayShape shape)
    {
        int places = MostItems(shape);
        return places > shape.Prefix.Count
            ? shape with
            {
                Prefix = [.. shape.Prefix.Select(Living)],
                Rest = Living(shape.Rest),
            }
            : shape with
            {
                Prefix = [.. shape.Prefix.Take(places).Select(Living)],
                Rest = [],
                MaxItems = Math.Min(shape.MaxItems ?? places, places),
            };
    }

    // The fewest items with which enough of them can count; none where more have to count than may.
    private static int Length(ArrayShape shape)
    {
        int length = shape.MinItems;
        if (shape.Contains is [var (min, max)])
        {
            while (length < shape.Prefix.Count && Counting(shape, length, 0, CanCount) < min)
                length++;
            long missing = min - Counting(shape, length, 0, CanCount);
            if (missing > 0)
                length = CanCount(shape.Rest, 0) ? (int)Math.Min(length + missing, None) : None;
            return length != None && Counting(shape, length, 0, HasToCount) <= (max ?? None) ? length : None;
        }
        // Arrays with several demands have no bound from above: each demand has its own places behind the prefix.
        for (int index = 0; index < shape.Contains.Count; index++)
            if (shape.Contains[index].Min > 0 && !CanCount(shape.Rest, index))
                return None;
        return shape.Contains.Count == 0
            ? length
            : Math.Max(length, shape.Prefix.Count + shape.Contains.Sum(demand => demand.Min));
    }

    private static long Counting(ArrayShape shape, int length, int index, Func<IReadOnlyList<Item>, int, bool> counts)
    {
        long counting = shape.Prefix.Take(length).Count(items => counts(items, index));
        return counts(shape.Rest, index) ? counting + Math.Max(0, length - shape.Prefix.Count) : counting;
    }

    private static bool CanCount(IReadOnlyList<Item> items, int index) =>
        items.Any(item => IsThere(item) && (item.Counts >> index & 1) != 0);

    private static bool HasToCount(IReadOnlyList<Item> items, int index) =>
        items.Any(IsThere) && !items.Any(item => IsThere(item) && (item.Counts >> index & 1) == 0);

    // With a demand, whatever counts and whatever does not may be needed here.
    private static int ItemHeight(ArrayShape shape, int place)
    {
        IReadOnlyList<Item> items = place < shape.Prefix.Count ? shape.Prefix[place] : shape.Rest;
        if (!shape.Contains.Any(demand => demand.Min > 0))
            return items.Select(item => item.Value.Height).DefaultIfEmpty(None).Min();
        return items
            .Where(IsThere)
            .GroupBy(item => item.Counts)
            .Select(group => group.Min(item => item.Value.Height))
            .DefaultIfEmpty(None)
            .Max();
    }

    // As far as every place has an item.
    private static int MostItems(ArrayShape shape)
    {
        for (int place = 0; place < shape.Prefix.Count; place++)
            if (!shape.Prefix[place].Any(IsThere))
                return place;
        return shape.Rest.Any(IsThere) ? None : shape.Prefix.Count;
    }

    private static bool IsThere(Item item) => item.Value.Height != None;

    private static List<Item> Living(IReadOnlyList<Item> items) => [.. items.Where(IsThere)];
}

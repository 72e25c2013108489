namespace GptOss.Constraints.Walkers;

/// <summary>Which arrays can be completed, told by the items that they have so far.</summary>
/// <remarks>
/// Every further item adds one to a count, or adds nothing, or may do either. So of arrays of some length the counts
/// that can be reached are all those from the fewest to the most, and both only grow with the length: the shortest
/// array in which enough items can count is the one to look at, and no way to it has to be tried.
/// </remarks>
internal sealed class ArrayEnds(ArrayPlan plan)
{
    // By the levels that may be opened: an item that nests deeper cannot come.
    private readonly ArrayPlaces?[] _places = new ArrayPlaces?[Rule.MostDepth + 1];

    /// <summary>Whether an array with such items can be completed.</summary>
    public bool CanEnd(ArrayHistory history)
    {
        if (history.MayClose(plan))
            return true;
        ArrayPlaces places = _places[history.Levels] ??= new ArrayPlaces(plan, history.Levels);
        long most = Math.Min(plan.Distinct, plan.Shape.MaxItems ?? int.MaxValue);
        long length = Math.Max(history.Count, plan.Shape.MinItems);
        switch (plan.Shape.Contains)
        {
            case []:
                break;
            case [var (min, max)]:
                if (history.Counts[0] < min)
                    length = Math.Max(length, places.LengthWith(min - history.Counts[0], history.Count));
                if (history.Counts[0] + places.Forced(history.Count, length) > (max ?? int.MaxValue))
                    return false;
                break;
            default:
                // Without a bound from above, as there is none beside several counts, each is met behind the prefix.
                for (int i = 0; i < history.Counts.Length; i++)
                    if (history.Counts[i] < plan.Shape.Contains[i].Min)
                        length = places.CanCountBehind(i) ? Math.Max(length, plan.PrefixCount + 1) : long.MaxValue;
                break;
        }
        return length <= most && length <= places.MostItems;
    }
}

namespace GptOss.Constraints.Walkers;

/// <summary>
/// The places of an array's items where a certain number of levels may be opened: which can be filled, and at which an
/// item can count, or has to, for the first number of the array.
/// </summary>
internal sealed class ArrayPlaces
{
    private readonly int _prefix;
    private readonly int[] _counting; // the places of the prefix at which an item can count, ascending
    private readonly int[] _forced; // how many items have to count before each place, and behind the last
    private readonly bool _canCountBehind;
    private readonly bool _hasToCountBehind;
    private readonly uint _behind;

    /// <param name="plan">The items by their places.</param>
    /// <param name="levels">How many levels may be opened.</param>
    public ArrayPlaces(ArrayPlan plan, int levels)
    {
        _prefix = plan.PrefixCount;
        _forced = new int[_prefix + 1];
        var counting = new List<int>();
        MostItems = long.MaxValue;
        for (int place = 0; place <= _prefix; place++)
        {
            (bool canFill, uint can, uint all) = Look(plan, place, levels);
            if (!canFill)
                MostItems = Math.Min(MostItems, place);
            if (place == _prefix)
                (_canCountBehind, _hasToCountBehind, _behind) = ((can & 1) != 0, (all & 1) != 0, can);
            else
            {
                if ((can & 1) != 0)
                    counting.Add(place);
                _forced[place + 1] = _forced[place] + (int)(all & 1);
            }
        }
        _counting = [.. counting];
    }

    /// <summary>How many items there can be; <see cref="long.MaxValue"/> where every place can be filled.</summary>
    public long MostItems { get; }

    /// <summary>Whether items behind the prefix can count for a number of the array.</summary>
    public bool CanCountBehind(int number) => (_behind >> number & 1) != 0;

    /// <summary>
    /// The fewest items of an array in which that many more can count; <see cref="long.MaxValue"/> where they cannot.
    /// </summary>
    /// <param name="more">How many, at least one.</param>
    /// <param name="count">How many items there are.</param>
    public long LengthWith(int more, int count)
    {
        int first = Array.BinarySearch(_counting, count);
        first = first < 0 ? ~first : first;
        if (more <= _counting.Length - first)
            return _counting[first + more - 1] + 1;
        more -= _counting.Length - first;
        return _canCountBehind ? (long)Math.Max(_prefix, count) + more : long.MaxValue;
    }

    /// <summary>How many items have to count on the way from one length to another.</summary>
    public long Forced(long from, long to)
    {
        long forced = _forced[Math.Min(to, _prefix)] - _forced[Math.Min(from, _prefix)];
        return _hasToCountBehind ? forced + Math.Max(0, to - Math.Max(from, _prefix)) : forced;
    }

    // What some items count for, and what all of them do, in bits.
    private static (bool CanFill, uint Can, uint All) Look(ArrayPlan plan, int place, int levels)
    {
        bool canFill = false;
        uint can = 0,
            all = uint.MaxValue;
        foreach (int alternative in plan.At(place))
            if (plan.Alternatives[alternative] is var item && item.Callee.Height <= levels)
            {
                canFill = true;
                can |= item.Counts;
                all &= item.Counts;
            }
        return (canFill, can, canFill ? all : 0);
    }
}

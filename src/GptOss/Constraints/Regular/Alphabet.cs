namespace GptOss.Constraints.Regular;

/// <summary>
/// The scalar values in classes: code points of one class are told apart by none of the sets that the alphabet was
/// refined by. An automaton over a few classes stands for one over 1,112,064 code points.
/// </summary>
/// <remarks>
/// Numbers behind the last code point are symbols too; what they stand for is up to whoever uses them in sets. The
/// symbols are cut into intervals once; a class is a list of intervals. Refining by a set splits each class that lies
/// partly in it, which costs as many steps as the set has intervals.
/// </remarks>
internal sealed class Alphabet
{
    private const int NoClass = -1;

    private readonly int[] _firsts;
    private readonly int[] _classes;
    private readonly List<int> _sizes = [];
    private readonly Dictionary<int, List<int>> _inside = [];
    private readonly Stack<List<int>> _spare = new(); // lists that are used again

    /// <summary>One class of all symbols, cut where the ranges of later sets will begin and end.</summary>
    /// <param name="ranges">Every range of every set that the alphabet will be refined by.</param>
    public Alphabet(IEnumerable<CodePointRange> ranges)
    {
        var cuts = new List<int>();
        void Cut(CodePointRange range)
        {
            cuts.Add(range.First);
            cuts.Add(range.Last + 1);
        }
        foreach (CodePointRange range in CodePointSet.All.Ranges)
            Cut(range);
        foreach (CodePointRange range in ranges)
            Cut(range);
        _firsts = Distinct(cuts);
        _classes = Array.ConvertAll(_firsts, first => first is < 0xD800 or > 0xDFFF ? 0 : NoClass);
        _sizes.Add(_classes.Length - _classes.AsSpan().Count(NoClass));
    }

    /// <summary>Number of classes; they are numbered from 0.</summary>
    public int Count => _sizes.Count;

    /// <summary>Number of intervals, that of surrogates and the last one, which has no end, among them.</summary>
    public int IntervalCount => _firsts.Length;

    /// <summary>The first code point of an interval.</summary>
    public int First(int interval) => _firsts[interval];

    /// <summary>The last code point of an interval.</summary>
    public int Last(int interval) => _firsts[interval + 1] - 1;

    /// <summary>The class of an interval; negative for surrogates.</summary>
    public int Class(int interval) => _classes[interval];

    /// <summary>An alphabet that tells code points apart where one of the sets does.</summary>
    public static Alphabet Of(IReadOnlyList<CodePointSet> sets)
    {
        var alphabet = new Alphabet(sets.SelectMany(set => set.Ranges));
        foreach (CodePointSet set in sets)
            alphabet.Refine(set.Ranges.AsSpan());
        return alphabet;
    }

    /// <summary>Tells code points inside the ranges from those outside.</summary>
    public void Refine(ReadOnlySpan<CodePointRange> ranges)
    {
        foreach (CodePointRange range in ranges)
            for (int at = IntervalAt(range.First); _firsts[at] <= range.Last; at++)
            {
                if (!_inside.TryGetValue(_classes[at], out List<int>? inside))
                    _inside[_classes[at]] = inside = _spare.TryPop(out List<int>? spare) ? spare : [];
                inside.Add(at);
            }
        foreach ((int split, List<int> inside) in _inside)
        {
            if (inside.Count < _sizes[split])
            {
                _sizes[split] -= inside.Count;
                Move(inside);
            }
            inside.Clear();
            _spare.Push(inside);
        }
        _inside.Clear();
    }

    /// <summary>The classes that make up a set which the alphabet was refined by.</summary>
    public int[] ClassesOf(CodePointSet set)
    {
        var classes = new List<int>();
        foreach (CodePointRange range in set.Ranges)
            for (int at = IntervalAt(range.First); _firsts[at] <= range.Last; at++)
                classes.Add(_classes[at]);
        return Distinct(classes);
    }

    /// <summary>The interval that begins with a code point at which the alphabet was cut.</summary>
    public int IntervalAt(int first) => Array.BinarySearch(_firsts, first);

    private void Move(List<int> intervals)
    {
        foreach (int interval in intervals)
            _classes[interval] = _sizes.Count;
        _sizes.Add(intervals.Count);
    }

    // Each number once, ascending.
    private static int[] Distinct(List<int> numbers)
    {
        numbers.Sort();
        int count = 0;
        for (int at = 0; at < numbers.Count; at++)
            if (count == 0 || numbers[count - 1] != numbers[at])
                numbers[count++] = numbers[at];
        numbers.RemoveRange(count, numbers.Count - count);
        return [.. numbers];
    }
}

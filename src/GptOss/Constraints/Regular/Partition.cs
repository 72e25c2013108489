namespace GptOss.Constraints.Regular;

/// <summary>
/// Numbers 0 to n − 1 in disjoint sets. Some are marked, and then every set that is marked in part is split in two.
/// </summary>
internal sealed class Partition
{
    private readonly int[] _elements; // Set by set; within a set, the marked ones first.
    private readonly int[] _places;
    private readonly int[] _sets;
    private readonly List<(int First, int End)> _bounds = [];
    private readonly int[] _marked; // By set: how many are marked.
    private readonly Stack<int> _touched = [];

    /// <summary>All numbers in one set.</summary>
    /// <param name="count">How many numbers there are.</param>
    public Partition(int count)
    {
        _elements = new int[count];
        for (int element = 0; element < count; element++)
            _elements[element] = element;
        _places = [.. _elements];
        _sets = new int[count];
        _marked = new int[count + 1];
        if (count > 0)
            _bounds.Add((0, count));
    }

    /// <summary>Number of sets; a split adds one at the end.</summary>
    public int Count => _bounds.Count;

    /// <summary>Numbers with equal keys in one set.</summary>
    public static Partition ByKey(int[] keys)
    {
        var partition = new Partition(keys.Length);
        if (keys.Length == 0)
            return partition;
        Array.Sort([.. keys], partition._elements);
        partition._bounds.Clear();
        for (int place = 0, first = 0; place < keys.Length; place++)
        {
            int element = partition._elements[place];
            partition._places[element] = place;
            partition._sets[element] = partition.Count;
            if (place + 1 < keys.Length && keys[partition._elements[place + 1]] == keys[element])
                continue;
            partition._bounds.Add((first, place + 1));
            first = place + 1;
        }
        return partition;
    }

    /// <summary>The set that a number is in.</summary>
    public int SetOf(int element) => _sets[element];

    /// <summary>The numbers of a set; valid until one of them is marked.</summary>
    public ReadOnlySpan<int> Of(int set) => _elements.AsSpan(_bounds[set].First.._bounds[set].End);

    /// <summary>Marks a number, unless it is marked.</summary>
    public void Mark(int element)
    {
        int set = _sets[element];
        int to = _bounds[set].First + _marked[set];
        int from = _places[element];
        if (from < to)
            return;
        (_elements[from], _elements[to]) = (_elements[to], element);
        _places[_elements[from]] = from;
        _places[element] = to;
        if (_marked[set]++ == 0)
            _touched.Push(set);
    }

    /// <summary>Splits every set that is marked in part; its smaller part becomes a new set. No mark is left.</summary>
    public void Split()
    {
        while (_touched.TryPop(out int set))
        {
            (int first, int end) = _bounds[set];
            int middle = first + _marked[set];
            _marked[set] = 0;
            if (middle == end)
                continue;
            bool isFrontSmaller = middle - first <= end - middle;
            _bounds[set] = isFrontSmaller ? (middle, end) : (first, middle);
            (int First, int End) split = isFrontSmaller ? (first, middle) : (middle, end);
            for (int place = split.First; place < split.End; place++)
                _sets[_elements[place]] = Count;
            _bounds.Add(split);
        }
    }
}

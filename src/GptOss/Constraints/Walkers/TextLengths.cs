using System.Collections;
using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>
/// Bounds on the length of the texts of a language, without a product of the two: from which states, some code points
/// read, an accepted length can still be reached.
/// </summary>
/// <remarks>
/// With the minimum reached that is a matter of the shortest way to the end. Below it, the states for each number of
/// code points still missing follow from those of one less; the sets repeat sooner or later, mostly at once.
/// </remarks>
internal sealed class TextLengths
{
    /// <summary>
    /// Counters that differ by no more than a token's characters may allow different tokens: the longest token of
    /// o200k_harmony has 128.
    /// </summary>
    public const int Margin = 129;

    /// <summary>The highest count of a register; no text of a context is that long.</summary>
    private const int MostCount = (1 << 26) - 2;

    private const long MostBits = 128L << 20;

    private readonly int _min;
    private readonly int _max; // int.MaxValue: no bound
    private readonly CodePointDfa _language;
    private readonly int _farthest;
    private readonly List<BitArray> _missing = []; // [m - 1]: the alive states where m code points are missing
    private readonly int _repeats; // where _missing goes on after its last set

    public TextLengths(CodePointDfa language, int min, int? max, CompileBudget budget)
    {
        (_language, _min) = (language, min);
        _max = max is { } bound and < MostCount ? bound : int.MaxValue;
        if (language.IsEmpty || !IsCounted)
            return;
        if (_max != int.MaxValue)
            for (int state = 0; state < language.Count; state++)
                _farthest = Math.Max(_farthest, ToEnd(state));
        if (_min > 0)
            _repeats = FindMissing(Before(language, budget), budget);
    }

    private bool IsCounted => _min > 0 || _max != int.MaxValue;

    /// <summary>The count behind one more code point.</summary>
    public int Next(int count) => !IsCounted || (_max == int.MaxValue && count >= _min) ? count : count + 1;

    /// <summary>Whether a text of the language that has this many code points may have an accepted length.</summary>
    public bool MayEnd(int count) => count >= _min && count <= _max;

    /// <summary>Whether from a state, some code points read, the end can be reached at an accepted length.</summary>
    public bool IsAlive(int state, int count)
    {
        if (!IsCounted)
            return true;
        if (count >= _min)
            return _max == int.MaxValue || ToEnd(state) <= _max - count;
        return MissingAt(_min - count)[state];
    }

    /// <summary>How many code points may surely follow, whichever they are, as far as lengths are concerned.</summary>
    public int SurelyFree(int count)
    {
        if (!IsCounted)
            return Walker.Always;
        if (count < _min && !(_missing.Count == 1 && _missing[0].HasAllSet()))
            return 0;
        return _max == int.MaxValue ? Walker.Always : Math.Max(0, _max - _farthest - count);
    }

    /// <summary>Whether no more characters may follow than surely do, because of the lengths alone.</summary>
    public bool IsExact(int state, int count) =>
        _language.Measures.PlainLife(state) == DfaMeasures.Endless
        && (!IsCounted || (_max != int.MaxValue && _farthest == 0 && count >= _min));

    /// <summary>The least count at which the same tokens are allowed.</summary>
    public int Representative(int count)
    {
        if (!IsCounted)
            return count;
        if (count < _min)
            return _min - count - Margin >= _missing.Count && _repeats == _missing.Count - 1 ? 0 : count;
        return _max == int.MaxValue || _max - count - Margin >= _farthest ? _min : count;
    }

    private int ToEnd(int state) => _language.Measures.Shortest(state);

    private BitArray MissingAt(int missing)
    {
        int at = missing - 1;
        if (at >= _missing.Count)
            at = _repeats + (at - _repeats) % (_missing.Count - _repeats);
        return _missing[at];
    }

    private int FindMissing(List<int>[] before, CompileBudget budget)
    {
        int states = _language.Count;
        var current = new BitArray(states);
        for (int state = 0; state < states; state++)
            current[state] = _max == int.MaxValue || ToEnd(state) <= _max - _min;
        var seen = new Dictionary<int, List<int>>();
        for (int missing = 1; missing <= _min; missing++)
        {
            budget.Take(states + 1);
            BitArray next = new(states);
            for (int state = 0; state < states; state++)
                if (current[state])
                    foreach (int earlier in before[state])
                        next[earlier] = true;
            if (SameAs(next, seen) is { } repeats)
                return repeats;
            if ((long)states * missing > MostBits)
                throw new LimitException(
                    $"has {states:N0} states beside a length of at least {_min:N0}, which is too much together"
                );
            _missing.Add(next);
            current = next;
        }
        return Math.Max(0, _missing.Count - 1);
    }

    private int? SameAs(BitArray next, Dictionary<int, List<int>> seen)
    {
        var hash = new HashCode();
        for (int state = 0; state < next.Length; state++)
            if (next[state])
                hash.Add(state);
        if (!seen.TryGetValue(hash.ToHashCode(), out List<int>? places))
            seen.Add(hash.ToHashCode(), places = []);
        foreach (int place in places)
            if (!new BitArray(next).Xor(_missing[place]).HasAnySet())
                return place;
        places.Add(_missing.Count);
        return null;
    }

    private static List<int>[] Before(CodePointDfa language, CompileBudget budget)
    {
        var before = new List<int>[language.Count];
        for (int state = 0; state < before.Length; state++)
            before[state] = [];
        for (int state = 0; state < before.Length; state++)
        {
            budget.Take(language.Edges(state).Length);
            foreach (DfaEdge edge in language.Edges(state))
                if (before[edge.Target] is var earlier && (earlier.Count == 0 || earlier[^1] != state))
                    earlier.Add(state);
        }
        return before;
    }
}

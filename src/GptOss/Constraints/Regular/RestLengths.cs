using System.Collections;
using System.Runtime.InteropServices;

namespace GptOss.Constraints.Regular;

/// <summary>
/// The lengths that rests of a text can have, for the states of an automaton that miss some between their shortest
/// and their longest.
/// </summary>
internal sealed class RestLengths
{
    private readonly Dictionary<int, BitArray> _lengths = []; // Of the states with gaps.
    private readonly int _period; // 0 where the bits end at the longest length that counts.
    private readonly int _count;

    private RestLengths(CodePointDfa dfa, List<int> gapped, int most, PatternBudget budget)
    {
        int[][] targets = DistinctTargets(dfa);
        long edges = targets.Sum(list => (long)list.Length);
        var bits = gapped.ToDictionary(state => state, _ => new List<bool>());
        var seen = new Dictionary<string, int>();
        var ends = new bool[dfa.Count];
        for (int state = 0; state < ends.Length; state++)
            ends[state] = dfa.Accepts(state);
        for (; _count <= most; _count++)
        {
            budget.Take(4 * (edges + dfa.Count));
            if (!seen.TryAdd(Key(ends), _count))
            {
                _period = _count - seen[Key(ends)];
                break;
            }
            foreach ((int state, List<bool> lengths) in bits)
                lengths.Add(ends[state]);
            ends = Array.ConvertAll(targets, list => Array.Exists(list, target => ends[target]));
        }
        foreach ((int state, List<bool> lengths) in bits)
        {
            _lengths[state] = new BitArray([.. lengths]);
            LargestGap = Math.Max(LargestGap, FindLargestGap(_lengths[state], dfa.Measures.Longest(state)));
        }
    }

    /// <summary>The largest step from one length of a state to the next.</summary>
    public int LargestGap { get; } = 1;

    /// <summary>The lengths of the states with gaps; null where no state has any.</summary>
    /// <param name="dfa">An automaton that is trimmed.</param>
    /// <param name="most">The longest length that counts.</param>
    /// <param name="budget">Pays for each length.</param>
    public static RestLengths? Of(CodePointDfa dfa, int most, PatternBudget budget)
    {
        List<int> gapped = FindGapped(dfa);
        return gapped.Count == 0 ? null : new(dfa, gapped, most, budget);
    }

    /// <summary>Whether a rest of a length from the least to the most can follow in a state.</summary>
    public bool HasBetween(int state, int least, int most)
    {
        if (!_lengths.TryGetValue(state, out BitArray? lengths))
            return true; // Without gaps; the caller has compared the shortest and the longest.
        // Behind one period all has been seen.
        for (int length = least; length <= most && length < least + _count; length++)
            if (
                length < _count
                    ? lengths[length]
                    : _period > 0 && lengths[_count - _period + (length - _count) % _period]
            )
                return true;
        return false;
    }

    // A state without gaps: its lengths are those of its edges plus one, joined without a hole, and so on behind them.
    private static List<int> FindGapped(CodePointDfa dfa)
    {
        var graph = new DfaGraph(dfa);
        int[] distances = graph.DistancesTo(state => HasHole(dfa, state));
        return [.. Enumerable.Range(0, dfa.Count).Where(state => distances[state] != int.MaxValue)];
    }

    private static bool HasHole(CodePointDfa dfa, int state)
    {
        var spans = new List<(int Shortest, int Longest)>();
        if (dfa.Accepts(state))
            spans.Add((-1, -1));
        foreach (DfaEdge edge in dfa.Edges(state))
            spans.Add((dfa.Measures.Shortest(edge.Target), dfa.Measures.Longest(edge.Target)));
        spans.Sort();
        int end = spans[0].Shortest;
        foreach ((int shortest, int longest) in spans)
        {
            if (shortest - 1 > end)
                return true;
            end = Math.Max(end, longest);
        }
        return false;
    }

    private int FindLargestGap(BitArray lengths, int longest)
    {
        int largest = 1,
            last = -1;
        for (int length = 0; length < lengths.Count + _period; length++)
        {
            if (!lengths[length < lengths.Count ? length : length - _period])
                continue;
            largest = last < 0 ? largest : Math.Max(largest, length - last);
            last = length;
        }
        // Where the bits end before the lengths do, the next length may be anywhere behind them.
        return _period == 0 && longest >= lengths.Count ? Math.Max(largest, lengths.Count - last) : largest;
    }

    private static int[][] DistinctTargets(CodePointDfa dfa)
    {
        var targets = new int[dfa.Count][];
        for (int state = 0; state < targets.Length; state++)
        {
            var distinct = new HashSet<int>();
            foreach (DfaEdge edge in dfa.Edges(state))
                distinct.Add(edge.Target);
            targets[state] = [.. distinct];
        }
        return targets;
    }

    private static string Key(bool[] ends)
    {
        var bits = new int[(ends.Length + 31) / 32];
        new BitArray(ends).CopyTo(bits, 0);
        return new string(MemoryMarshal.Cast<int, char>(bits));
    }
}

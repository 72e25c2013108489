namespace GptOss.Constraints.Regular;

/// <summary>
/// Joins states of an automaton that accept the same rests, so that the states of a machine stay few.
/// </summary>
/// <remarks>
/// Refines a partition of the states and one of the transitions by each other until neither is split any more, in
/// O(m log n) for m transitions. Source: A. Valmari, "Fast brief practical DFA minimization", Information Processing
/// Letters 112 (2012). The automaton need not be complete, but trimmed. Above <see cref="MostTransitions"/> the
/// automaton is kept as it is: the gain would not pay for the time.
/// </remarks>
internal static class Minimizer
{
    private const int MostTransitions = 100_000,
        FewStates = 8;

    /// <summary>The smallest automaton of the same language, or the same automaton where it is large.</summary>
    /// <param name="dfa">A trimmed automaton, which may be empty.</param>
    /// <param name="budget">Pays for the steps.</param>
    public static CodePointDfa Minimize(CodePointDfa dfa, PatternBudget budget)
    {
        if (AreToldApart(dfa) || Transitions.Of(dfa, MostTransitions) is not { } transitions)
            return dfa;
        budget.Take(60L * transitions.Count);

        var states = new Partition(dfa.Count);
        for (int state = 0; state < dfa.Count; state++)
            if (dfa.Accepts(state))
                states.Mark(state);
        states.Split();

        Partition cords = Partition.ByKey(transitions.Labels);
        int[][] into = transitions.Into(dfa.Count);
        int splitter = 1; // Of the first two sets of states, one is enough to split by.
        for (int cord = 0; cord < cords.Count; cord++)
        {
            foreach (int transition in cords.Of(cord))
                states.Mark(transitions.Sources[transition]);
            states.Split();
            for (; splitter < states.Count; splitter++)
            {
                foreach (int state in states.Of(splitter))
                foreach (int transition in into[state])
                    cords.Mark(transition);
                cords.Split();
            }
        }
        return states.Count == dfa.Count ? dfa : Join(dfa, states);
    }

    // Of a few states it is often seen at a glance that no two accept the same rests: not even their first code points
    // are the same. A grammar may have ten thousand rules of such.
    private static bool AreToldApart(CodePointDfa dfa)
    {
        if (dfa.Count > FewStates)
            return false;
        Span<(bool, int, int, int)> seen = stackalloc (bool, int, int, int)[FewStates];
        for (int state = 0; state < dfa.Count; state++)
        {
            ReadOnlySpan<DfaEdge> edges = dfa.Edges(state);
            int codePoints = 0;
            foreach (DfaEdge edge in edges)
                codePoints += edge.Last - edge.First + 1;
            seen[state] = edges.IsEmpty
                ? (dfa.Accepts(state), -1, -1, 0)
                : (dfa.Accepts(state), edges[0].First, edges[^1].Last, codePoints);
            if (seen[..state].Contains(seen[state]))
                return false;
        }
        return true;
    }

    private static CodePointDfa Join(CodePointDfa dfa, Partition states)
    {
        var numbers = new int[states.Count];
        Array.Fill(numbers, CodePointDfa.Dead);
        var members = new List<int>();
        int Number(int state)
        {
            int set = states.SetOf(state);
            if (numbers[set] == CodePointDfa.Dead)
            {
                numbers[set] = members.Count;
                members.Add(state);
            }
            return numbers[set];
        }

        _ = Number(CodePointDfa.Start);
        var edges = new List<DfaEdge>();
        var ends = new List<int>();
        var accepting = new List<bool>();
        for (int at = 0; at < members.Count; at++)
        {
            int begin = edges.Count;
            foreach (DfaEdge edge in dfa.Edges(members[at]))
            {
                DfaEdge joined = edge with { Target = Number(edge.Target) };
                if (edges.Count > begin && edges[^1].Target == joined.Target && edges[^1].Last + 1 == joined.First)
                    edges[^1] = edges[^1] with { Last = joined.Last };
                else
                    edges.Add(joined);
            }
            ends.Add(edges.Count);
            accepting.Add(dfa.Accepts(members[at]));
        }
        return new([.. edges], [.. ends], [.. accepting]);
    }

    // The edges of an automaton as single steps on the classes of its alphabet.
    private sealed record Transitions(int[] Sources, int[] Labels, int[] Targets)
    {
        public int Count => Sources.Length;

        public static Transitions? Of(CodePointDfa dfa, int most)
        {
            if (dfa.EdgeCount > most || AlphabetOf(dfa, most) is not { } alphabet)
                return null;
            List<int> sources = new(dfa.EdgeCount),
                labels = new(dfa.EdgeCount),
                targets = new(dfa.EdgeCount);
            var seen = new int[alphabet.Count];
            for (int state = 0; state < dfa.Count; state++)
                foreach (DfaEdge edge in dfa.Edges(state))
                    for (int at = alphabet.IntervalAt(edge.First); alphabet.First(at) <= edge.Last; at++)
                    {
                        int label = alphabet.Class(at);
                        if (seen[label] == state + 1)
                            continue;
                        seen[label] = state + 1;
                        sources.Add(state);
                        labels.Add(label);
                        targets.Add(edge.Target);
                    }
            return new([.. sources], [.. labels], [.. targets]);
        }

        public int[][] Into(int states)
        {
            var counts = new int[states];
            foreach (int target in Targets)
                counts[target]++;
            int[][] into = Array.ConvertAll(counts, count => new int[count]);
            for (int transition = 0; transition < Count; transition++)
                into[Targets[transition]][--counts[Targets[transition]]] = transition;
            return into;
        }

        private static Alphabet? AlphabetOf(CodePointDfa dfa, int most)
        {
            var alphabet = new Alphabet(RangesOf(dfa).Distinct());
            if ((long)alphabet.IntervalCount * dfa.Count > 20L * most)
                return null;
            // The edges of a state by their targets.
            var targets = new List<int>();
            var ranges = new List<CodePointRange>();
            for (int state = 0; state < dfa.Count; state++)
            {
                targets.Clear();
                ranges.Clear();
                foreach (DfaEdge edge in dfa.Edges(state))
                {
                    targets.Add(edge.Target);
                    ranges.Add(new(edge.First, edge.Last));
                }
                Span<int> keys = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(targets);
                Span<CodePointRange> sorted = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ranges);
                keys.Sort(sorted);
                for (int first = 0, end; first < keys.Length; first = end)
                {
                    for (end = first + 1; end < keys.Length && keys[end] == keys[first]; )
                        end++;
                    alphabet.Refine(sorted[first..end]);
                }
            }
            return alphabet;
        }

        private static IEnumerable<CodePointRange> RangesOf(CodePointDfa dfa)
        {
            for (int state = 0; state < dfa.Count; state++)
            for (int at = 0; at < dfa.Edges(state).Length; at++)
                yield return new(dfa.Edges(state)[at].First, dfa.Edges(state)[at].Last);
        }
    }
}

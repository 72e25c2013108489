using System.Runtime.InteropServices;

namespace GptOss.Constraints.Regular;

/// <summary>
/// Makes a pattern's automaton deterministic: a state is the set of states that the pattern can be in.
/// </summary>
/// <remarks>
/// Only what reads or waits for the end of the text is kept in a set. Behind the start, a state from which the match
/// is reached through <c>^</c> alone is left out, so an anchored pattern does not carry the beginnings of later
/// matches along.
/// </remarks>
internal sealed class Determinizer
{
    // What a pattern costs whatever it is: a grammar may have 10,000 rules.
    private const int StepsToBegin = 4_000;

    private readonly Nfa _nfa;
    private readonly bool _isOpen;
    private readonly uint _guards;
    private readonly PatternBudget _budget;
    private readonly Alphabet _alphabet;
    private readonly int[] _anyText;
    private readonly int[][] _classes; // Of each set of the automaton.
    private readonly bool[] _matchesLater; // Whether a state reaches the match behind the start of the text.
    private readonly int[] _seen;
    private int _round;

    private readonly Dictionary<int[], int> _numbers = new(ArrayComparer<int>.Instance);
    private readonly List<int[]> _states = [];

    private Determinizer(Nfa nfa, bool isOpen, uint guards, PatternBudget budget)
    {
        (_nfa, _isOpen, _guards, _budget) = (nfa, isOpen, guards, budget);
        budget.Take(StepsToBegin);
        _alphabet = Alphabet.Of([.. nfa.Sets, CodePointSet.All]);
        _anyText = _alphabet.ClassesOf(CodePointSet.All);
        _classes = [.. nfa.Sets.Select(_alphabet.ClassesOf)];
        _matchesLater = FindMatchesLater();
        _seen = new int[nfa.Count];
    }

    /// <summary>The deterministic automaton of a pattern.</summary>
    /// <param name="nfa">The automaton of the pattern.</param>
    /// <param name="isOpen">Whether any text may follow the match.</param>
    /// <param name="guards">The guards that hold, by bit; the others do not.</param>
    /// <param name="budget">What the automaton may cost.</param>
    public static CodePointDfa Determinize(Nfa nfa, bool isOpen, uint guards, PatternBudget budget) =>
        new Determinizer(nfa, isOpen, guards, budget).Build();

    private CodePointDfa Build()
    {
        var builder = new DfaBuilder(_budget);
        var targets = new int[_alphabet.Count];
        _states.Add(Close([_nfa.Start], isAtStart: true)); // Not in the dictionary: `^` holds in this state alone.
        for (int state = 0; state < _states.Count; state++)
        {
            FindTargets(_states[state], targets);
            _budget.Take(_alphabet.IntervalCount / 4);
            for (int interval = 0; interval < _alphabet.IntervalCount; interval++)
                if (_alphabet.Class(interval) is >= 0 and int symbol && targets[symbol] != CodePointDfa.Dead)
                    builder.Add(_alphabet.First(interval), _alphabet.Last(interval), targets[symbol]);
            builder.End(IsAccepting(_states[state], isAtStart: state == 0));
        }
        return builder.Build();
    }

    // Classes that the same sets of this state read lead to the same target, which is worked out once for all of them.
    private void FindTargets(int[] state, int[] targets)
    {
        Array.Fill(targets, CodePointDfa.Dead);
        if (state is [Nfa.Match] && _isOpen)
        {
            foreach (int symbol in _anyText)
                targets[symbol] = Number(state);
            return;
        }
        foreach ((List<int> sources, List<int> classes) in GroupClasses(state))
        {
            int target = Number(Close(sources.Select(source => _nfa[source].Next), isAtStart: false));
            foreach (int symbol in classes)
                targets[symbol] = target;
        }
    }

    private IEnumerable<(List<int> Sources, List<int> Classes)> GroupClasses(int[] state)
    {
        var bySet = new Dictionary<int, List<int>>();
        foreach (int source in state)
            if (_nfa[source] is { Kind: NfaKind.Read, Argument: int set })
                (bySet.TryGetValue(set, out List<int>? sources) ? sources : bySet[set] = []).Add(source);

        // A signature is the list of sets that hold a class, numbered as the list grows; 0 is the empty list.
        var signatures = new int[_alphabet.Count];
        var lists = new List<(int Shorter, int Set)> { (0, 0) };
        var numbers = new Dictionary<(int Shorter, int Set), int>();
        foreach (int set in bySet.Keys)
        {
            _budget.Take(4 * _classes[set].Length);
            foreach (int symbol in _classes[set])
            {
                (int, int) longer = (signatures[symbol], set);
                if (!numbers.TryGetValue(longer, out int number))
                {
                    numbers[longer] = number = lists.Count;
                    lists.Add(longer);
                }
                signatures[symbol] = number;
            }
        }
        var groups = new Dictionary<int, List<int>>();
        for (int symbol = 0; symbol < signatures.Length; symbol++)
            if (signatures[symbol] != 0)
                (
                    groups.TryGetValue(signatures[symbol], out var classes) ? classes : groups[signatures[symbol]] = []
                ).Add(symbol);
        foreach ((int signature, List<int> classes) in groups)
        {
            var sources = new List<int>();
            for (int list = signature; list != 0; list = lists[list].Shorter)
                sources.AddRange(bySet[lists[list].Set]);
            yield return (sources, classes);
        }
    }

    private int Number(int[] state)
    {
        if (state.Length == 0)
            return CodePointDfa.Dead;
        ref int number = ref CollectionsMarshal.GetValueRefOrAddDefault(_numbers, state, out bool isKnown);
        if (isKnown)
            return number;
        _states.Add(state);
        return number = _states.Count - 1;
    }

    // All states that are reached without reading, but for those that only lead on.
    private int[] Close(IEnumerable<int> states, bool isAtStart)
    {
        var kept = new List<int>();
        bool hasMatched = false;
        Follow(states, isAtStart, isAtEnd: false, state =>
        {
            if (!isAtStart && !_matchesLater[state])
                return;
            hasMatched |= state == Nfa.Match;
            if (_nfa[state].Kind is NfaKind.Read or NfaKind.AtEnd or NfaKind.Match)
                kept.Add(state);
        });
        if (hasMatched && _isOpen)
            return [Nfa.Match];
        kept.Sort();
        return [.. kept];
    }

    private bool IsAccepting(int[] states, bool isAtStart)
    {
        bool isAccepting = false;
        Follow(states, isAtStart, isAtEnd: true, state => isAccepting |= state == Nfa.Match);
        return isAccepting;
    }

    private void Follow(IEnumerable<int> states, bool isAtStart, bool isAtEnd, Action<int> visit)
    {
        _round++;
        var open = new Stack<int>(states);
        int steps = 4;
        while (open.TryPop(out int state))
        {
            steps++;
            if (_seen[state] == _round)
                continue;
            _seen[state] = _round;
            visit(state);
            NfaState at = _nfa[state];
            bool goesOn = at.Kind switch
            {
                NfaKind.Split => true,
                NfaKind.AtStart => isAtStart,
                NfaKind.AtEnd => isAtEnd,
                NfaKind.Guarded => isAtStart && (_guards >> at.Argument & 1) != 0,
                _ => false,
            };
            if (!goesOn)
                continue;
            open.Push(at.Next);
            if (at.Kind == NfaKind.Split)
                open.Push(at.Argument);
        }
        _budget.Take(4 * steps);
    }

    private bool[] FindMatchesLater()
    {
        var into = new List<int>?[_nfa.Count];
        void AddInto(int state, int from) => (into[state] ??= []).Add(from);
        for (int state = 0; state < _nfa.Count; state++)
        {
            NfaState at = _nfa[state];
            if (at.Kind is NfaKind.Read or NfaKind.Split or NfaKind.AtEnd)
                AddInto(at.Next, state);
            if (at.Kind == NfaKind.Split)
                AddInto(at.Argument, state);
        }
        var matches = new bool[_nfa.Count];
        var open = new Stack<int>([Nfa.Match]);
        while (open.TryPop(out int state))
        {
            if (matches[state])
                continue;
            matches[state] = true;
            foreach (int from in into[state] ?? [])
                open.Push(from);
        }
        return matches;
    }
}

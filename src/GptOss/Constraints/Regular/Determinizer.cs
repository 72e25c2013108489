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
    private const int StepsToBegin = 3_000;

    private const int Unknown = -2;

    private static readonly int[] OnlyMatch = [Nfa.Match];

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

    // Used again for every state, so that a state makes nothing but itself.
    private readonly Stack<int> _open = new();
    private readonly List<int> _reached = [];
    private readonly List<int> _kept = [];
    private readonly List<int> _sources = [];
    private readonly List<int>[] _bySet; // the states of a set that read it
    private readonly List<int> _met = []; // the sets that some state reads
    private readonly List<int> _read = []; // the classes that some set holds
    private readonly int[] _signatures; // of each class
    private readonly List<(int Shorter, int Set)> _lists = []; // of each signature
    private readonly List<int> _targetOf = []; // of each signature
    private readonly Dictionary<(int Shorter, int Set), int> _longer = [];

    private Determinizer(Nfa nfa, bool isOpen, uint guards, PatternBudget budget)
    {
        (_nfa, _isOpen, _guards, _budget) = (nfa, isOpen, guards, budget);
        budget.Take(StepsToBegin);
        _alphabet = Alphabet.Of([.. nfa.Sets, CodePointSet.All]);
        _anyText = _alphabet.ClassesOf(CodePointSet.All);
        _classes = [.. nfa.Sets.Select(_alphabet.ClassesOf)];
        _matchesLater = FindMatchesLater();
        _seen = new int[nfa.Count];
        _bySet = Array.ConvertAll(_classes, _ => new List<int>());
        _signatures = new int[_alphabet.Count];
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
        // The first state is not in the dictionary: `^` holds in it alone.
        _states.Add(Close([_nfa.Start], isAtStart: true).ToArray());
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
        GroupClasses(state);
        foreach (int symbol in _read)
        {
            ref int target = ref CollectionsMarshal.AsSpan(_targetOf)[_signatures[symbol]];
            if (target == Unknown)
                target = Number(Close(SourcesOf(_signatures[symbol]), isAtStart: false));
            targets[symbol] = target;
        }
    }

    // A signature is the list of sets that hold a class, numbered as the list grows; 0 is the empty list.
    private void GroupClasses(int[] state)
    {
        foreach (int set in _met)
            _bySet[set].Clear();
        _met.Clear();
        foreach (int source in state)
            if (_nfa[source] is { Kind: NfaKind.Read, Argument: int set })
            {
                if (_bySet[set].Count == 0)
                    _met.Add(set);
                _bySet[set].Add(source);
            }
        foreach (int symbol in _read)
            _signatures[symbol] = 0;
        _read.Clear();
        _lists.Clear();
        _lists.Add((0, 0));
        _longer.Clear();
        _targetOf.Clear();
        _targetOf.Add(Unknown);
        foreach (int set in _met)
        {
            _budget.Take(4 * _classes[set].Length);
            foreach (int symbol in _classes[set])
            {
                if (_signatures[symbol] == 0)
                    _read.Add(symbol);
                ref int number = ref CollectionsMarshal.GetValueRefOrAddDefault(
                    _longer,
                    (_signatures[symbol], set),
                    out bool isKnown
                );
                if (!isKnown)
                {
                    number = _lists.Count;
                    _lists.Add((_signatures[symbol], set));
                    _targetOf.Add(Unknown);
                }
                _signatures[symbol] = number;
            }
        }
    }

    // What a state goes on to by the sets of a signature.
    private List<int> SourcesOf(int signature)
    {
        _sources.Clear();
        for (int list = signature; list != 0; list = _lists[list].Shorter)
            foreach (int source in _bySet[_lists[list].Set])
                _sources.Add(_nfa[source].Next);
        return _sources;
    }

    // Most sets are known already, and are looked up without being copied.
    private int Number(ReadOnlySpan<int> state)
    {
        if (state.Length == 0)
            return CodePointDfa.Dead;
        var lookup = _numbers.GetAlternateLookup<ReadOnlySpan<int>>();
        if (lookup.TryGetValue(state, out int number))
            return number;
        _states.Add(state.ToArray());
        _budget.Take(4 * state.Length);
        return _numbers[_states[^1]] = _states.Count - 1;
    }

    // All states that are reached without reading, but for those that only lead on; valid until the next call.
    private ReadOnlySpan<int> Close(List<int> states, bool isAtStart)
    {
        _kept.Clear();
        bool hasMatched = false;
        Follow(CollectionsMarshal.AsSpan(states), isAtStart, isAtEnd: false);
        foreach (int state in _reached)
        {
            if (!isAtStart && !_matchesLater[state])
                continue;
            hasMatched |= state == Nfa.Match;
            if (_nfa[state].Kind is NfaKind.Read or NfaKind.AtEnd or NfaKind.Match)
                _kept.Add(state);
        }
        if (hasMatched && _isOpen)
            return OnlyMatch;
        _kept.Sort();
        return CollectionsMarshal.AsSpan(_kept);
    }

    private bool IsAccepting(int[] states, bool isAtStart)
    {
        Follow(states, isAtStart, isAtEnd: true);
        return _reached.Contains(Nfa.Match);
    }

    private void Follow(ReadOnlySpan<int> states, bool isAtStart, bool isAtEnd)
    {
        _round++;
        _reached.Clear();
        foreach (int state in states)
            _open.Push(state);
        int steps = 4;
        while (_open.TryPop(out int state))
        {
            steps++;
            if (_seen[state] == _round)
                continue;
            _seen[state] = _round;
            _reached.Add(state);
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
            _open.Push(at.Next);
            if (at.Kind == NfaKind.Split)
                _open.Push(at.Argument);
        }
        _budget.Take(4 * steps);
    }

    // What a state goes on to has a lower number, but for the body of a loop, which leads nowhere but back to the loop.
    private bool[] FindMatchesLater()
    {
        var matches = new bool[_nfa.Count];
        matches[Nfa.Match] = true;
        for (int state = Nfa.Match + 1; state < matches.Length; state++)
        {
            NfaState at = _nfa[state];
            matches[state] = at.Kind switch
            {
                NfaKind.Read or NfaKind.AtEnd => matches[at.Next],
                NfaKind.Split => matches[at.Next] || matches[at.Argument],
                _ => false,
            };
        }
        return matches;
    }
}

namespace GptOss.Constraints.Regular;

/// <summary>What a state of an <see cref="Nfa"/> does.</summary>
internal enum NfaKind
{
    /// <summary>The pattern has matched.</summary>
    Match,

    /// <summary>Reads a code point of the set with the number of the argument.</summary>
    Read,

    /// <summary>Goes on in both states without reading.</summary>
    Split,

    /// <summary>Goes on at the start of the text only.</summary>
    AtStart,

    /// <summary>Goes on at the end of the text only.</summary>
    AtEnd,

    /// <summary>Goes on at the start of the text only, where the guard with the number of the argument holds.</summary>
    Guarded,
}

/// <summary>A state of an <see cref="Nfa"/>.</summary>
/// <param name="Kind">What the state does.</param>
/// <param name="Argument">The number of a set or guard; the second state of a split.</param>
/// <param name="Next">The state behind this one.</param>
internal readonly record struct NfaState(NfaKind Kind, int Argument, int Next);

/// <summary>A pattern as a nondeterministic automaton, in the manner of Thompson.</summary>
/// <remarks>Built from its end: each part is given the state behind it and returns the state it begins with.</remarks>
internal sealed class Nfa
{
    /// <summary>The state in which the pattern has matched.</summary>
    public const int Match = 0;

    private const int MostStates = 200_000;

    private readonly List<NfaState> _states = [new(NfaKind.Match, 0, 0)];
    private readonly Dictionary<CodePointSet, int> _numbers = [];
    private readonly List<CodePointSet> _sets = [];
    private readonly PatternBudget _budget;

    /// <param name="root">The pattern to be matched.</param>
    /// <param name="isFloating">Whether the match may begin anywhere in the text, and not at its start only.</param>
    /// <param name="budget">Pays for every state.</param>
    public Nfa(RegexNode root, bool isFloating, PatternBudget budget)
    {
        _budget = budget;
        Start = Build(root, Match);
        if (!isFloating)
            return;
        int before = Add(NfaKind.Split, 0, Start);
        _states[before] = new(NfaKind.Split, Add(NfaKind.Read, NumberOf(CodePointSet.All), before), Start);
        Start = before;
    }

    /// <summary>The state in which every text begins.</summary>
    public int Start { get; }

    /// <summary>How many states there are.</summary>
    public int Count => _states.Count;

    /// <summary>The sets of code points that states read.</summary>
    public IReadOnlyList<CodePointSet> Sets => _sets;

    /// <summary>A state by its number.</summary>
    public NfaState this[int state] => _states[state];

    private int Build(RegexNode node, int next)
    {
        _budget.Take(1);
        switch (node)
        {
            case RegexNode.Read read:
                return Add(NfaKind.Read, NumberOf(read.Set), next);
            case RegexNode.Series sequence:
                for (int part = sequence.Parts.Count - 1; part >= 0; part--)
                    next = Build(sequence.Parts[part], next);
                return next;
            case RegexNode.Choice choice:
                int begin = Build(choice.Branches[^1], next);
                for (int branch = choice.Branches.Count - 2; branch >= 0; branch--)
                    begin = Add(NfaKind.Split, begin, Build(choice.Branches[branch], next));
                return begin;
            case RegexNode.Repeat repeat:
                return BuildRepeat(repeat, next);
            case RegexNode.AtStart:
                return Add(NfaKind.AtStart, 0, next);
            case RegexNode.AtEnd:
                return Add(NfaKind.AtEnd, 0, next);
            default:
                return Add(NfaKind.Guarded, ((RegexNode.Guarded)node).Guard, next);
        }
    }

    private int BuildRepeat(RegexNode.Repeat repeat, int next)
    {
        int begin = next;
        if (repeat.Max is int max)
        {
            for (int time = repeat.Min; time < max; time++)
                begin = Add(NfaKind.Split, next, Build(repeat.Body, begin));
        }
        else
        {
            begin = Add(NfaKind.Split, next, next);
            _states[begin] = new(NfaKind.Split, next, Build(repeat.Body, begin));
        }
        for (int time = 0; time < repeat.Min; time++)
            begin = Build(repeat.Body, begin);
        return begin;
    }

    private int Add(NfaKind kind, int argument, int next)
    {
        if (_states.Count == MostStates)
            throw new LimitException($"needs more than {MostStates:N0} states");
        _budget.Take(8);
        _states.Add(new(kind, argument, next));
        return _states.Count - 1;
    }

    private int NumberOf(CodePointSet set)
    {
        if (_numbers.TryGetValue(set, out int number))
            return number;
        _sets.Add(set);
        return _numbers[set] = _sets.Count - 1;
    }
}

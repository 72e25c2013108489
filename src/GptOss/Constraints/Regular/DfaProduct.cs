namespace GptOss.Constraints.Regular;

/// <summary>What becomes of two languages.</summary>
internal enum DfaOperation
{
    /// <summary>Texts of the first and of the second language.</summary>
    And,

    /// <summary>Texts of the first or of the second language.</summary>
    Or,

    /// <summary>Texts of the first and not of the second language.</summary>
    Minus,
}

/// <summary>
/// Two automata walked side by side: a state is a pair of their states, of which one may be dead if the operation can
/// do without it. Only pairs that are reached are made.
/// </summary>
internal sealed class DfaProduct
{
    private const int NoCodePoint = int.MaxValue;

    private readonly CodePointDfa _left;
    private readonly CodePointDfa _right;
    private readonly DfaOperation _operation;
    private readonly PatternBudget _budget;
    private readonly DfaBuilder _builder;
    private readonly Dictionary<(int Left, int Right), int> _numbers = [];
    private readonly List<(int Left, int Right)> _pairs = [];

    private DfaProduct(CodePointDfa left, CodePointDfa right, DfaOperation operation, PatternBudget budget)
    {
        (_left, _right, _operation, _budget) = (left, right, operation, budget);
        _builder = new(budget);
    }

    /// <summary>The automaton of two languages under an operation.</summary>
    public static CodePointDfa Of(
        CodePointDfa left,
        CodePointDfa right,
        DfaOperation operation,
        PatternBudget budget
    ) => new DfaProduct(left, right, operation, budget).Build();

    private CodePointDfa Build()
    {
        if (Number(StartOf(_left), StartOf(_right)) == CodePointDfa.Dead)
            return CodePointDfa.Nothing;
        for (int at = 0; at < _pairs.Count; at++)
        {
            (int left, int right) = _pairs[at];
            AddEdges(EdgesOf(_left, left), EdgesOf(_right, right));
            _builder.End(IsAccepting(Accepts(_left, left), Accepts(_right, right)));
        }
        return _builder.Build();
    }

    // Both lists of edges are cut where an edge of either begins or ends.
    private void AddEdges(ReadOnlySpan<DfaEdge> lefts, ReadOnlySpan<DfaEdge> rights)
    {
        _budget.Take(20 + 4L * (lefts.Length + rights.Length));
        int from = 0;
        while (true)
        {
            while (!lefts.IsEmpty && lefts[0].Last < from)
                lefts = lefts[1..];
            while (!rights.IsEmpty && rights[0].Last < from)
                rights = rights[1..];
            int left = lefts.IsEmpty ? NoCodePoint : Math.Max(lefts[0].First, from);
            int right = rights.IsEmpty ? NoCodePoint : Math.Max(rights[0].First, from);
            int first = Math.Min(left, right);
            if (first == NoCodePoint)
                return;
            int last = Math.Min(left == first ? lefts[0].Last : left - 1, right == first ? rights[0].Last : right - 1);
            int target = Number(
                left == first ? lefts[0].Target : CodePointDfa.Dead,
                right == first ? rights[0].Target : CodePointDfa.Dead
            );
            if (target != CodePointDfa.Dead)
                _builder.Add(first, last, target);
            from = last + 1;
        }
    }

    private int Number(int left, int right)
    {
        bool isAlive = _operation switch
        {
            DfaOperation.And => left != CodePointDfa.Dead && right != CodePointDfa.Dead,
            DfaOperation.Or => left != CodePointDfa.Dead || right != CodePointDfa.Dead,
            _ => left != CodePointDfa.Dead,
        };
        if (!isAlive)
            return CodePointDfa.Dead;
        if (_numbers.TryGetValue((left, right), out int number))
            return number;
        _pairs.Add((left, right));
        return _numbers[(left, right)] = _pairs.Count - 1;
    }

    private bool IsAccepting(bool left, bool right) =>
        _operation switch
        {
            DfaOperation.And => left && right,
            DfaOperation.Or => left || right,
            _ => left && !right,
        };

    private static int StartOf(CodePointDfa dfa) => dfa.IsEmpty ? CodePointDfa.Dead : CodePointDfa.Start;

    private static ReadOnlySpan<DfaEdge> EdgesOf(CodePointDfa dfa, int state) =>
        state == CodePointDfa.Dead ? [] : dfa.Edges(state);

    private static bool Accepts(CodePointDfa dfa, int state) => state != CodePointDfa.Dead && dfa.Accepts(state);
}

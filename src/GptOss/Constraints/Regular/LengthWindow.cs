namespace GptOss.Constraints.Regular;

/// <summary>
/// Texts of a language whose length lies between two bounds: tells in every state, and after any number of code
/// points, whether such a text can still be completed.
/// </summary>
/// <remarks>
/// The lengths of the rests of a state are mostly all those from the shortest to the longest; this is proved by
/// holding for one edge after the other, since every edge adds one. Where some lengths between are missing, as in
/// <c>^(ab)*$</c>, they are kept as bits until they repeat.
/// </remarks>
internal sealed class LengthWindow
{
    private readonly CodePointDfa _dfa;
    private readonly int _min;
    private readonly int? _max;
    private readonly RestLengths? _gaps;

    /// <param name="dfa">The language, not empty.</param>
    /// <param name="min">The fewest code points.</param>
    /// <param name="max">The most code points; null for no bound.</param>
    /// <param name="budget">Pays for the lengths of a language in which some are missing.</param>
    /// <exception cref="LimitException">The lengths of the language take too long to repeat.</exception>
    public LengthWindow(CodePointDfa dfa, int min, int? max, CompileBudget budget)
    {
        (_dfa, _min, _max) = (dfa, min, max);
        if (max is int most && min > 0)
            _gaps = RestLengths.Of(dfa, most, new(budget));
        (FirstFree, LastFree) = FindFree();
    }

    /// <summary>Whether there are texts within the bounds at all.</summary>
    public bool IsPossible => CanEnd(CodePointDfa.Start, 0);

    /// <summary>
    /// The first number of code points after which <see cref="CanEnd"/> holds in every state, up to
    /// <see cref="LastFree"/>.
    /// </summary>
    public int FirstFree { get; }

    /// <summary>The last number of code points after which <see cref="CanEnd"/> holds in every state.</summary>
    public int LastFree { get; }

    /// <summary>Whether a text may end here.</summary>
    /// <param name="state">The state of the language.</param>
    /// <param name="read">How many code points were read.</param>
    public bool Accepts(int state, int read) => read >= _min && !(read > _max) && _dfa.Accepts(state);

    /// <summary>Whether some rest leads to the end of a text within the bounds.</summary>
    /// <param name="state">The state of the language.</param>
    /// <param name="read">How many code points were read.</param>
    public bool CanEnd(int state, int read)
    {
        int least = Math.Max(0, _min - read);
        if (_max is not int max)
            return _dfa.Measures.Longest(state) >= least;
        int shortest = _dfa.Measures.Shortest(state);
        if (shortest > max - read || _dfa.Measures.Longest(state) < least)
            return false;
        return shortest >= least || _gaps is null || _gaps.HasBetween(state, least, max - read);
    }

    private (int First, int Last) FindFree()
    {
        if (_gaps is not null && _gaps.LargestGap > _max - _min + 1)
            return (0, -1);
        int first = 0,
            last = int.MaxValue;
        for (int state = 0; state < _dfa.Count; state++)
        {
            first = Math.Max(first, _min - _dfa.Measures.Longest(state));
            last = Math.Min(last, (_max ?? int.MaxValue) - _dfa.Measures.Shortest(state));
        }
        return (first, last);
    }
}

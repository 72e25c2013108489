namespace GptOss.Constraints.Regular;

/// <summary>
/// The languages of regular expressions: those of ECMA-262 with the u flag, as JSON Schema asks for them
/// (<see cref="RegexParser"/> says what is read beyond, and refuses the rest).
/// </summary>
internal static class Patterns
{
    // How many repetitions of a class are still states rather than a bound of length.
    private const int MostCounted = 16;

    private const int MostGuards = 4;

    /// <summary>The texts in which a pattern is found: <c>^</c> and <c>$</c> bind it to the ends of the text.</summary>
    /// <exception cref="PatternException">The pattern is wrong, or holds what is not supported.</exception>
    /// <exception cref="LimitException">The pattern is too long, or its automaton too large.</exception>
    public static CodePointDfa Search(string pattern, CompileBudget budget)
    {
        CheckLength(pattern);
        return Compile(RegexParser.Parse(pattern, isAtStart: false), isFloating: true, isOpen: true, new(budget));
    }

    /// <summary>
    /// The texts in which a pattern is found, where <c>^X{m,n}$</c> of a single character class is given as the
    /// language <c>X*</c> and its bounds of length: a thousand characters are then one state and not a thousand.
    /// </summary>
    /// <inheritdoc cref="Search"/>
    public static BoundedLanguage SearchBounded(string pattern, CompileBudget budget)
    {
        CheckLength(pattern);
        RegexPattern parsed = RegexParser.Parse(pattern, isAtStart: false);
        if (
            parsed.Root is RegexNode.Series { Parts: [RegexNode.AtStart, RegexNode.Repeat repeat, RegexNode.AtEnd] }
            && repeat is { Body: RegexNode.Read read }
            && Math.Max(repeat.Min, repeat.Max ?? 0) > MostCounted
        )
            return new(CodePointDfa.Repeated(read.Set), repeat.Min, repeat.Max);
        return new(Compile(parsed, isFloating: true, isOpen: true, new(budget)));
    }

    /// <summary>The texts that a pattern matches from their start to their end.</summary>
    /// <exception cref="PatternException">The pattern is wrong, or holds what is not supported.</exception>
    /// <exception cref="LimitException">The pattern is too long, or its automaton too large.</exception>
    public static CodePointDfa Whole(string pattern, CompileBudget budget)
    {
        CheckLength(pattern);
        return Compile(RegexParser.Parse(pattern, isAtStart: true), isFloating: false, isOpen: false, new(budget));
    }

    /// <summary>The texts that a pattern without look-aheads matches from their start to their end.</summary>
    /// <exception cref="LimitException">The automaton of the pattern is too large.</exception>
    public static CodePointDfa Whole(RegexNode pattern, CompileBudget budget) =>
        Compile(new(pattern, []), isFloating: false, isOpen: false, new(budget));

    private static void CheckLength(string pattern)
    {
        if (pattern.Length > PatternBudget.MostCharacters)
            throw new LimitException(
                $"has {pattern.Length:N0} characters, and the limit is {PatternBudget.MostCharacters:N0}"
            );
    }

    // With every choice of guards that hold: the pattern in which just these may be passed, and what they ask.
    private static CodePointDfa Compile(RegexPattern pattern, bool isFloating, bool isOpen, PatternBudget budget)
    {
        if (pattern.Guards.Count > MostGuards)
            throw new LimitException(
                $"has look-aheads at {pattern.Guards.Count} places, and the limit is {MostGuards}"
            );
        var nfa = new Nfa(pattern.Root, isFloating, budget);
        CodePointDfa[] conditions = [.. pattern.Guards.Select(guard => Condition(guard, budget))];
        CodePointDfa all = CodePointDfa.Nothing;
        for (uint guards = 0; guards < 1u << conditions.Length; guards++)
        {
            CodePointDfa texts = Determinizer.Determinize(nfa, isOpen, guards, budget);
            for (int guard = 0; guard < conditions.Length; guard++)
                if ((guards >> guard & 1) != 0)
                    texts = DfaProduct.Of(texts, conditions[guard], DfaOperation.And, budget);
            all = guards == 0 ? texts : DfaProduct.Of(all, texts, DfaOperation.Or, budget);
        }
        return all;
    }

    private static CodePointDfa Condition(IReadOnlyList<LookAhead> guard, PatternBudget budget)
    {
        CodePointDfa all = CodePointDfa.AnyText;
        foreach (LookAhead ahead in guard)
        {
            CodePointDfa begins = Compile(ahead.Pattern, isFloating: false, isOpen: true, budget);
            all = DfaProduct.Of(all, begins, ahead.IsNegative ? DfaOperation.Minus : DfaOperation.And, budget);
        }
        return all;
    }
}

using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Schemas;

/// <summary>The numbers that an alternative allows.</summary>
/// <param name="languages">Combines the automata of bounds.</param>
/// <param name="budget">Pays for the automata.</param>
internal sealed class NumberLanguages(LanguageCache languages, CompileBudget budget)
{
    private readonly Dictionary<string, CodePointDfa> _ranges = new(StringComparer.Ordinal);

    // A digit behind the point that is not zero, and no more than 16 digits: no integer, and neither is the nearest
    // double, by which many validators judge. (7777777777777777.77 is 7777777777777778 to them.)
    private CodePointDfa Fractions =>
        field ??= Patterns
            .Whole(@"-?\d+\.\d*[1-9]\d*", budget)
            .And(
                Patterns.Whole(
                    @"-?(?:0\.\d{0,16}|"
                        + string.Join(
                            '|',
                            Enumerable.Range(1, 15).Select(whole => $@"\d{{{whole}}}\.\d{{0,{16 - whole}}}")
                        )
                        + ")",
                    budget
                ),
                budget
            );

    /// <summary>The texts of the numbers of an alternative.</summary>
    /// <param name="alternative">What is asked of the numbers.</param>
    /// <param name="isCanonical">Whether every number has its shortest spelling only.</param>
    public CodePointDfa Of(SchemaAlternative alternative, bool isCanonical)
    {
        bool isInteger = (alternative.Types & JsonTypes.Fraction) == 0;
        CodePointDfa numbers = Range(
            isInteger,
            Strictest(alternative.Of<MinimumKeyword>().Select(minimum => minimum.Bound), sign: 1),
            Strictest(alternative.Of<MaximumKeyword>().Select(maximum => maximum.Bound), sign: -1),
            [.. alternative.Of<MultipleOfKeyword>().Where(keyword => !keyword.IsNegated).Select(k => k.Divisor)]
        );
        if ((alternative.Types & JsonTypes.Integer) == 0)
            numbers = languages.And(numbers, Fractions);
        foreach (MultipleOfKeyword multiple in alternative.Of<MultipleOfKeyword>())
            if (multiple.IsNegated)
                numbers = Without(numbers, Range(isInteger: false, null, null, [multiple.Divisor]));
        CodePointDfa[] excluded =
        [
            .. alternative
                .Of<ExcludedKeyword>()
                .SelectMany(keyword => keyword.Values)
                .Where(value => (value.Type & JsonTypes.Number) != 0)
                .Select(value => Range(isInteger: false, new(value.Number), new(value.Number), [])),
        ];
        if (excluded.Length > 0)
            numbers = Without(numbers, languages.Or(excluded));
        return isCanonical ? languages.And(numbers, NumberRange.OneSpelling) : numbers;
    }

    // What is taken out is spelled without exponent, so that the rest has to be.
    private CodePointDfa Without(CodePointDfa numbers, CodePointDfa others) =>
        languages.Minus(languages.And(numbers, NumberRange.Plain), others);

    private CodePointDfa Range(
        bool isInteger,
        DecimalBound? least,
        DecimalBound? most,
        IReadOnlyList<DecimalNumber> multiplesOf
    )
    {
        string key = $"{isInteger} {Text(least)} {Text(most)} {string.Join(' ', multiplesOf)}";
        if (!_ranges.TryGetValue(key, out CodePointDfa? range))
            _ranges[key] = range = new NumberRange(isInteger, least, most) { MultiplesOf = multiplesOf }.ToDfa(budget);
        return range;
    }

    private static string Text(DecimalBound? bound) =>
        bound is { } known ? $"{known.Value}{(known.IsExclusive ? "!" : "")}" : "";

    // The largest lower bound, or the smallest upper one; of two at the same number the exclusive one.
    private static DecimalBound? Strictest(IEnumerable<DecimalBound> bounds, int sign)
    {
        DecimalBound? strictest = null;
        foreach (DecimalBound bound in bounds)
        {
            int order = strictest is { } other ? sign * bound.Value.CompareTo(other.Value) : 1;
            if (order > 0 || (order == 0 && bound.IsExclusive))
                strictest = bound;
        }
        return strictest;
    }
}

using System.Numerics;

namespace GptOss.Constraints.Regular;

/// <summary>A bound of numbers.</summary>
/// <param name="Value">The least or the most number.</param>
/// <param name="IsExclusive">Whether the number itself is out of bounds.</param>
internal readonly record struct DecimalBound(DecimalNumber Value, bool IsExclusive = false);

/// <summary>Numbers between two bounds that are multiples of others, and how JSON spells them here.</summary>
/// <remarks>
/// Integers have no fraction, no exponent and no <c>-0</c>, and lie within ±(2^63 − 1) unless a bound says more; other
/// numbers have up to 16 digits before the point and 17 behind it, or as many as their bounds have, at most 28. Only
/// numbers of which nothing is asked may have an exponent.
/// </remarks>
/// <param name="IsInteger">Whether the numbers are spelled as integers.</param>
/// <param name="Least">The lower bound; null for none.</param>
/// <param name="Most">The upper bound; null for none.</param>
internal sealed record NumberRange(bool IsInteger, DecimalBound? Least = null, DecimalBound? Most = null)
{
    private const int WholeDigits = 16,
        FractionDigits = 17,
        MostDigits = 28;

    private static readonly DecimalBound _mostInteger = new(DecimalNumber.Of(long.MaxValue));
    private static readonly DecimalBound _leastInteger = new(DecimalNumber.Of(-long.MaxValue));

    private static readonly Lazy<CodePointDfa> _integers = new(() => new NumberRange(true).Build(new()));
    private static readonly Lazy<CodePointDfa> _plain = new(() => new NumberRange(false).BuildPlain(new(new())));
    private static readonly Lazy<CodePointDfa> _any = new(() =>
        Patterns.Whole(@"-?(0|[1-9]\d{0,15})(\.\d{1,17})?|-?\d(\.\d{1,17})?[eE](-\d{1,2}|\+?(0?\d|1\d|2[0-7]))", new())
    );
    private static readonly Lazy<CodePointDfa> _oneSpelling = new(() =>
        Patterns.Whole(@"0|-?(0\.|[1-9]\d*\.?)\d*[1-9]|-?[1-9]\d*", new())
    );

    /// <summary>The numbers of which every number is a multiple; none of them is zero or negative.</summary>
    public IReadOnlyList<DecimalNumber> MultiplesOf { get; init; } = [];

    /// <summary>All numbers that are spelled without an exponent.</summary>
    public static CodePointDfa Plain => _plain.Value;

    /// <summary>
    /// The shortest spelling of every number, without exponent: of languages within it, different texts are different
    /// numbers.
    /// </summary>
    public static CodePointDfa OneSpelling => _oneSpelling.Value;

    /// <summary>The texts of the numbers.</summary>
    /// <exception cref="LimitException">A multiple needs too many states.</exception>
    public CodePointDfa ToDfa(CompileBudget budget)
    {
        // What is shared is paid for by nobody.
        bool isFree = Least is null && Most is null && MultiplesOf.Count == 0;
        return !isFree ? Build(budget)
            : IsInteger ? _integers.Value
            : _any.Value;
    }

    private CodePointDfa Build(CompileBudget budget)
    {
        CodePointDfa all = BuildPlain(new(budget));
        foreach (DecimalNumber number in MultiplesOf)
            all = all.And(Multiples.Of(number, new(budget)), budget);
        return all;
    }

    private CodePointDfa BuildPlain(PatternBudget budget)
    {
        (DecimalBound? least, DecimalBound? most) = IsInteger ? IntegerBounds() : (Least, Most);
        DecimalBound zero = new(default);
        CodePointDfa positive = Magnitude(Larger(least, zero), most, budget);
        CodePointDfa negative = Magnitude(
            Larger(Negate(most), zero with { IsExclusive = IsInteger }),
            Negate(least),
            budget
        );
        return Sign(positive, negative, budget);
    }

    // A bound beyond the usual ones moves the other one, which is not given, out of the way.
    private (DecimalBound Least, DecimalBound Most) IntegerBounds()
    {
        DecimalNumber nines = DecimalNumber.Of(BigInteger.Pow(10, MostDigits) - 1);
        DecimalBound most =
            Least is { } from && from.Value.CompareTo(_mostInteger.Value) >= 0 ? new(nines) : _mostInteger;
        DecimalBound least =
            Most is { } to && to.Value.CompareTo(_leastInteger.Value) <= 0 ? new(nines.Negated) : _leastInteger;
        return (Least ?? least, Most ?? most);
    }

    private CodePointDfa Magnitude(DecimalBound least, DecimalBound? most, PatternBudget budget)
    {
        if (least.Value.IsLongerThan(MostDigits) || most is { Value.IsNegative: true })
            return CodePointDfa.Nothing;
        if (most is { } bound && bound.Value.IsLongerThan(MostDigits))
            most = new(DecimalNumber.Of(BigInteger.Pow(10, MostDigits) - 1));

        (string whole, string fraction, bool isCut) = least.Value.Split(MostDigits);
        var low = new DigitBound(whole, fraction, IsLower: true, least.IsExclusive || isCut);
        DigitBound? high = null;
        int wholeDigits = Math.Max(WholeDigits, whole.Length),
            fractionDigits = fraction.Length;
        if (most is { } upper)
        {
            (whole, fraction, isCut) = upper.Value.Split(MostDigits);
            high = new DigitBound(whole, fraction, IsLower: false, upper.IsExclusive && !isCut);
            wholeDigits = whole.Length;
            fractionDigits = Math.Max(fractionDigits, fraction.Length);
        }
        // One digit more than the bounds have tells neighbours apart.
        fractionDigits = IsInteger ? 0 : Math.Clamp(fractionDigits + 1, FractionDigits, MostDigits);
        return MagnitudeBuilder.Build(low, high, wholeDigits, fractionDigits, budget);
    }

    private static DecimalBound? Negate(DecimalBound? bound) =>
        bound is { } known ? known with { Value = known.Value.Negated } : null;

    private static DecimalBound Larger(DecimalBound? bound, DecimalBound other)
    {
        if (bound is not { } known)
            return other;
        int order = known.Value.CompareTo(other.Value);
        return order > 0 || (order == 0 && known.IsExclusive) ? known : other;
    }

    // The positive numbers, and behind a minus the negative ones.
    private static CodePointDfa Sign(CodePointDfa positive, CodePointDfa negative, PatternBudget budget)
    {
        var builder = new DfaBuilder(budget);
        if (!negative.IsEmpty)
            builder.Add('-', '-', 1 + positive.Count);
        for (int state = 0; state <= positive.Count; state++)
        {
            // State 0 begins as the start of the positive ones does, which no edge leads back to.
            int from = Math.Max(0, state - 1);
            foreach (DfaEdge edge in positive.IsEmpty ? [] : positive.Edges(from))
                builder.Add(edge.First, edge.Last, edge.Target + 1);
            builder.End(state > 0 && positive.Accepts(from));
        }
        for (int state = 0; state < negative.Count; state++)
        {
            foreach (DfaEdge edge in negative.Edges(state))
                builder.Add(edge.First, edge.Last, edge.Target + 1 + positive.Count);
            builder.End(negative.Accepts(state));
        }
        return builder.Build();
    }
}

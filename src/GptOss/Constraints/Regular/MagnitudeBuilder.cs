namespace GptOss.Constraints.Regular;

/// <summary>A bound as digits, against which the digits of a text are held one by one.</summary>
/// <param name="Whole">The digits before the point, at least one.</param>
/// <param name="Fraction">The digits behind the point, without zeros at the end.</param>
/// <param name="IsLower">Whether numbers lie above the bound.</param>
/// <param name="IsExclusive">Whether the number itself is out of bounds.</param>
internal sealed record DigitBound(string Whole, string Fraction, bool IsLower, bool IsExclusive);

/// <summary>Builds the automaton of unsigned numbers without exponent between two bounds.</summary>
/// <remarks>
/// After each digit only this counts: whether the point has come, how many digits have come since, and whether the
/// digits so far are less than, equal to or greater than those of each bound.
/// </remarks>
internal sealed class MagnitudeBuilder
{
    private readonly DigitBound _low;
    private readonly DigitBound? _high;
    private readonly int _wholeDigits;
    private readonly int _fractionDigits;
    private readonly Dictionary<Progress, int> _numbers = [];
    private readonly List<Progress> _states = [];

    private MagnitudeBuilder(DigitBound low, DigitBound? high, int wholeDigits, int fractionDigits) =>
        (_low, _high, _wholeDigits, _fractionDigits) = (low, high, wholeDigits, fractionDigits);

    private enum MagnitudeStage
    {
        Nothing,
        Zero,
        Whole,
        Fraction,
    }

    /// <summary>The unsigned numbers between two bounds.</summary>
    /// <param name="low">The lower bound, above which the numbers lie.</param>
    /// <param name="high">The upper bound; null for none.</param>
    /// <param name="wholeDigits">The most digits before the point.</param>
    /// <param name="fractionDigits">The most digits behind the point; 0 for integers.</param>
    /// <param name="budget">Pays for the automaton.</param>
    public static CodePointDfa Build(
        DigitBound low,
        DigitBound? high,
        int wholeDigits,
        int fractionDigits,
        PatternBudget budget
    ) => new MagnitudeBuilder(low, high, wholeDigits, fractionDigits).Build(new DfaBuilder(budget));

    private CodePointDfa Build(DfaBuilder builder)
    {
        Number(new(MagnitudeStage.Nothing, 0, 0, 0));
        for (int at = 0; at < _states.Count; at++)
        {
            Progress state = _states[at];
            if (state.Stage is MagnitudeStage.Zero or MagnitudeStage.Whole && _fractionDigits > 0)
                builder.Add('.', '.', Number(BehindPoint(state)));
            for (char digit = '0'; digit <= '9'; digit++)
                if (Follow(state, digit) is { } next)
                    builder.Add(digit, digit, Number(next));
            builder.End(IsWithin(state));
        }
        return builder.Build();
    }

    private Progress? Follow(Progress state, char digit)
    {
        bool isFraction = state.Stage == MagnitudeStage.Fraction;
        if (state.Stage == MagnitudeStage.Zero || state.Digits == (isFraction ? _fractionDigits : _wholeDigits))
            return null;
        MagnitudeStage part =
            state.Stage == MagnitudeStage.Nothing && digit == '0' ? MagnitudeStage.Zero
            : isFraction ? MagnitudeStage.Fraction
            : MagnitudeStage.Whole;
        return new(
            part,
            state.Digits + 1,
            Compare(state.Low, isFraction ? _low.Fraction : _low.Whole, state.Digits, digit),
            _high is null ? 0 : Compare(state.High, isFraction ? _high.Fraction : _high.Whole, state.Digits, digit)
        );
    }

    // Zeros may be thought behind the fraction of a bound; what is longer than its whole part is told at the point.
    private static int Compare(int soFar, string bound, int at, char digit) =>
        soFar != 0 ? soFar : digit.CompareTo(at < bound.Length ? bound[at] : '0');

    private Progress BehindPoint(Progress state) =>
        new(
            MagnitudeStage.Fraction,
            0,
            Math.Sign(CompareWhole(state.Low, _low, state.Digits)),
            _high is null ? 0 : Math.Sign(CompareWhole(state.High, _high, state.Digits))
        );

    private static int CompareWhole(int soFar, DigitBound bound, int digits) =>
        digits != bound.Whole.Length ? digits - bound.Whole.Length : soFar;

    private bool IsWithin(Progress state)
    {
        if (state.Stage == MagnitudeStage.Nothing || state is { Stage: MagnitudeStage.Fraction, Digits: 0 })
            return false;
        return IsWithin(_low, state.Low, state) && (_high is null || IsWithin(_high, state.High, state));
    }

    private static bool IsWithin(DigitBound bound, int soFar, Progress state)
    {
        int read = state.Digits;
        if (state.Stage != MagnitudeStage.Fraction)
            (soFar, read) = (CompareWhole(soFar, bound, state.Digits), 0);
        if (soFar == 0 && read < bound.Fraction.Length)
            soFar = -1; // The fraction of the bound does not end in zeros.
        return soFar == 0 ? !bound.IsExclusive : soFar > 0 == bound.IsLower;
    }

    private int Number(Progress state)
    {
        state = state with { Low = Math.Sign(state.Low), High = Math.Sign(state.High) };
        if (_numbers.TryGetValue(state, out int number))
            return number;
        _states.Add(state);
        return _numbers[state] = _states.Count - 1;
    }

    // How the digits so far, of the whole part or of the fraction, stand to those of the bounds: -1, 0 or 1.
    private readonly record struct Progress(MagnitudeStage Stage, int Digits, int Low, int High);
}

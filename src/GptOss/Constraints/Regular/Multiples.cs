using System.Globalization;
using System.Runtime.InteropServices;

namespace GptOss.Constraints.Regular;

/// <summary>Builds the automaton of the multiples of a number, spelled without exponent.</summary>
/// <remarks>
/// For a multiple of <c>m / 10^s</c> the digits, with those behind the point up to the s-th, are a multiple of m, and
/// all further ones are zeros. What counts of the digits so far is their remainder. Of whole multiples less counts:
/// for each number j of digits to come, whether there are j digits that complete a multiple, and which. Once ten to
/// the j is m or more there always are, and then the remainder by m / gcd(10^j, m) says all of it. So a million needs
/// 8 states and not a million.
/// </remarks>
internal sealed class Multiples
{
    private const int MostDigits = 15,
        MostFraction = 28;

    private readonly long _modulus;
    private readonly int _scale;
    private readonly PatternBudget _budget;
    private readonly DfaBuilder _builder;
    private readonly Dictionary<State, int> _numbers = [];
    private readonly Dictionary<long[], long> _representatives = new(ArrayComparer<long>.Instance);
    private readonly Dictionary<long, long> _known = [];
    private readonly List<long> _ends = [];
    private readonly List<State> _states = [];

    private Multiples(long modulus, int scale, PatternBudget budget) =>
        (_modulus, _scale, _budget, _builder) = (modulus, scale, budget, new(budget));

    private enum MultipleStage
    {
        Nothing,
        Sign,
        Zero,
        Whole,
        Point,
        Fraction,
    }

    /// <summary>The multiples of a number above zero, with any number of digits.</summary>
    /// <exception cref="LimitException">The number would need too many states.</exception>
    public static CodePointDfa Of(DecimalNumber number, PatternBudget budget)
    {
        int scale = Math.Max(0, -number.Exponent);
        if (number.IsLongerThan(MostDigits) || number.Digits.Length > MostDigits)
            throw new LimitException($"is a number of more than {MostDigits} digits");
        if (scale > MostFraction)
            throw new LimitException($"is a number of more than {MostFraction} digits behind the point");
        long modulus = long.Parse(
            number.Digits + new string('0', Math.Max(0, number.Exponent)),
            CultureInfo.InvariantCulture
        );
        if (DistinctRemainders(modulus) > PatternBudget.MostStates)
            throw new LimitException($"needs more than {PatternBudget.MostStates:N0} states");
        return new Multiples(modulus, scale, budget).Build();
    }

    // The remainders that count whatever digits come: by the modulus without what powers of ten below it divide.
    private static long DistinctRemainders(long modulus)
    {
        long rest = modulus;
        for (long power = 1; power < modulus; power *= 10)
            foreach (int factor in (ReadOnlySpan<int>)[2, 5])
                if (rest % factor == 0)
                    rest /= factor;
        return rest;
    }

    private CodePointDfa Build()
    {
        Number(new(MultipleStage.Nothing, 0, 0));
        for (int at = 0; at < _states.Count; at++)
        {
            State state = _states[at];
            if (state.Part == MultipleStage.Nothing)
                _builder.Add('-', '-', Number(state with { Part = MultipleStage.Sign }));
            if (state.Part is MultipleStage.Zero or MultipleStage.Whole)
                _builder.Add('.', '.', Number(state with { Part = MultipleStage.Point }));
            for (char digit = '0'; digit <= '9'; digit++)
                if (Follow(state, digit - '0') is { } next)
                    _builder.Add(digit, digit, Number(next));
            _builder.End(IsMultiple(state));
        }
        return _builder.Build();
    }

    private State? Follow(State state, int digit)
    {
        switch (state.Part)
        {
            case MultipleStage.Zero:
                return null;
            case MultipleStage.Point or MultipleStage.Fraction:
                if (state.Digits == _scale)
                    return digit == 0 ? state with { Part = MultipleStage.Fraction } : null;
                return new(MultipleStage.Fraction, state.Digits + 1, Append(state.Remainder, digit));
            default:
                MultipleStage part =
                    state.Part != MultipleStage.Whole && digit == 0 ? MultipleStage.Zero : MultipleStage.Whole;
                return new(part, 0, Append(state.Remainder, digit));
        }
    }

    private long Append(long remainder, int digit) => (remainder * 10 + digit) % _modulus;

    private bool IsMultiple(State state)
    {
        if (state.Part is MultipleStage.Nothing or MultipleStage.Sign or MultipleStage.Point)
            return false;
        long remainder = state.Remainder;
        for (int digit = state.Digits; digit < _scale; digit++)
            remainder = Append(remainder, 0);
        return remainder == 0;
    }

    private int Number(State state)
    {
        if (_scale == 0)
            state = state with { Remainder = Representative(state.Remainder) };
        if (_numbers.TryGetValue(state, out int number))
            return number;
        _states.Add(state);
        return _numbers[state] = _states.Count - 1;
    }

    // The remainder that was met first among those with the same ends.
    private long Representative(long remainder)
    {
        if (_known.TryGetValue(remainder, out long known))
            return known;
        _budget.Take(100);
        FindEnds(remainder);
        ReadOnlySpan<long> ends = CollectionsMarshal.AsSpan(_ends);
        var lookup = _representatives.GetAlternateLookup<ReadOnlySpan<long>>();
        if (!lookup.TryGetValue(ends, out long first))
            _representatives[ends.ToArray()] = first = remainder;
        return _known[remainder] = first;
    }

    // For each number of digits, those that complete a multiple; -1 for none.
    private void FindEnds(long remainder)
    {
        _ends.Clear();
        for (long power = 1; ; power *= 10)
        {
            long missing = remainder == 0 ? 0 : _modulus - remainder;
            _ends.Add(missing < power ? missing : -1);
            if (power >= _modulus)
                return;
            remainder = Append(remainder, 0);
        }
    }

    private readonly record struct State(MultipleStage Part, int Digits, long Remainder);
}

using System.Globalization;
using System.Numerics;
using System.Text.Json;
using GptOss.Constraints;
using GptOss.Constraints.Regular;

namespace GptOss.Tests.Constraints.Regular;

public sealed class NumberRangeTests
{
    // All numbers of these tests, times this, are whole.
    private static readonly BigInteger _unit = BigInteger.Pow(10, 40);

    [Fact]
    public void Members_of_a_random_range_lie_in_it_and_numbers_that_lie_in_it_are_members()
    {
        for (int seed = 0; seed < (Long.IsLong ? 20_000 : 400); seed++)
        {
            var random = new Random(seed);
            NumberRange range = RandomRange(random);
            CodePointDfa dfa = range.ToDfa(new CompileBudget());
            for (int draw = 0; draw < 10 && !dfa.IsEmpty; draw++)
            {
                string text = RandomMembers.Draw(dfa, random);
                Assert.True(Fits(range, text), $"seed {seed}: {Describe(range)} let '{text}' in");
            }
            for (int draw = 0; draw < 30; draw++)
            {
                string text = RandomNumber(random, range);
                Assert.True(Fits(range, text) == dfa.Accepts(text), $"seed {seed}: {Describe(range)} on '{text}'");
            }
        }
    }

    [Theory]
    [InlineData("0|7|-7|9223372036854775807|-9223372036854775807", "-0|01|1.0|1e3|9223372036854775808|+1|-|")]
    public void An_integer_without_bounds_fits_in_64_bits(string members, string refused) =>
        Check(new NumberRange(true), members, refused);

    [Theory]
    [InlineData("0|-0|1.50|1234567890123456|0.12345678901234567|-1e-99|9.9e27|9.9E+27|1e05|1e0")]
    public void A_number_without_bounds_is_read_by_double_and_decimal(string members)
    {
        CodePointDfa dfa = new NumberRange(false).ToDfa(new CompileBudget());
        Check(
            new NumberRange(false),
            members,
            "1e28|1e-100|10e2|01|.5|5.|1e|12345678901234567|0.123456789012345678|1e005"
        );
        var random = new Random(1);
        for (int draw = 0; draw < 2_000; draw++)
        {
            JsonElement number = JsonElement.Parse(RandomMembers.Draw(dfa, random));
            Assert.True(double.IsFinite(number.GetDouble()));
            Assert.True(number.TryGetDecimal(out _), number.GetRawText());
        }
    }

    [Theory]
    [InlineData(true, "1", "10", "1|5|10", "0|11|-1|100|01|1.0")]
    [InlineData(true, "-12.5", "3e0", "-12|-1|0|3", "-13|4|-0|3.0")]
    [InlineData(true, "9223372036854775808", null, "9223372036854775808|9999999999999999999999999999", "1|-1")]
    [InlineData(true, null, "-1e20", "-100000000000000000000|-9999999999999999999999999999", "0|-1")]
    [InlineData(true, "0", "1e30", "0|9999999999999999999999999999", "10000000000000000000000000000|-1")]
    [InlineData(false, "0", "1", "0|-0|1|1.0|0.5|0.99999999999999999", "1.01|-0.1|1e0|2")]
    [InlineData(false, "0.1", "0.30", "0.1|0.2|0.3|0.300", "0.09|0.31|0.30000000000000001|0")]
    [InlineData(false, "1e-300", "1", "0.00000000000000001", "0|-1")] // below every digit that is spelled
    [InlineData(false, "-1e300", "-1e-300", "-9999999999999999|-0.00000000000000001", "0|1|-0.0")]
    [InlineData(false, "1.00000000000000001", "1.00000000000000002", "1.000000000000000015", "1")]
    public void Bounds_are_exact_on_digits(
        bool isInteger,
        string? least,
        string? most,
        string members,
        string refused
    ) => Check(new NumberRange(isInteger, Bound(least), Bound(most)), members, refused);

    [Fact]
    public void An_exclusive_bound_is_out_of_bounds()
    {
        var range = new NumberRange(false, Bound("1", true), Bound("1.5", true));
        Check(range, "1.1|1.49999|1.00000000000000001", "1|1.0|1.5|1.50");
        Assert.True(new NumberRange(true, Bound("1", true), Bound("2", true)).ToDfa(new()).IsEmpty);
        Assert.True(new NumberRange(false, Bound("0", true), Bound("0")).ToDfa(new()).IsEmpty);
    }

    [Theory]
    [InlineData("0.01", "19.99|0.1|-3|0|5.000", "0.001|19.999")]
    [InlineData("1000000", "0|1000000|-37000000|1000000.0", "100000|1000001|1500000")]
    [InlineData("86400", "86400|172800|-86400", "86401|43200")]
    [InlineData("2.5", "2.5|5|-7.50|10.0", "2|1.25|3")]
    [InlineData("1e-3", "0.001|12.345", "0.0001")]
    public void Multiples_are_exact_on_digits(string of, string members, string refused) =>
        Check(new NumberRange(false) { MultiplesOf = [Number(of)] }, members, refused);

    [Fact]
    public void A_multiple_of_a_power_of_ten_needs_few_states() =>
        Assert.InRange(Multiples.Of(Number("1000000"), new(new())).Count, 1, 20);

    [Theory]
    [InlineData("99999989")] // a prime: every remainder counts
    [InlineData("12345678901234567")]
    [InlineData("1e-29")]
    public void A_multiple_that_needs_too_many_states_meets_a_limit(string of) =>
        Assert.Throws<LimitException>(() => Multiples.Of(Number(of), new(new())));

    [Fact]
    public void Within_one_spelling_different_texts_are_different_numbers()
    {
        var random = new Random(2);
        for (int draw = 0; draw < 2_000; draw++)
        {
            string text = RandomMembers.Draw(NumberRange.OneSpelling, random);
            Assert.Equal(text, Number(text).ToString());
        }
        Assert.All("0|-1|10|0.01|10.5".Split('|'), text => Assert.True(NumberRange.OneSpelling.Accepts(text), text));
        Assert.All("-0|1.0|0.0|-0.0|1.50".Split('|'), text =>
            Assert.False(NumberRange.OneSpelling.Accepts(text), text)
        );
    }

    private static void Check(NumberRange range, string members, string refused)
    {
        CodePointDfa dfa = range.ToDfa(new CompileBudget());
        Assert.All(members.Split('|'), text => Assert.True(dfa.Accepts(text), text));
        Assert.All(refused.Split('|'), text => Assert.False(dfa.Accepts(text), text));
    }

    private static NumberRange RandomRange(Random random)
    {
        bool isInteger = random.Next(2) == 0;
        DecimalBound? least =
            isInteger && random.Next(3) == 0 ? null : Bound(RandomDigits(random), random.Next(2) == 0);
        DecimalBound? most = random.Next(3) == 0 ? null : Bound(RandomDigits(random), random.Next(2) == 0);
        if (least?.Value.CompareTo(most?.Value ?? least.Value.Value) > 0)
            (least, most) = (most, least);
        string[] steps = ["0.5", "3", "0.01", "12", "7e1", "0.125", "250"];
        DecimalNumber[] multiples = random.Next(3) == 0 ? [Number(steps[random.Next(steps.Length)])] : [];
        return new NumberRange(isInteger, least, most) { MultiplesOf = multiples };
    }

    private static string RandomDigits(Random random)
    {
        string sign = random.Next(2) == 0 ? "-" : "";
        string whole = random
            .NextInt64(0, (long)Math.Pow(10, random.Next(1, 7)))
            .ToString(CultureInfo.InvariantCulture);
        string fraction = random.Next(2) == 0 ? "" : $".{random.Next(0, (int)Math.Pow(10, random.Next(1, 4)))}";
        return sign + whole + fraction;
    }

    // A number near a bound, at a multiple, or anywhere.
    private static string RandomNumber(Random random, NumberRange range)
    {
        DecimalBound? bound = random.Next(2) == 0 ? range.Least : range.Most;
        if (bound is not { } near || random.Next(3) == 0)
            return RandomDigits(random);
        BigInteger step = range.MultiplesOf is [DecimalNumber of]
            ? Scaled(of.ToString())
            : _unit / (random.Next(2) * 9 + 1);
        BigInteger value = Scaled(near.Value.ToString());
        value =
            range.MultiplesOf.Count == 0
                ? value + step * random.Next(-2, 3)
                : value / step * step + step * random.Next(-2, 3);
        string text = DecimalNumber.Of(value).ToString();
        return Number($"{value}e-40").ToString() is var plain && random.Next(4) == 0 && plain.Contains('.')
            ? plain + "0"
            : plain ?? text;
    }

    // The definition, in whole numbers of a small unit.
    private static bool Fits(NumberRange range, string text)
    {
        if (range.IsInteger && (text.Contains('.') || text == "-0"))
            return false;
        BigInteger value = Scaled(text);
        BigInteger limit = _unit * long.MaxValue;
        if (range.IsInteger && BigInteger.Abs(value) > limit)
            return false;
        if (range.Least is { } least && value.CompareTo(Scaled(least.Value.ToString())) < (least.IsExclusive ? 1 : 0))
            return false;
        if (range.Most is { } most && value.CompareTo(Scaled(most.Value.ToString())) > (most.IsExclusive ? -1 : 0))
            return false;
        return range.MultiplesOf.All(of => (value % Scaled(of.ToString())).IsZero);
    }

    private static BigInteger Scaled(string text)
    {
        if (text.Contains('e') || text.Contains('E'))
            text = Number(text).ToString();
        string[] parts = text.Split('.');
        string fraction = parts.Length == 2 ? parts[1] : "";
        return BigInteger.Parse(parts[0] + fraction.PadRight(40, '0'), CultureInfo.InvariantCulture);
    }

    private static string Describe(NumberRange range) =>
        $"{(range.IsInteger ? "integer" : "number")} {range.Least} {range.Most} {string.Join(',', range.MultiplesOf)}";

    private static DecimalBound? Bound(string? text, bool isExclusive = false) =>
        text is null ? null : new DecimalBound(Number(text), isExclusive);

    private static DecimalNumber Number(string text) =>
        DecimalNumber.TryParse(text, out DecimalNumber number) ? number : throw new FormatException(text);
}

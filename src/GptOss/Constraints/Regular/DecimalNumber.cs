using System.Globalization;
using System.Numerics;

namespace GptOss.Constraints.Regular;

/// <summary>
/// A number exactly as its decimal digits say: <c>±digits · 10^exponent</c>. Equal numbers have equal digits, for no
/// zero stands at either end of them.
/// </summary>
internal readonly record struct DecimalNumber : IComparable<DecimalNumber>
{
    private const int MostDigits = 1_000,
        MostExponent = 1_000_000_000,
        MostPlainCharacters = 40;

    private readonly string? _digits;

    private DecimalNumber(bool isNegative, ReadOnlySpan<char> digits, int exponent)
    {
        ReadOnlySpan<char> shorter = digits.TrimEnd('0');
        exponent += digits.Length - shorter.Length;
        shorter = shorter.TrimStart('0');
        if (shorter.IsEmpty)
            return;
        (IsNegative, _digits, Exponent) = (isNegative, shorter.ToString(), exponent);
    }

    /// <summary>Whether the number is below zero.</summary>
    public bool IsNegative { get; }

    /// <summary>The digits; none for zero.</summary>
    public string Digits => _digits ?? "";

    /// <summary>The power of ten that the digits count.</summary>
    public int Exponent { get; }

    /// <summary>Whether the number has no fraction.</summary>
    public bool IsInteger => Exponent >= 0;

    /// <summary>The number with the other sign.</summary>
    public DecimalNumber Negated => new(!IsNegative, Digits, Exponent);

    // The number of digits before the decimal point; negative for as many zeros behind it.
    private int Magnitude => Digits.Length + Exponent;

    /// <summary>A whole number, exactly.</summary>
    public static DecimalNumber Of(BigInteger value) =>
        new(value < 0, BigInteger.Abs(value).ToString(CultureInfo.InvariantCulture), 0);

    /// <summary>Reads a number of JSON: its text, not its nearest double.</summary>
    /// <returns>Whether the text is a number of JSON.</returns>
    /// <exception cref="LimitException">The number has too many digits, or too large an exponent.</exception>
    public static bool TryParse(ReadOnlySpan<char> text, out DecimalNumber number)
    {
        number = default;
        bool isNegative = text is ['-', ..];
        ReadOnlySpan<char> rest = isNegative ? text[1..] : text;
        ReadOnlySpan<char> whole = TakeDigits(ref rest);
        if (whole.IsEmpty || whole is ['0', _, ..])
            return false;
        ReadOnlySpan<char> fraction = [];
        if (rest is ['.', ..])
        {
            rest = rest[1..];
            fraction = TakeDigits(ref rest);
            if (fraction.IsEmpty)
                return false;
        }
        long exponent = 0;
        if (rest is ['e' or 'E', ..] && !TryParseExponent(ref rest, out exponent))
            return false;
        if (!rest.IsEmpty)
            return false;
        if (whole.Length + fraction.Length > MostDigits)
            throw new LimitException($"is a number of more than {MostDigits:N0} digits");
        if (Math.Abs(exponent) > MostExponent)
            throw new LimitException($"is a number with an exponent beyond {MostExponent:N0}");
        number = new(isNegative, $"{whole}{fraction}", (int)exponent - fraction.Length);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(DecimalNumber other)
    {
        int sign =
            Digits.Length == 0 ? 0
            : IsNegative ? -1
            : 1;
        int otherSign =
            other.Digits.Length == 0 ? 0
            : other.IsNegative ? -1
            : 1;
        if (sign != otherSign || sign == 0)
            return sign.CompareTo(otherSign);
        int larger = Magnitude.CompareTo(other.Magnitude);
        return sign * (larger != 0 ? larger : string.CompareOrdinal(Digits, other.Digits));
    }

    /// <summary>Whether the number is a whole multiple of another one, which is not zero.</summary>
    public bool IsMultipleOf(DecimalNumber other)
    {
        if (Digits.Length == 0)
            return true;
        // The digits end in no zero, so they are no multiple of ten.
        if (Exponent < other.Exponent)
            return false;
        BigInteger digits = BigInteger.Parse(Digits, CultureInfo.InvariantCulture);
        BigInteger modulus = BigInteger.Parse(other.Digits, CultureInfo.InvariantCulture);
        return (digits * BigInteger.ModPow(10, (BigInteger)Exponent - other.Exponent, modulus) % modulus).IsZero;
    }

    /// <summary>The digits before the point, at least one, and those behind it.</summary>
    /// <param name="fractionDigits">The most digits behind the point.</param>
    /// <returns>The digits, and whether others than zero were cut off.</returns>
    public (string Whole, string Fraction, bool IsCut) Split(int fractionDigits)
    {
        if (Magnitude <= -fractionDigits)
            return ("0", "", Digits.Length > 0);
        string all = Digits + new string('0', Math.Max(0, Exponent));
        string whole = Magnitude <= 0 ? "0" : all[..Magnitude];
        string fraction = new string('0', Math.Max(0, -Magnitude)) + all[Math.Max(0, Magnitude)..];
        return fraction.Length <= fractionDigits
            ? (whole, fraction, false)
            : (whole, fraction[..fractionDigits].TrimEnd('0'), true);
    }

    /// <summary>Whether the number has more than some digits before the point.</summary>
    public bool IsLongerThan(int wholeDigits) => Magnitude > wholeDigits;

    /// <summary>The shortest spelling as a number of JSON; with an exponent only where the digits get many.</summary>
    public override string ToString()
    {
        string sign = IsNegative ? "-" : "";
        if (Math.Abs((long)Magnitude) <= MostPlainCharacters && Digits.Length <= MostPlainCharacters)
        {
            (string whole, string fraction, _) = Split(int.MaxValue);
            return fraction.Length == 0 ? sign + whole : $"{sign}{whole}.{fraction}";
        }
        string point = Digits.Length > 1 ? "." : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{sign}{Digits[..1]}{point}{Digits[1..]}e{(long)Magnitude - 1}"
        );
    }

    private static ReadOnlySpan<char> TakeDigits(scoped ref ReadOnlySpan<char> rest)
    {
        int count = 0;
        while (count < rest.Length && char.IsAsciiDigit(rest[count]))
            count++;
        ReadOnlySpan<char> digits = rest[..count];
        rest = rest[count..];
        return digits;
    }

    private static bool TryParseExponent(scoped ref ReadOnlySpan<char> rest, out long exponent)
    {
        rest = rest[1..];
        bool isNegative = rest is ['-', ..];
        if (rest is ['-' or '+', ..])
            rest = rest[1..];
        ReadOnlySpan<char> digits = TakeDigits(ref rest);
        exponent = 0;
        foreach (char digit in digits)
            exponent = Math.Min(10 * exponent + (digit - '0'), 2L * MostExponent);
        if (isNegative)
            exponent = -exponent;
        return !digits.IsEmpty;
    }
}

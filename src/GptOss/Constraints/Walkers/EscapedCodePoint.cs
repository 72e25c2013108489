using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>
/// What has been read of the escape of a code point in a JSON string: an escape of one letter, <c>\uXXXX</c>, or a pair
/// of these for a code point beyond U+FFFF. Only such are made as a described string may have.
/// </summary>
/// <param name="Value">
/// The digits read; of a pair the ten bits of the first half and those read of the second; of a whole escape the code
/// point.
/// </param>
/// <param name="Length">How many bytes are read, the backslash among them.</param>
internal readonly record struct EscapedCodePoint(int Value, int Length)
{
    private const int Backslash = 1,
        NoDigits = 2, // behind \u
        OneDigit = 3,
        TwoDigits = 4,
        ThreeDigits = 5,
        High = 6, // the first half of a pair
        HighBackslash = 7,
        HighU = 8,
        LowOneDigit = 9,
        LowTwoDigits = 10,
        LowThreeDigits = 11,
        Whole = 12;

    /// <summary>No escape, neither begun nor read to its end.</summary>
    public static EscapedCodePoint None => default;

    /// <summary>Whether some bytes are read, but not all.</summary>
    public bool IsBegun => Length is > 0 and < Whole;

    /// <summary>Whether all bytes are read, so that the value is the code point.</summary>
    public bool IsWhole => Length == Whole;

    /// <summary>Whether an escape of one letter can come of it.</summary>
    public bool IsShort => Length == Backslash;

    /// <summary>The code points up to U+FFFF that can come of it, others among them that have no escape.</summary>
    public CodePointRange Basic =>
        Length switch
        {
            <= NoDigits => new(0, 0xFFFF),
            <= ThreeDigits => Below(0, Value, 4 * (High - Length)),
            _ => Nothing,
        };

    /// <summary>The code points beyond U+FFFF that can come of it.</summary>
    public CodePointRange Beyond =>
        (Length, Value) switch
        {
            (<= NoDigits, _) or (OneDigit, 0xD) => new(0x1_0000, 0x10_FFFF),
            (TwoDigits, >= 0xD8 and <= 0xDB) => Below(0x1_0000, Value - 0xD8, 18),
            (ThreeDigits, >= 0xD80 and <= 0xDBF) => Below(0x1_0000, Value - 0xD80, 14),
            (>= High and <= LowOneDigit, _) => Below(0x1_0000, Value, 10),
            (LowTwoDigits, _) => Below(0x1_0000, Value, 8),
            (LowThreeDigits, _) => Below(0x1_0000, Value, 4),
            _ => Nothing,
        };

    private static CodePointRange Nothing => new(0, -1);

    /// <summary>What a backslash begins; nothing by any other byte.</summary>
    public static EscapedCodePoint Begin(int symbol) => symbol == '\\' ? new(0, Backslash) : None;

    /// <summary>What follows with one more byte; <see cref="None"/> where no escape does.</summary>
    public EscapedCodePoint Next(int symbol) =>
        Length switch
        {
            Backslash when symbol != 'u' => Letter(symbol),
            Backslash or HighBackslash => Go(symbol == 'u', Value),
            High => Go(symbol == '\\', Value),
            HighU => Go(symbol == 'D', Value),
            LowOneDigit => Go(symbol is >= 'C' and <= 'F', Value * 4 + symbol - 'C'),
            LowTwoDigits => Go(Digit(symbol) >= 0, Value * 16 + Digit(symbol)),
            LowThreeDigits when Digit(symbol) >= 0 => new(0x1_0000 + Value * 16 + Digit(symbol), Whole),
            NoDigits or OneDigit or TwoDigits => Go(Digit(symbol) >= 0, Value * 16 + Digit(symbol)),
            ThreeDigits => FourthDigit(symbol),
            _ => None,
        };

    private EscapedCodePoint Go(bool doesGoOn, int value) => doesGoOn ? new(value, Length + 1) : None;

    private static EscapedCodePoint Letter(int symbol) =>
        symbol < 0x80 && JsonEscapes.Letters.IndexOf((char)symbol) is var at and >= 0
            ? new(JsonEscapes.Characters[at], Whole)
            : None;

    // A control character is spelled with a small letter of ours, and with a capital by others.
    private EscapedCodePoint FourthDigit(int symbol)
    {
        int digit = Value < 2 && symbol is >= 'a' and <= 'f' ? symbol - 'a' + 10 : Digit(symbol),
            value = Value * 16 + digit;
        if (digit < 0)
            return None;
        if (value is >= 0xD800 and <= 0xDBFF)
            return new(value - 0xD800, High);
        return JsonEscapes.IsOptional(value) ? new(value, Whole) : None;
    }

    private static int Digit(int symbol) =>
        symbol switch
        {
            >= '0' and <= '9' => symbol - '0',
            >= 'A' and <= 'F' => symbol - 'A' + 10,
            _ => -1,
        };

    private static CodePointRange Below(int from, int value, int bits) =>
        new(from + (value << bits), from + ((value + 1) << bits) - 1);
}

namespace GptOss.Constraints.Walkers;

/// <summary>
/// The bytes of a JSON string with every escape of RFC 8259, as a table of states: well-formed UTF-8, nothing below
/// U+0020, and <c>\uD8xx</c> only with its partner.
/// </summary>
internal static class FreeString
{
    /// <summary>The opening quote is still to come.</summary>
    public const int Before = 0;

    /// <summary>Between two of its characters.</summary>
    public const int Inside = 1;

    /// <summary>The closing quote is read.</summary>
    public const int Done = 2;

    /// <summary>What the table holds where no string goes on.</summary>
    public const int Dead = 255;

    // Names say what is read, or how many continuation bytes or digits are left.
    private const int Backslash = 3,
        Digits4 = 4, // behind \u
        Digits3 = 5,
        Digits2 = 6,
        Digits1 = 7,
        SurrogateDigits3 = 8, // behind \uD
        HighDigits2 = 9, // behind \uD8 to \uDB
        HighDigits1 = 10,
        HighDone = 11, // the partner's backslash is to come
        HighBackslash = 12,
        LowDigits4 = 13,
        LowDigits3 = 14,
        Left1 = 15,
        Left2 = 16,
        Left3 = 17,
        LeadE0 = 18,
        LeadEd = 19,
        LeadF0 = 20,
        LeadF4 = 21,
        States = 22;

    private static readonly byte[] Table = Build();

    // Of each state the bytes that may follow: a thousand strings side by side ask for them at every place.
    private static readonly SymbolSet[] Symbols = [.. Enumerable.Range(0, States).Select(SymbolsOf)];

    /// <summary>The state behind a byte, or <see cref="Dead"/>; a character is whole where it is
    /// <see cref="Inside"/>.</summary>
    public static int Next(int state, int symbol) => symbol < 256 ? Table[state * 256 + symbol] : Dead;

    /// <summary>Adds the bytes that may follow.</summary>
    public static void AddSymbols(int state, SymbolSet symbols) => symbols.Add(Symbols[state]);

    /// <summary>Whether an escape has begun.</summary>
    public static bool IsEscape(int state) => state is >= Backslash and <= LowDigits3;

    /// <summary>Whether the character begun here is certainly beyond U+FFFF.</summary>
    public static bool IsBeyondBasicPlane(int state) => state is Left3 or LeadF0 or LeadF4 or HighDigits2;

    private static SymbolSet SymbolsOf(int state)
    {
        var symbols = new SymbolSet();
        for (int symbol = 0; symbol < 256; symbol++)
            if (Table[state * 256 + symbol] != Dead)
                symbols.Add(symbol);
        return symbols;
    }

    private static byte[] Build()
    {
        var table = new byte[States * 256];
        Array.Fill(table, (byte)Dead);
        Set(Before, '"', '"', Inside);
        Set(Inside, ' ', 0x7F, Inside);
        Set(Inside, '"', '"', Done);
        Set(Inside, '\\', '\\', Backslash);
        foreach (char letter in "\"\\/bfnrt")
            Set(Backslash, letter, letter, Inside);
        Set(Backslash, 'u', 'u', Digits4);
        SetHex(Digits4, Digits3);
        SetHex(Digits3, Digits2);
        SetHex(Digits2, Digits1);
        SetHex(Digits1, Inside);
        SetSurrogates();
        SetUtf8();
        return table;

        void Set(int state, int first, int last, int next) =>
            table.AsSpan(state * 256 + first, last - first + 1).Fill((byte)next);

        void SetHex(int state, int next)
        {
            Set(state, '0', '9', next);
            Set(state, 'a', 'f', next);
            Set(state, 'A', 'F', next);
        }

        void SetSurrogates()
        {
            foreach (char d in "dD")
            {
                Set(Digits4, d, d, SurrogateDigits3);
                Set(LowDigits4, d, d, LowDigits3);
            }
            Set(SurrogateDigits3, '0', '7', Digits2);
            foreach (char high in "89abAB")
                Set(SurrogateDigits3, high, high, HighDigits2);
            SetHex(HighDigits2, HighDigits1);
            SetHex(HighDigits1, HighDone);
            Set(HighDone, '\\', '\\', HighBackslash);
            Set(HighBackslash, 'u', 'u', LowDigits4);
            Set(LowDigits3, 'c', 'f', Digits2);
            Set(LowDigits3, 'C', 'F', Digits2);
        }

        void SetUtf8()
        {
            Set(Inside, 0xC2, 0xDF, Left1);
            Set(Inside, 0xE0, 0xEF, Left2);
            Set(Inside, 0xF0, 0xF4, Left3);
            Set(Inside, 0xE0, 0xE0, LeadE0);
            Set(Inside, 0xED, 0xED, LeadEd);
            Set(Inside, 0xF0, 0xF0, LeadF0);
            Set(Inside, 0xF4, 0xF4, LeadF4);
            Set(Left1, 0x80, 0xBF, Inside);
            Set(Left2, 0x80, 0xBF, Left1);
            Set(Left3, 0x80, 0xBF, Left2);
            Set(LeadE0, 0xA0, 0xBF, Left1);
            Set(LeadEd, 0x80, 0x9F, Left1);
            Set(LeadF0, 0x90, 0xBF, Left2);
            Set(LeadF4, 0x80, 0x8F, Left2);
        }
    }
}

using System.Globalization;
using System.Text;

namespace GptOss.Constraints.Regular;

/// <summary>Reads single characters of a pattern, escaped or not.</summary>
/// <param name="text">The whole text of the pattern.</param>
internal sealed class RegexEscapes(string text)
{
    private const int NoCodePoint = -1;

    /// <summary>The code point that was read last; negative where a class such as <c>\d</c> was.</summary>
    public int LastCodePoint { get; private set; }

    /// <summary>Reads one character or one escape.</summary>
    /// <param name="at">The index in the pattern; moved behind what was read.</param>
    /// <param name="isInClass">Whether the character stands in brackets.</param>
    public CodePointSet ReadCharacter(ref int at, bool isInClass)
    {
        LastCodePoint = NoCodePoint;
        if (text[at] == '\\')
            return ReadEscape(ref at, isInClass);
        if (Rune.DecodeFromUtf16(text.AsSpan(at), out Rune rune, out int length) != System.Buffers.OperationStatus.Done)
            throw new PatternException(at, "a surrogate stands alone");
        at += length;
        return Single(rune.Value);
    }

    private CodePointSet ReadEscape(ref int at, bool isInClass)
    {
        int start = at;
        at += 2;
        if (at > text.Length)
            throw new PatternException(start, @"'\' escapes nothing");
        char escaped = text[start + 1];
        switch (escaped)
        {
            case 'd':
                return CharacterClasses.Digits;
            case 'D':
                return CharacterClasses.Digits.Complement();
            case 'w':
                return CharacterClasses.Words;
            case 'W':
                return CharacterClasses.Words.Complement();
            case 's':
                return CharacterClasses.Spaces;
            case 'S':
                return CharacterClasses.Spaces.Complement();
            case 'p' or 'P':
                return ReadProperty(ref at, start);
            case 'b' when isInClass:
                return Single('\b');
            case 'b' or 'B':
                throw new PatternException(start, @"word boundaries (\b, \B) are not supported");
            case (>= '1' and <= '9') or 'k':
                throw new PatternException(start, "back references are not supported");
        }
        return Single(CodePointOf(escaped, ref at, start));
    }

    private int CodePointOf(char escaped, ref int at, int start)
    {
        switch (escaped)
        {
            case 't':
                return '\t';
            case 'n':
                return '\n';
            case 'v':
                return '\v';
            case 'f':
                return '\f';
            case 'r':
                return '\r';
            case '0' when at == text.Length || !char.IsAsciiDigit(text[at]):
                return 0;
            case 'c' when at < text.Length && char.IsAsciiLetter(text[at]):
                return text[at++] % 32;
            case 'x':
                return ReadHex(ref at, 2) ?? throw Unknown(start);
            case 'u':
                return ReadUnicode(ref at) ?? throw Unknown(start);
        }
        if (char.IsAsciiLetterOrDigit(escaped) || char.IsSurrogate(escaped))
            throw Unknown(start);
        return escaped;
    }

    // \uHHHH, \uHHHH\uHHHH for a pair of surrogates, or \u{H…}.
    private int? ReadUnicode(ref int at)
    {
        if (at < text.Length && text[at] == '{')
        {
            int end = text.IndexOf('}', at);
            if (end < 0 || end - at - 1 is < 1 or > 8)
                return null;
            int first = at + 1;
            at = end + 1;
            return Hex(text.AsSpan(first..end)) is int value and <= 0x10FFFF ? value : null;
        }
        int? unit = ReadHex(ref at, 4);
        if (unit is not (>= 0xD800 and <= 0xDBFF) || text.AsSpan(at) is not ['\\', 'u', ..])
            return unit;
        int next = at + 2;
        if (ReadHex(ref next, 4) is not (int low and >= 0xDC00 and <= 0xDFFF))
            return unit;
        at = next;
        return char.ConvertToUtf32((char)unit.Value, (char)low);
    }

    private int? ReadHex(ref int at, int digits)
    {
        if (at + digits > text.Length)
            return null;
        at += digits;
        return Hex(text.AsSpan((at - digits)..at));
    }

    private CodePointSet ReadProperty(ref int at, int start)
    {
        int end = at < text.Length && text[at] == '{' ? text.IndexOf('}', at) : -1;
        if (end < 0)
            throw Unknown(start);
        string name = text[(at + 1)..end];
        CodePointSet set = CharacterClasses.Category(name)
            ?? throw new PatternException(start, @$"\p{{{name}}} is not supported, but general categories are");
        at = end + 1;
        return text[start + 1] == 'P' ? set.Complement() : set;
    }

    private CodePointSet Single(int codePoint)
    {
        LastCodePoint = codePoint;
        return CodePointSet.Of((codePoint, codePoint));
    }

    private PatternException Unknown(int start) =>
        new(start, $"'{text.AsSpan(start..Math.Min(start + 2, text.Length))}' is no escape that is known");

    private static int? Hex(ReadOnlySpan<char> digits) =>
        int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
            ? value
            : null;
}

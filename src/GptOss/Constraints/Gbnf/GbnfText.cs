using System.Globalization;
using System.Text;

namespace GptOss.Constraints.Gbnf;

/// <summary>The text of a grammar and how far it was read.</summary>
/// <param name="text">The whole text of the grammar.</param>
internal sealed class GbnfText(string text)
{
    /// <summary>The index of the next character.</summary>
    public int Position { get; set; }

    /// <summary>The next character; the character U+0000 at the end.</summary>
    public char Next => Position < text.Length ? text[Position] : '\0';

    /// <summary>Whether everything was read.</summary>
    public bool IsAtEnd => Position >= text.Length;

    /// <summary>Whether a string comes next.</summary>
    public bool Sees(string expected) => text.AsSpan(Position..).StartsWith(expected, StringComparison.Ordinal);

    /// <summary>Reads a string if it comes next.</summary>
    public bool Take(string expected)
    {
        if (!Sees(expected))
            return false;
        Position += expected.Length;
        return true;
    }

    /// <summary>Passes over blanks and comments.</summary>
    /// <param name="isOverLines">Whether the ends of lines are blanks too.</param>
    public void SkipBlanks(bool isOverLines)
    {
        for (; !IsAtEnd; Position++)
        {
            if (Next == '#')
                Position = EndOfLine();
            bool isBlank = Next is ' ' or '\t' || (isOverLines && Next is '\r' or '\n');
            if (!isBlank || IsAtEnd)
                return;
        }
    }

    /// <summary>The name of a rule: letters, digits, hyphens and underscores; empty where none comes.</summary>
    public string TakeName()
    {
        int start = Position;
        while (char.IsAsciiLetterOrDigit(Next) || Next is '-' or '_')
            Position++;
        return text[start..Position];
    }

    /// <summary>Reads a number without sign. What is beyond every limit need not be exact.</summary>
    public int? TakeNumber()
    {
        int? number = null;
        for (; char.IsAsciiDigit(Next); Position++)
            number = (int)Math.Min(10L * (number ?? 0) + (Next - '0'), 1_000_000_000);
        return number;
    }

    /// <summary>Reads one character of a literal or a class, escaped or not.</summary>
    public int TakeCharacter()
    {
        int start = Position;
        if (
            Rune.DecodeFromUtf16(text.AsSpan(start..), out Rune rune, out int length)
            != System.Buffers.OperationStatus.Done
        )
            throw Error("a surrogate stands alone");
        Position += length;
        if (rune.Value != '\\')
            return rune.Value;
        char escaped = Next;
        Position++;
        return escaped switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'x' => TakeHex(start, 2),
            'u' => TakeHex(start, 4),
            'U' => TakeHex(start, 8),
            '"' or '\\' or '[' or ']' or '-' or '^' => escaped,
            _ => throw Error("this escape is not known", start),
        };
    }

    /// <summary>An error where the text was read to, or at another place.</summary>
    public GbnfException Error(string what, int? position = null)
    {
        ReadOnlySpan<char> before = text.AsSpan(..Math.Min(position ?? Position, text.Length));
        return new GbnfException(before.Count('\n') + 1, before.Length - before.LastIndexOf('\n'), what);
    }

    private int EndOfLine()
    {
        int end = text.AsSpan(Position..).IndexOfAny('\r', '\n');
        return end < 0 ? text.Length : Position + end;
    }

    private int TakeHex(int start, int digits)
    {
        ReadOnlySpan<char> hex = text.AsSpan(Position..Math.Min(Position + digits, text.Length));
        if (
            hex.Length < digits
            || !int.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
            || !Rune.IsValid(value)
        )
            throw Error($"the escape needs {digits} hexadecimal digits of a character", start);
        Position += digits;
        return value;
    }
}

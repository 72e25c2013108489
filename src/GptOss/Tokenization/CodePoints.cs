using System.Globalization;
using System.Text;

namespace GptOss.Tokenization;

/// <summary>Lets a .NET regex, which sees UTF-16 units, see code points as the reference tokenizers do.</summary>
/// <remarks>
/// A letter beyond U+FFFF is two units of category Cs to .NET, so <c>\p{L}</c> does not match it. Here each code point
/// beyond U+FFFF is replaced by one unit of the same general category, which is all that the patterns of byte-level
/// tokenizers ask of such a code point; a lone surrogate becomes U+FFFD. The lengths of the
/// matches then count code points of the true text.
/// </remarks>
internal static class CodePoints
{
    private static readonly char[] OfCategory = FirstOfEachCategory();

    /// <summary>Whether <paramref name="text"/> must be rewritten before a regex may split it.</summary>
    public static bool BeyondUnits(ReadOnlySpan<char> text) => text.ContainsAnyInRange('\ud800', '\udfff');

    /// <summary>One UTF-16 unit per code point of <paramref name="text"/>.</summary>
    public static string ToUnits(ReadOnlySpan<char> text)
    {
        var units = new char[text.Length];
        int count = 0;
        foreach (Rune rune in text.EnumerateRunes())
            units[count++] = rune.IsBmp ? (char)rune.Value : OfCategory[(int)Rune.GetUnicodeCategory(rune)];
        return new string(units, 0, count);
    }

    /// <summary>UTF-16 length of the first <paramref name="count"/> code points of <paramref name="text"/>.</summary>
    public static int Length(ReadOnlySpan<char> text, int count)
    {
        int length = 0;
        while (count-- > 0)
        {
            bool pair = length + 1 < text.Length && char.IsSurrogatePair(text[length], text[length + 1]);
            length += pair ? 2 : 1;
        }
        return length;
    }

    // The search begins at U+0100, because patterns name characters below it one by one.
    private static char[] FirstOfEachCategory()
    {
        var first = new char[(int)UnicodeCategory.OtherNotAssigned + 1];
        for (int c = 0xFFFF; c >= 0x100; c--)
            first[(int)CharUnicodeInfo.GetUnicodeCategory((char)c)] = (char)c;
        return first;
    }
}

using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using GptOss.Constraints.Regular;

namespace GptOss.Constraints.Walkers;

/// <summary>
/// The escapes of a JSON string whose value is described: where a character needs one, and where it may have one.
/// </summary>
/// <remarks>
/// A value has one spelling of its own: raw, with an escape where JSON asks for it. Beside it stands what
/// System.Text.Json writes with its relaxed encoder, which escapes far more, so that its texts are read as well.
/// </remarks>
internal static class JsonEscapes
{
    /// <summary>What is written behind the backslash by an escape of one letter, but for the solidus, which needs
    /// none.</summary>
    public static ReadOnlySpan<char> Letters => "\"\\bfnrt";

    /// <summary>What each of <see cref="Letters"/> stands for.</summary>
    public static ReadOnlySpan<char> Characters => "\"\\\b\f\n\r\t";

    /// <summary>The code points that may be written as <c>\uXXXX</c>, those beyond U+FFFF as a pair.</summary>
    public static CodePointSet Optional { get; } = FindOptional();

    /// <summary>The spelling of a value as a JSON string.</summary>
    public static byte[] Quoted(string value)
    {
        var text = new List<byte>(value.Length + 2) { (byte)'"' };
        foreach (Rune rune in value.EnumerateRunes())
            text.AddRange(Spelled(rune.Value));
        return [.. text, (byte)'"'];
    }

    /// <summary>The spelling of a code point inside a JSON string.</summary>
    public static byte[] Spelled(int codePoint)
    {
        if (codePoint < 0x80 && Characters.IndexOf((char)codePoint) is var at and >= 0)
            return [(byte)'\\', (byte)Letters[at]];
        if (codePoint < ' ')
            return Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\\u{codePoint:x4}"));
        return Encoding.UTF8.GetBytes(new Rune(codePoint).ToString());
    }

    /// <summary>How a code point is written as an escape where it may be; null where it may not.</summary>
    public static byte[]? Escaped(int codePoint)
    {
        if (!IsOptional(codePoint))
            return null;
        var text = new StringBuilder();
        foreach (char unit in new Rune(codePoint).ToString())
            text.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:X4}");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Whether a code point may be written as <c>\uXXXX</c>.</summary>
    public static bool IsOptional(int codePoint) => codePoint is < ' ' or >= 0x7F && Optional.Contains(codePoint);

    // The encoder is asked, for what it takes for unassigned changes with the version of Unicode.
    private static CodePointSet FindOptional()
    {
        List<(int First, int Last)> found = [(0x1_0000, 0x10_FFFF)];
        for (int codePoint = 0; codePoint < 0x1_0000; codePoint++)
            if (
                Rune.IsValid(codePoint)
                && JavaScriptEncoder.UnsafeRelaxedJsonEscaping.WillEncode(codePoint)
                && !Characters.Contains((char)codePoint)
            )
                found.Add((codePoint, codePoint));
        return CodePointSet.Of([.. found]);
    }
}

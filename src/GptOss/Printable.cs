using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace GptOss;

/// <summary>Makes names out of files fit for a message: no control characters, no endless lines.</summary>
internal static class Printable
{
    private const int NameLimit = 80;
    private const int PathLimit = 4096; // the system's own limit: a path that exists is never cut
    private const int TargetLimit = 300;
    private const int LineLimit = PathLimit + 500;

    public static string Name(string text) => Cut(Escape(text), NameLimit);

    /// <summary>
    /// Keeps the end of a long path, where the file's name is, so that the reason still fits behind it.
    /// </summary>
    public static string Path(string path) => End(path, PathLimit);

    /// <summary>
    /// The end of where a link leads to, which stands beside the link's own path: enough to tell which file it is.
    /// </summary>
    public static string Target(string path) => End(path, TargetLimit);

    private static string End(string path, int limit)
    {
        string text = Escape(path);
        return text.Length <= limit ? text : string.Concat("…", text.AsSpan(text.Length - limit + 1));
    }

    /// <summary>What is wrong with a pattern, and where; .NET's own message holds the whole pattern.</summary>
    /// <param name="error">What the pattern was refused with.</param>
    /// <param name="before">How many characters were put before the pattern.</param>
    public static string Fault(RegexParseException error, int before = 0) =>
        string.Create(CultureInfo.InvariantCulture, $"At character {error.Offset - before}: {error.Error}.");

    public static string Line(string text) => Cut(Escape(text), LineLimit);

    // The cut does not part the two halves of a character beyond U+FFFF.
    private static string Cut(string text, int limit) =>
        text.Length <= limit ? text
        : char.IsHighSurrogate(text[limit - 2]) ? text[..(limit - 2)] + "…"
        : text[..(limit - 1)] + "…";

    /// <summary>
    /// Control characters, ends of lines, characters that are not seen or that turn the text around, and halves of
    /// surrogate pairs as their escapes.
    /// </summary>
    private static string Escape(string text)
    {
        if (!NeedsEscape(text))
            return text;
        var escaped = new StringBuilder(text.Length + 16);
        for (int i = 0; i < text.Length; i++)
        {
            bool isPair = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]);
            if (isPair && !IsHidden(CharUnicodeInfo.GetUnicodeCategory(text, i)))
                escaped.Append(text[i]).Append(text[++i]);
            else if (IsHidden(char.GetUnicodeCategory(text[i])))
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
            else
                escaped.Append(text[i]);
        }
        return escaped.ToString();
    }

    private static bool NeedsEscape(string text)
    {
        foreach (char c in text)
        {
            if (IsHidden(char.GetUnicodeCategory(c)))
                return true;
        }
        return false;
    }

    // Surrogates count as hidden here: the pairs among them are looked at apart.
    private static bool IsHidden(UnicodeCategory category) =>
        category
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.Surrogate;
}

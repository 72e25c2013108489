using System.Text.Json;

namespace GptOss.Harmony;

/// <summary>
/// Prepares texts of a JSON schema for the prompt: names, values and comments in a form that cannot end the line or the
/// string in which they stand.
/// </summary>
internal static class SchemaText
{
    /// <summary>
    /// A value as JSON on one line: U+0085, U+2028 and U+2029, which also count as line ends, are escaped.
    /// </summary>
    public static string Json(JsonElement value, Action? cut = null) => OneLine(JsonText.Compact(value, cut));

    /// <summary>A text as a JSON string on one line.</summary>
    public static string Quoted(string text) => OneLine(JsonText.Quoted(text));

    /// <summary>A property's name as a key of a TypeScript type: as it is, or in quotes where it needs them.</summary>
    public static string Key(string name) =>
        name.Length > 0
        && name.All(IsPlain)
        && !name.Contains("//", StringComparison.Ordinal)
        && !name.Contains("/*", StringComparison.Ordinal)
            ? name
            : Quoted(name);

    /// <summary>
    /// The lines of a text, each fit for a comment: control characters become blanks. Line ends at the end of the text
    /// make no empty line.
    /// </summary>
    public static string[] Lines(string text)
    {
        string plain = text.ReplaceLineEndings("\n").TrimEnd('\n');
        if (plain.Any(IsStrange))
            plain = string.Concat(plain.Select(c => IsStrange(c) ? ' ' : c));
        return plain.Split('\n');

        static bool IsStrange(char c) => char.IsControl(c) && c is not ('\n' or '\t');
    }

    private static bool IsPlain(char c) =>
        !char.IsControl(c) && !char.IsWhiteSpace(c) && !"\"'`\\{}[]()<>:;,?|&=".Contains(c, StringComparison.Ordinal);

    private static string OneLine(string json) =>
        json.AsSpan().IndexOfAny("\u0085\u2028\u2029") < 0
            ? json
            : json.Replace("\u0085", "\\u0085", StringComparison.Ordinal)
                .Replace("\u2028", "\\u2028", StringComparison.Ordinal)
                .Replace("\u2029", "\\u2029", StringComparison.Ordinal);
}

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace GptOss.Harmony;

/// <summary>
/// Prepares texts of a JSON schema for the prompt: names, values and comments in a form that cannot end the line or the
/// string in which they stand.
/// </summary>
internal static class SchemaText
{
    /// <summary>
    /// The text of a JSON string, where half of a surrogate pair, and bytes that are not UTF-8, become U+FFFD.
    /// </summary>
    public static string Of(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException e) when (e is not ObjectDisposedException)
        {
            return Lenient(JsonMarshal.GetRawUtf8Value(text)[1..^1]);
        }
    }

    /// <summary>
    /// The name of a member, where half of a surrogate pair, and bytes that are not UTF-8, become U+FFFD.
    /// </summary>
    public static string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException e) when (e is not ObjectDisposedException)
        {
            return Lenient(JsonMarshal.GetRawUtf8PropertyName(member));
        }
    }

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

    private static string Lenient(ReadOnlySpan<byte> escaped)
    {
        string raw = Encoding.UTF8.GetString(escaped);
        var text = new StringBuilder(raw.Length);
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\' || i + 1 == raw.Length)
            {
                text.Append(raw[i]);
                continue;
            }
            char kind = raw[++i];
            bool isUnit =
                kind == 'u'
                && i + 4 < raw.Length
                && ushort.TryParse(
                    raw.AsSpan(i + 1, 4),
                    NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture,
                    out _
                );
            text.Append(
                kind switch
                {
                    'b' => '\b',
                    'f' => '\f',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' when isUnit => (char)
                        ushort.Parse(
                            raw.AsSpan(i + 1, 4),
                            NumberStyles.AllowHexSpecifier,
                            CultureInfo.InvariantCulture
                        ),
                    _ => kind,
                }
            );
            if (isUnit)
                i += 4;
        }
        return string.Concat(text.ToString().EnumerateRunes()); // a lone surrogate is enumerated as U+FFFD
    }
}

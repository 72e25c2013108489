using System.Text.Json;

namespace GptOss.Checkpoint;

/// <summary>
/// NaN, Infinity and -Infinity, which Python's json module writes as bare words and no JSON parser of .NET reads.
/// </summary>
internal static class PythonNumbers
{
    /// <summary>
    /// Stands before the word in the string that takes its place; no configuration holds such a string.
    /// </summary>
    private const char Mark = '\0';

    /// <summary>The text with each of the words outside of strings as a marked string.</summary>
    public static ReadOnlyMemory<byte> Quote(ReadOnlyMemory<byte> utf8)
    {
        ReadOnlySpan<byte> text = utf8.Span;
        if (text.IndexOf("NaN"u8) < 0 && text.IndexOf("Infinity"u8) < 0)
            return utf8;
        var quoted = new List<byte>(text.Length + 64);
        bool inString = false;
        for (int i = 0; i < text.Length; i++)
        {
            if (!inString && WordAt(text[i..]) is { Length: > 0 } word)
            {
                quoted.AddRange("\"\\u0000"u8);
                quoted.AddRange(word);
                quoted.Add((byte)'"');
                i += word.Length - 1;
                continue;
            }
            quoted.Add(text[i]);
            if (text[i] == '"')
                inString = !inString;
            else if (inString && text[i] == '\\' && i + 1 < text.Length)
                quoted.Add(text[++i]);
        }
        return quoted.ToArray();
    }

    /// <summary>Whether the value is one of the words.</summary>
    public static bool IsQuoted(JsonElement value) =>
        value.ValueKind == JsonValueKind.String
        && value.GetString() is { Length: > 0 } text
        && text[0] == Mark
        && text[1..] is ("NaN" or "Infinity" or "-Infinity");

    private static ReadOnlySpan<byte> WordAt(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> word =
            text.StartsWith("NaN"u8) ? "NaN"u8
            : text.StartsWith("Infinity"u8) ? "Infinity"u8
            : text.StartsWith("-Infinity"u8) ? "-Infinity"u8
            : default;
        // A word that goes on is another one, and no number.
        return word.Length < text.Length && char.IsAsciiLetterOrDigit((char)text[word.Length]) ? default : word;
    }
}

using System.Globalization;

namespace GptOss.AspNetCore.Requests;

/// <summary>
/// Halves of surrogate pairs that JSON spells as escapes, such as <c>\ud800</c> alone: no text can hold them, and
/// readers of JSON throw on them. They are read as U+FFFD, as the tokenizer does.
/// </summary>
internal static class LoneSurrogates
{
    private const int EscapeLength = 6;

    /// <summary>Writes <c>\uFFFD</c> over every lone half; the length stays.</summary>
    public static void Replace(Span<byte> json)
    {
        while (json.IndexOf((byte)'\\') is var at and >= 0)
        {
            json = json[at..];
            int half = Escaped(json);
            if (half is < 0xD800 or > 0xDFFF)
                json = json[Math.Min(half < 0 ? 2 : EscapeLength, json.Length)..];
            else if (half < 0xDC00 && Escaped(json[EscapeLength..]) is >= 0xDC00 and <= 0xDFFF)
                json = json[(2 * EscapeLength)..];
            else
            {
                "\\uFFFD"u8.CopyTo(json);
                json = json[EscapeLength..];
            }
        }
    }

    // The UTF-16 unit of an escape at the beginning; -1 where none is there.
    private static int Escaped(ReadOnlySpan<byte> json) =>
        json.Length >= EscapeLength
        && json.StartsWith("\\u"u8)
        && int.TryParse(
            json[2..EscapeLength],
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture,
            out int unit
        )
            ? unit
            : -1;
}

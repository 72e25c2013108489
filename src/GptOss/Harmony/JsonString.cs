using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace GptOss.Harmony;

/// <summary>
/// Reads the texts of JSON, whatever they hold: where <see cref="JsonElement"/> throws, a character takes the place of
/// what is no text.
/// </summary>
internal static class JsonString
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

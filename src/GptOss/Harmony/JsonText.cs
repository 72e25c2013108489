using System.Globalization;
using System.Text;
using System.Text.Json;

namespace GptOss.Harmony;

/// <summary>
/// Writes JSON exactly as OpenAI's harmony library prints it into a prompt: compact, with only the escapes that JSON
/// demands, and numbers in their shortest form.
/// </summary>
internal static class JsonText
{
    private const int MaximumDepth = 128;

    /// <summary>A value as JSON without white space.</summary>
    /// <param name="value">Any JSON. Half of a surrogate pair in it becomes U+FFFD.</param>
    /// <param name="cut">Called where the value is nested too deeply: what lies deeper is written as <c>{}</c>.</param>
    public static string Compact(JsonElement value, Action? cut = null)
    {
        var text = new StringBuilder();
        Append(text, value, 0, cut);
        return text.ToString();
    }

    /// <summary>A text as a JSON string, with its quotes.</summary>
    public static string Quoted(string value)
    {
        var text = new StringBuilder(value.Length + 2);
        AppendString(text, value);
        return text.ToString();
    }

    /// <summary>
    /// The members of an object, each name once. A name that stands twice has its last value, at its first place.
    /// </summary>
    public static OrderedDictionary<string, JsonElement> Members(JsonElement value)
    {
        var members = new OrderedDictionary<string, JsonElement>();
        foreach (JsonProperty member in value.EnumerateObject())
            members[JsonString.NameOf(member)] = member.Value;
        return members;
    }

    /// <summary>
    /// Finds a member of an object, even if the name of another member holds half of a surrogate pair, where
    /// <see cref="JsonElement"/> throws.
    /// </summary>
    public static bool TryGet(JsonElement value, string name, out JsonElement member)
    {
        try
        {
            return value.TryGetProperty(name, out member);
        }
        catch (InvalidOperationException e) when (e is not ObjectDisposedException)
        {
            return Members(value).TryGetValue(name, out member);
        }
    }

    private static void Append(StringBuilder text, JsonElement value, int depth, Action? cut)
    {
        if (depth > MaximumDepth)
        {
            cut?.Invoke();
            text.Append("{}");
            return;
        }
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                AppendObject(text, value, depth, cut);
                break;
            case JsonValueKind.Array:
                AppendArray(text, value, depth, cut);
                break;
            case JsonValueKind.String:
                AppendString(text, JsonString.Of(value));
                break;
            case JsonValueKind.Number:
                text.Append(Number(value.GetRawText()));
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }
    }

    private static void AppendObject(StringBuilder text, JsonElement value, int depth, Action? cut)
    {
        text.Append('{');
        string separator = "";
        foreach ((string name, JsonElement member) in Members(value))
        {
            text.Append(separator);
            AppendString(text, name);
            text.Append(':');
            Append(text, member, depth + 1, cut);
            separator = ",";
        }
        text.Append('}');
    }

    private static void AppendArray(StringBuilder text, JsonElement value, int depth, Action? cut)
    {
        text.Append('[');
        string separator = "";
        foreach (JsonElement item in value.EnumerateArray())
        {
            text.Append(separator);
            Append(text, item, depth + 1, cut);
            separator = ",";
        }
        text.Append(']');
    }

    private static void AppendString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (char c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        text.Append('"');
    }

    /// <summary>
    /// A whole number of 64 bits as it is written, any other as the shortest decimal that reads back as the same
    /// number.
    /// </summary>
    private static string Number(string raw)
    {
        bool whole = !raw.AsSpan().ContainsAny('.', 'e', 'E') && raw != "-0";
        if (
            whole
            && (
                long.TryParse(raw, CultureInfo.InvariantCulture, out _)
                || ulong.TryParse(raw, CultureInfo.InvariantCulture, out _)
            )
        )
            return raw;
        double value = double.Parse(raw, NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsFinite(value) ? Shortest(value) : raw;
    }

    // value = 0.d₁d₂… × 10^point; written out for −5 < point ≤ 16, else with an exponent: 1e-7 has the point −6.
    private static string Shortest(double value)
    {
        string sign = double.IsNegative(value) ? "-" : "";
        if (value == 0)
            return sign + "0.0";

        string[] parts = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture).Split('E');
        int exponent = parts.Length == 2 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0;
        int dot = parts[0].IndexOf('.', StringComparison.Ordinal);
        int point = exponent + (dot < 0 ? parts[0].Length : dot);
        string digits = parts[0].Replace(".", "", StringComparison.Ordinal);
        point -= digits.Length - digits.TrimStart('0').Length;
        digits = digits.Trim('0');

        if (point is <= -5 or > 16)
        {
            string fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return string.Create(CultureInfo.InvariantCulture, $"{sign}{digits[0]}{fraction}e{point - 1}");
        }
        if (point <= 0)
            return $"{sign}0.{new string('0', -point)}{digits}";
        return digits.Length <= point
            ? $"{sign}{digits.PadRight(point, '0')}.0"
            : $"{sign}{digits[..point]}.{digits[point..]}";
    }
}

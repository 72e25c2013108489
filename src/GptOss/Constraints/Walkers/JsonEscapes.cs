namespace GptOss.Constraints.Walkers;

/// <summary>The escapes of one letter, but for the solidus, which needs none.</summary>
internal static class JsonEscapes
{
    /// <summary>What is written behind the backslash.</summary>
    public static ReadOnlySpan<char> Letters => "\"\\bfnrt";

    /// <summary>What each of <see cref="Letters"/> stands for.</summary>
    public static ReadOnlySpan<char> Characters => "\"\\\b\f\n\r\t";

    /// <summary>The spelling of a value as a JSON string, which is that of <see cref="SpelledText"/>.</summary>
    public static byte[] Quoted(string value)
    {
        var text = new System.Text.StringBuilder("\"", value.Length + 2);
        foreach (char character in value)
        {
            int at = Characters.IndexOf(character);
            if (at >= 0)
                text.Append('\\').Append(Letters[at]);
            else if (character < ' ')
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            else
                text.Append(character);
        }
        return System.Text.Encoding.UTF8.GetBytes(text.Append('"').ToString());
    }
}

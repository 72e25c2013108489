using System.Globalization;

namespace GptOss.Constraints.Schemas;

/// <summary>Patterns that count characters, known by their text.</summary>
internal static class CountedPattern
{
    /// <summary>
    /// A pattern that only counts characters of one kind, <c>^.{1,30}$</c> for example: a language of one state and
    /// bounds of length, where an automaton would have a state for each count. Null for all other patterns.
    /// </summary>
    public static (string One, int Min, int? Max)? Find(string pattern)
    {
        if (!pattern.StartsWith('^') || !pattern.EndsWith("}$", StringComparison.Ordinal))
            return null;
        int brace = pattern.LastIndexOf('{');
        if (brace < 2 || !IsOneCharacter(pattern.AsSpan(1..brace)))
            return null;
        string[] counts = pattern[(brace + 1)..^2].Split(',');
        if (counts.Length > 2 || !TryCount(counts[0], out int min))
            return null;
        int? max = counts.Length == 1 ? min : null;
        if (counts.Length == 2 && counts[1].Length > 0)
        {
            if (!TryCount(counts[1], out int most) || most < min)
                return null;
            max = most;
        }
        return (pattern[1..brace], min, max);
    }

    // A dot, or a class in brackets; an escape inside it is passed over with what it escapes.
    private static bool IsOneCharacter(ReadOnlySpan<char> text)
    {
        if (text is ".")
            return true;
        if (text is not ['[', not ']', .., ']'])
            return false;
        for (int i = 1; i < text.Length - 1; i++)
            if (text[i] == '\\')
                i++;
            else if (text[i] is ']' or '[')
                return false;
        return text[^2] != '\\' || text is [.., '\\', '\\', ']'];
    }

    private static bool TryCount(string text, out int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count <= SchemaValue.MostSize;
}

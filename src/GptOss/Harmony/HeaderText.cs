namespace GptOss.Harmony;

/// <summary>Words of a header.</summary>
internal static class HeaderText
{
    private const string Assignment = "to=";

    public static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The characters up to white space.</summary>
    public static string FirstWord(string text) => text[..Length(text, 0, "")];

    public static bool IsRecipient(string word) => word.StartsWith(Assignment, StringComparison.Ordinal);

    /// <summary>Whether it could be a tool's name: letters, digits and the like, with a letter among them.</summary>
    public static bool IsName(string word) =>
        word.Any(char.IsLetter) && word.All(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '.' or '/' or '$');

    /// <summary>
    /// Takes the first word with <c>to=</c> out of the text and returns what stands behind the sign, up to white
    /// space, <c>&lt;</c> or <c>{</c>; null if there is no such word.
    /// </summary>
    public static string? TakeRecipient(ref string text)
    {
        int at = -1;
        do at = text.IndexOf(Assignment, at + 1, StringComparison.Ordinal);
        while (at > 0 && !char.IsWhiteSpace(text[at - 1]));
        if (at < 0)
            return null;

        int start = at + Assignment.Length;
        int length = Length(text, start, "<{");
        if (length == 0)
        {
            while (start < text.Length && char.IsWhiteSpace(text[start]))
                start++;
            length = Length(text, start, "<{");
        }
        string recipient = text.Substring(start, length);
        string before = text[..at].TrimEnd();
        text = before + text[(start + length)..];
        return recipient;
    }

    /// <summary>Takes a known content type off the beginning of the text; null if none is there.</summary>
    public static string? TakeKnownType(ref string text)
    {
        string trimmed = text.TrimStart();
        foreach (string type in ToolNames.ContentTypes)
        {
            bool begins =
                trimmed.StartsWith(type, StringComparison.Ordinal)
                && (trimmed.Length == type.Length || !char.IsLetterOrDigit(trimmed[type.Length]));
            if (!begins)
                continue;
            text = trimmed[type.Length..];
            return type;
        }
        return null;
    }

    /// <summary>How many characters follow up to white space or one of <paramref name="ends"/>.</summary>
    public static int Length(string text, int start, string ends)
    {
        int end = start;
        while (
            end < text.Length && !char.IsWhiteSpace(text[end]) && !ends.Contains(text[end], StringComparison.Ordinal)
        )
            end++;
        return end - start;
    }
}

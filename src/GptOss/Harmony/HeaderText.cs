namespace GptOss.Harmony;

/// <summary>
/// Finds words in the text of a header and takes them out: the recipient behind <c>to=</c>, a known content type.
/// </summary>
internal static class HeaderText
{
    private const string Assignment = "to=";

    /// <summary>The words of a text, cut at white space.</summary>
    public static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The characters of a text up to white space.</summary>
    public static string FirstWord(string text) => text[..Length(text, 0, "")];

    /// <summary>Whether a word begins with <c>to=</c>, which names a recipient.</summary>
    public static bool IsRecipient(string word) => word.StartsWith(Assignment, StringComparison.Ordinal);

    /// <summary>
    /// Whether a word could be a tool's name: letters, digits and <c>_-./$</c>, with a letter among them.
    /// </summary>
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

    /// <summary>
    /// Takes a content type that the model is known to write, such as <c>json</c>, off the beginning of the text;
    /// returns null if the text begins with none.
    /// </summary>
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

    /// <summary>
    /// The number of characters from <paramref name="start"/> up to white space or one of <paramref name="ends"/>.
    /// </summary>
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

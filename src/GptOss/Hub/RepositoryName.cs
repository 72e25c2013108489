using System.Text.RegularExpressions;

namespace GptOss.Hub;

/// <summary>The name of a repository at Hugging Face, such as <c>openai/gpt-oss-20b</c>.</summary>
/// <param name="Owner">Who it belongs to.</param>
/// <param name="Name">Its name below the owner.</param>
internal readonly partial record struct RepositoryName(string Owner, string Name)
{
    /// <summary>The revision that is meant where nobody names one.</summary>
    public const string MainRevision = "main";

    private const string OpenAI = "openai";

    private static readonly string[] Published = ["gpt-oss-20b", "gpt-oss-120b"];

    /// <summary>What a name may look like, for messages.</summary>
    public const string Form = "gpt-oss-20b, gpt-oss-120b or OWNER/NAME";

    /// <summary>Reads OWNER/NAME, or the name alone of what OpenAI has published.</summary>
    public static bool TryParse(string text, out RepositoryName name)
    {
        if (Published.FirstOrDefault(known => known.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } published)
        {
            name = new RepositoryName(OpenAI, published);
            return true;
        }
        name = text.Split('/') is [var owner, var own] ? new RepositoryName(owner, own) : default;
        return name.Owner is not null && Part().IsMatch(name.Owner) && Part().IsMatch(name.Name);
    }

    /// <summary>What of OpenAI somebody may have meant who wrote it otherwise; empty for nothing.</summary>
    public static IReadOnlyList<string> Meant(string text)
    {
        string letters = Letters(text.StartsWith($"{OpenAI}/", StringComparison.OrdinalIgnoreCase) ? text[7..] : text);
        return letters.Length < 3 ? [] : [.. Published.Where(known => Letters(known).StartsWith(letters))];

        static string Letters(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
    }

    /// <summary>What a name may look like, as the end of a message about a text that is none.</summary>
    public static string FormFor(string text) =>
        Meant(text) is [string meant] ? $"{Form}. Did you mean {meant}?" : $"{Form}.";

    /// <summary>Whether it is OpenAI's own, which people name without the owner.</summary>
    public bool IsPublished => Owner == OpenAI && Published.Contains(Name);

    /// <summary>The shortest text that means this repository.</summary>
    public string Short => IsPublished ? Name : ToString();

    /// <summary>
    /// Whether another name means the same model, kept by another tool: with any owner, and perhaps "-GGUF" behind it.
    /// </summary>
    public bool IsSameModel(string otherName) => SameModel(otherName, Name);

    private static bool SameModel(string other, string name) =>
        other.StartsWith(name, StringComparison.OrdinalIgnoreCase)
        && (other.Length == name.Length || Container().IsMatch(other.AsSpan(name.Length)));

    public override string ToString() => $"{Owner}/{Name}";

    // The hub forbids the two marks of its cache's folders and of paths, too: "--" and "..".
    [GeneratedRegex(@"^(?!.*(--|\.\.))[A-Za-z0-9_][A-Za-z0-9._-]{0,95}$(?<![.-])", RegexOptions.CultureInvariant)]
    private static partial Regex Part();

    [GeneratedRegex("^[-_.](mxfp4[-_.])?gguf$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Container();
}

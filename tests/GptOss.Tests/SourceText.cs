using System.Text.RegularExpressions;

namespace GptOss.Tests;

/// <summary>The repository's own source, for the tests that hold its habits.</summary>
internal static partial class SourceText
{
    public static string Library { get; } = Path.Combine(Repository.Root, "src", "GptOss");

    /// <summary>The folders of the library that hold code: its rooms.</summary>
    public static string[] Rooms { get; } =
    [
        .. Directory
            .EnumerateDirectories(Library)
            .Where(folder => Files(folder).Any())
            .Select(folder => Path.GetFileName(folder)),
    ];

    /// <summary>Source files under a folder of the repository, without what the build makes.</summary>
    public static IEnumerable<string> Files(params string[] folder) =>
        Directory
            .EnumerateFiles(Path.Combine([Repository.Root, .. folder]), "*.cs", SearchOption.AllDirectories)
            .Where(path => !BuildFolder().IsMatch(path));

    /// <summary>The path of a file from a folder on, with slashes on every system.</summary>
    public static string PathFrom(string folder, string file) => Path.GetRelativePath(folder, file).Replace('\\', '/');

    /// <summary>Lines of code under a folder whose text, comments taken off, has a match: "File.cs:12 line".</summary>
    public static IEnumerable<string> Matches(string pattern, params string[] folder) =>
        from file in Files(folder)
        from line in File.ReadLines(file).Select((text, index) => (Code: WithoutComment(text), Number: index + 1))
        where Regex.IsMatch(line.Code, pattern)
        select $"{Path.GetFileName(file)}:{line.Number} {line.Code.Trim()}";

    /// <summary>Cuts a line comment off; slashes within a string stay.</summary>
    public static string WithoutComment(string line) => CommentStart(line) is >= 0 and int at ? line[..at] : line;

    /// <summary>Returns where the comment of a line begins, or −1. Slashes within a string begin none.</summary>
    public static int CommentStart(string line)
    {
        int at = 0;
        return FindComment(line, ref at, isHole: false) ? at : -1;
    }

    /// <summary>
    /// The lines of a file, without those within a raw string of several lines: quoted text keeps its form.
    /// </summary>
    public static IEnumerable<(string Text, int Number)> LinesOutsideRawText(IEnumerable<string> lines)
    {
        bool isRaw = false;
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            if (!isRaw)
                yield return (line, number);
            if (line.Split("\"\"\"").Length % 2 == 0)
                isRaw = !isRaw;
        }
    }

    /// <summary>Every comment under a folder, the lines of one joined.</summary>
    public static IEnumerable<Comment> Comments(params string[] folder) =>
        from file in Files(folder)
        from comment in CommentsOf(Path.GetFileName(file), File.ReadLines(file))
        select comment;

    /// <summary>Every comment of a file, the lines of one joined.</summary>
    public static IEnumerable<Comment> CommentsOf(string file, IEnumerable<string> lines)
    {
        var text = new List<string>();
        int start = 0;
        foreach ((string line, int number) in LinesOutsideRawText(lines).Append(("", 0)))
        {
            Match comment = WholeLineComment().Match(line);
            if (comment.Success)
            {
                start = text.Count == 0 ? number : start;
                text.Add(comment.Groups[1].Value);
                continue;
            }
            if (text.Count > 0)
                yield return new Comment(file, start, string.Join('\n', text));
            text.Clear();
            if (CommentStart(line) is >= 0 and int at)
                yield return new Comment(file, number, line[at..]);
        }
    }

    /// <summary>Every element of a documentation comment, such as a summary, its markup taken off.</summary>
    public static IEnumerable<DocText> DocTexts(IEnumerable<Comment> comments) =>
        from comment in comments
        from Match element in DocElement().Matches(comment.Text)
        let text = Markup().Replace(NamedByMarkup().Replace(element.Groups[2].Value, "$1"), "")
        select new DocText(comment.File, comment.Line, element.Groups[1].Value, text.Trim());

    /// <summary>Every declaration of a type under a folder; a file is named by its path from there.</summary>
    public static IEnumerable<Declaration> Types(params string[] folder) =>
        from file in Files(folder)
        from type in TypesOf(PathFrom(Path.Combine([Repository.Root, .. folder]), file), File.ReadLines(file))
        select type;

    /// <summary>Every declaration of a type in a file.</summary>
    public static IEnumerable<Declaration> TypesOf(string file, IEnumerable<string> lines) =>
        from line in LinesOutsideRawText(lines)
        let type = TypeDeclaration().Match(line.Text)
        where type.Success
        select new Declaration(type.Groups[2].Value, file, type.Groups[1].Value.Contains("partial"));

    // Moves to the comment of a line, or to the brace that closes the hole of an interpolated string. Two slashes
    // directly behind a colon are those of an address.
    private static bool FindComment(string line, ref int at, bool isHole)
    {
        int depth = 0;
        for (; at < line.Length; at++)
        {
            char c = line[at];
            if (c == '/' && line.AsSpan(at).StartsWith("//") && (at == 0 || line[at - 1] != ':'))
                return true;
            if (c == '\'')
                at = IndexOrEnd(line, '\'', at + (line.AsSpan(at).StartsWith(@"'\") ? 3 : 2));
            else if (c == '"')
                SkipString(line, ref at);
            else if (c == '{')
                depth++;
            else if (c == '}' && isHole && depth-- == 0)
                return false;
        }
        return false;
    }

    // Moves from the first quotation mark of a string to its last one.
    private static void SkipString(string line, ref int at)
    {
        int quotes = line.AsSpan(at).IndexOfAnyExcept('"') is >= 0 and int count ? count : line.Length - at;
        if (quotes >= 3)
        {
            int end = line.IndexOf(
                new string('"', quotes),
                Math.Min(at + quotes, line.Length),
                StringComparison.Ordinal
            );
            at = end < 0 ? line.Length : end + quotes - 1;
            return;
        }
        ReadOnlySpan<char> prefix = line.AsSpan(0, at);
        prefix = prefix[prefix.TrimEnd("$@").Length..];
        bool isVerbatim = prefix.Contains('@'),
            isInterpolated = prefix.Contains('$');
        for (at++; at < line.Length && line[at] != '"'; at++)
        {
            bool isDoubled = at + 1 < line.Length && line[at + 1] == line[at];
            if (line[at] == '\\' && !isVerbatim || line[at] == '{' && isInterpolated && isDoubled)
                at++;
            else if (line[at] == '{' && isInterpolated)
            {
                at++;
                FindComment(line, ref at, isHole: true);
            }
        }
    }

    private static int IndexOrEnd(string line, char value, int from) =>
        from < line.Length && line.IndexOf(value, from) is >= 0 and int at ? at : line.Length;

    [GeneratedRegex(@"[/\\](bin|obj)[/\\]")]
    private static partial Regex BuildFolder();

    [GeneratedRegex(@"^\s*///?\s?(.*)$")]
    private static partial Regex WholeLineComment();

    [GeneratedRegex(@"<(summary|param|returns|typeparam|exception|remarks)\b[^>]*>(.*?)</\1>", RegexOptions.Singleline)]
    private static partial Regex DocElement();

    [GeneratedRegex(@"<(?:see|seealso|paramref|typeparamref)\s[^>]*?""([^""]*)""\s*/>")]
    private static partial Regex NamedByMarkup();

    [GeneratedRegex("<[^>]+>")]
    private static partial Regex Markup();

    [GeneratedRegex(
        @"^\s*((?:(?:public|internal|private|protected|file|static|sealed|abstract|readonly|ref|partial|unsafe)\s+)*)(?:class|struct|record struct|record class|record|interface|enum)\s+([A-Z]\w*)"
    )]
    private static partial Regex TypeDeclaration();

    /// <summary>A declaration of a type, with the file that holds it.</summary>
    internal sealed record Declaration(string Name, string File, bool IsPartial);

    /// <summary>A comment, with the file and the line where it begins.</summary>
    internal sealed record Comment(string File, int Line, string Text);

    /// <summary>
    /// A documentation element, such as a summary, with the file and the line where its comment begins.
    /// </summary>
    internal sealed record DocText(string File, int Line, string Tag, string Text);
}

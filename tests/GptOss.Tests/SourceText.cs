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

    /// <summary>Lines of code under a folder whose text, comments taken off, has a match: "File.cs:12 line".</summary>
    public static IEnumerable<string> Matches(string pattern, params string[] folder) =>
        from file in Files(folder)
        from line in File.ReadLines(file).Select((text, index) => (Code: WithoutComment(text), Number: index + 1))
        where Regex.IsMatch(line.Code, pattern)
        select $"{Path.GetFileName(file)}:{line.Number} {line.Code.Trim()}";

    /// <summary>Cuts a line comment off; the slashes of an address within a string stay.</summary>
    public static string WithoutComment(string line) => LineComment().Replace(line, "");

    /// <summary>
    /// The lines of a file, without those within a raw string of several lines: quoted text keeps its form.
    /// </summary>
    public static IEnumerable<(string Text, int Number)> LinesOutsideRawText(string file)
    {
        bool isRaw = false;
        int number = 0;
        foreach (string line in File.ReadLines(file))
        {
            number++;
            if (!isRaw)
                yield return (line, number);
            if (line.Split("\"\"\"").Length % 2 == 0)
                isRaw = !isRaw;
        }
    }

    /// <summary>Every comment under a folder, the lines of one joined.</summary>
    public static IEnumerable<Comment> Comments(params string[] folder)
    {
        foreach (string file in Files(folder))
        {
            var text = new List<string>();
            int start = 0;
            foreach ((string line, int number) in LinesOutsideRawText(file).Append(("", 0)))
            {
                Match comment = WholeLineComment().Match(line);
                if (comment.Success)
                {
                    start = text.Count == 0 ? number : start;
                    text.Add(comment.Groups[1].Value);
                    continue;
                }
                if (text.Count > 0)
                    yield return new Comment(Path.GetFileName(file), start, string.Join('\n', text));
                text.Clear();
                if (LineComment().Match(line) is { Success: true } behind && !line.Contains('"'))
                    yield return new Comment(Path.GetFileName(file), number, behind.Value);
            }
        }
    }

    /// <summary>Every element of a documentation comment under a folder, its markup taken off.</summary>
    public static IEnumerable<DocText> DocTexts(params string[] folder) =>
        from comment in Comments(folder)
        from Match element in DocElement().Matches(comment.Text)
        let text = Markup().Replace(NamedByMarkup().Replace(element.Groups[2].Value, "$1"), "")
        select new DocText(comment.File, comment.Line, element.Groups[1].Value, text.Trim());

    /// <summary>Every declaration of a type under a folder.</summary>
    public static IEnumerable<(string Name, string File, bool IsPartial)> Types(params string[] folder) =>
        from file in Files(folder)
        from line in LinesOutsideRawText(file)
        let type = TypeDeclaration().Match(line.Text)
        where type.Success
        select (type.Groups[2].Value, Path.GetFileName(file), type.Groups[1].Value.Contains("partial"));

    [GeneratedRegex(@"[/\\](bin|obj)[/\\]")]
    private static partial Regex BuildFolder();

    [GeneratedRegex(@"(?<!:)//.*$")]
    private static partial Regex LineComment();

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

    /// <summary>A comment, with the file and the line where it begins.</summary>
    internal sealed record Comment(string File, int Line, string Text);

    /// <summary>
    /// A documentation element, such as a summary, with the file and the line where its comment begins.
    /// </summary>
    internal sealed record DocText(string File, int Line, string Tag, string Text);
}

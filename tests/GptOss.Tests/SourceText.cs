using System.Text.RegularExpressions;

namespace GptOss.Tests;

/// <summary>The repository's own source, for the tests that hold its habits.</summary>
internal static partial class SourceText
{
    public static string Library { get; } = Path.Combine(Repository.Root, "src", "GptOss");

    /// <summary>The folders of the library that hold code: its rooms.</summary>
    public static string[] Rooms { get; } =
    [
        .. Directory.EnumerateDirectories(Library)
            .Where(folder => Files(folder).Any())
            .Select(folder => Path.GetFileName(folder)),
    ];

    /// <summary>Source files under a folder of the repository, without what the build makes.</summary>
    public static IEnumerable<string> Files(params string[] folder) =>
        Directory.EnumerateFiles(Path.Combine([Repository.Root, .. folder]), "*.cs", SearchOption.AllDirectories)
            .Where(path => !BuildFolder().IsMatch(path));

    /// <summary>Lines of code under a folder whose text, comments taken off, has a match: "File.cs:12 line".</summary>
    public static IEnumerable<string> Matches(string pattern, params string[] folder) =>
        from file in Files(folder)
        from line in File.ReadLines(file).Select((text, index) => (Code: WithoutComment(text), Number: index + 1))
        where Regex.IsMatch(line.Code, pattern)
        select $"{Path.GetFileName(file)}:{line.Number} {line.Code.Trim()}";

    /// <summary>Cuts a line comment off; the slashes of an address within a string stay.</summary>
    public static string WithoutComment(string line) => LineComment().Replace(line, "");

    [GeneratedRegex(@"[/\\](bin|obj)[/\\]")]
    private static partial Regex BuildFolder();

    [GeneratedRegex(@"(?<!:)//.*$")]
    private static partial Regex LineComment();
}

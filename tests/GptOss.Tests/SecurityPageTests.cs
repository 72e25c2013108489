using System.Text.RegularExpressions;

namespace GptOss.Tests;

/// <summary>The threat model names for each threat the tests that show what stops it.</summary>
public sealed partial class SecurityPageTests
{
    private static readonly string[] Rows =
    [
        .. File.ReadLines(Path.Join(Repository.Root, "SECURITY.md"))
            .SkipWhile(line => !line.StartsWith("|---", StringComparison.Ordinal))
            .Skip(1)
            .TakeWhile(line => line.StartsWith('|')),
    ];

    [Fact]
    public void Every_threat_has_tests_and_each_of_them_exists()
    {
        Assert.NotEmpty(Rows);
        Assert.DoesNotContain(Rows, row => !TestName().IsMatch(row));
        HashSet<string> files =
        [
            .. Directory
                .EnumerateFiles(Path.Join(Repository.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
                .Select(file => Path.GetFileNameWithoutExtension(file)),
        ];
        Assert.Empty(
            Rows.SelectMany(row => TestName().Matches(row)).Select(match => match.Groups[1].Value).Except(files)
        );
    }

    [GeneratedRegex("`([A-Za-z0-9]+Tests)`")]
    private static partial Regex TestName();
}

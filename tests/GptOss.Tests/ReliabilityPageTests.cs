using System.Reflection;
using System.Text.RegularExpressions;

namespace GptOss.Tests;

/// <summary>Every promise of docs/reliability.md has tests that bear its number, and a row.</summary>
public sealed partial class ReliabilityPageTests
{
    private const int Last = 26;

    /// <summary>What the tests of the server show.</summary>
    private static readonly int[] OfTheServer = [26];

    private static readonly string[] Rows =
    [
        .. File.ReadLines(Path.Join(Repository.Root, "docs", "reliability.md"))
            .Where(line => line.StartsWith("| P", StringComparison.Ordinal)),
    ];

    [Fact]
    public void The_page_has_a_row_for_each_promise_with_a_figure_and_its_command()
    {
        Assert.Equal(Enumerable.Range(1, Last).Select(number => $"P{number}"), Rows.Select(row => row.Split(' ')[1]));
        Assert.DoesNotContain(Rows, row => !Row().IsMatch(row));
    }

    [Fact]
    public void Every_promise_has_a_test()
    {
        Type[] types = typeof(ReliabilityPageTests).Assembly.GetTypes();
        IEnumerable<int> shown = types
            .Concat<MemberInfo>(types.SelectMany(type => type.GetMethods()))
            .SelectMany(member => member.GetCustomAttributes<PromiseAttribute>())
            .Select(promise => promise.Number);
        Assert.Equal(Enumerable.Range(1, Last), shown.Concat(OfTheServer).Distinct().Order());
    }

    /// <summary>A number, a promise, a figure with digits, and the command that tells it.</summary>
    [GeneratedRegex(@"^\| P(\d+) \| [^|]{10,} \| [^|]*\d[^|]* \| `(GPTOSS_LONG=1 )?\./build\.sh promises \1` \|$")]
    private static partial Regex Row();
}

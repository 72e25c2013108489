using System.Reflection;

namespace GptOss.AspNetCore.Tests.Faults;

/// <summary>
/// The faults of the plan are numbered F1 to F113. Each is a line of a table, or names its number as the trait
/// <c>fault</c> of a test, or stands in the list here with where else it is tried.
/// </summary>
public sealed class FaultNumbersTests
{
    private const int Last = 113;

    private static readonly Dictionary<int, string> Elsewhere = new()
    {
        [16] = "idle connections beyond the limit, which is the tool's: ServeCommandTests of GptOss.Tests",
        [93] = "short answers beside a very long prompt: LongPromptTests of GptOss.Tests",
        [113] = "two nodes behind one address: the sample Cluster",
    };

    private static readonly string[] Tables =
    [
        "A-http",
        "B-json",
        "C-parameters",
        "D-messages",
        "E-schemas",
        "M-messages",
        "R-responses",
    ];

    [Fact]
    public void Every_fault_of_the_plan_is_tried_somewhere()
    {
        HashSet<int> tried =
        [
            .. Tables.SelectMany(FaultLine.Table).Select(line => line.Number),
            .. typeof(FaultNumbersTests)
                .Assembly.GetTypes()
                .SelectMany(type => type.GetMethods())
                .SelectMany(method => method.GetCustomAttributes<TraitAttribute>())
                .Where(trait => trait.Name == "fault")
                .Select(trait => int.Parse(trait.Value.TrimStart('F'))),
        ];
        Assert.Empty(Enumerable.Range(1, Last).Except(tried).Except(Elsewhere.Keys));
        Assert.DoesNotContain(tried, number => number is < 1 or > Last || Elsewhere.ContainsKey(number));
    }
}

using System.Globalization;

namespace GptOss.Tests;

/// <summary>How long a test of damage goes on: the suite's cases, or a share of <c>./build.sh fuzz</c>.</summary>
/// <remarks>
/// Such a test has <c>[Trait("kind", "fuzz")]</c>, draws case n from seed n, names n when it fails, and writes a line
/// at its end. Under <c>./build.sh fuzz HOURS</c> one test runs after the other, so that the shares make up the hours.
/// </remarks>
internal static class FuzzBudget
{
    /// <summary>How many tests share the time, those of the server among them (<c>FuzzTests</c> counts).</summary>
    public const int Shares = 16;

    private static readonly string? Asked = Environment.GetEnvironmentVariable("GPTOSS_FUZZ_SECONDS");
    private static readonly string? Report = Environment.GetEnvironmentVariable("GPTOSS_FUZZ_REPORT");

    /// <summary>The time of one test where <c>./build.sh fuzz</c> asks for one; null in the suite.</summary>
    public static TimeSpan? Share { get; } =
        Asked is null ? null : TimeSpan.FromSeconds(double.Parse(Asked, CultureInfo.InvariantCulture) / Shares);

    /// <summary>The seeds 0, 1, 2 … of the cases: the given number in the suite, else until the time is over.</summary>
    public static IEnumerable<int> Seeds(int count) => Seeds(count, Share);

    /// <summary>The seeds of the cases: the given number, or those that fit in a time where there is one.</summary>
    public static IEnumerable<int> Seeds(int count, TimeSpan? time)
    {
        long start = Environment.TickCount64;
        for (
            int seed = 0;
            time is { } most ? Environment.TickCount64 - start < most.TotalMilliseconds : seed < count;
            seed++
        )
            yield return seed;
    }

    /// <summary>Tells what was done, as a figure and for the last lines of <c>./build.sh fuzz</c>.</summary>
    public static void Tell(string line)
    {
        Figure.Tell(line);
        if (Report is not null)
            File.AppendAllLines(Report, [line]);
    }
}

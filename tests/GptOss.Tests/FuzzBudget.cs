using System.Globalization;

namespace GptOss.Tests;

/// <summary>How long a test of seeded damage goes on: <c>./build.sh fuzz [seconds]</c> raises it.</summary>
/// <remarks>
/// Such a test has <c>[Trait("kind", "fuzz")]</c>, draws case n from seed n, and names n when it fails.
/// </remarks>
internal static class FuzzBudget
{
    /// <summary>The time that a test may go on beyond its usual cases; zero unless asked for.</summary>
    public static TimeSpan Extra { get; } =
        TimeSpan.FromSeconds(
            double.Parse(Environment.GetEnvironmentVariable("GPTOSS_FUZZ_SECONDS") ?? "0", CultureInfo.InvariantCulture)
        );

    /// <summary>The seeds 0, 1, 2 … of the cases: the given number, and more as long as the budget lasts.</summary>
    public static IEnumerable<int> Seeds(int atLeast)
    {
        long start = Environment.TickCount64;
        for (int seed = 0; seed < atLeast || Environment.TickCount64 - start < Extra.TotalMilliseconds; seed++)
            yield return seed;
    }
}

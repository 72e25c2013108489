using System.Globalization;

namespace GptOss.Tests;

/// <summary>What a test measured, in one line: for its output and for <c>./build.sh promises</c>.</summary>
internal static class Figure
{
    private static readonly string? Gathered = Environment.GetEnvironmentVariable("GPTOSS_FIGURES");
    private static readonly Lock Writing = new();

    /// <summary>Tells a figure of the test that runs, for the promises that it shows.</summary>
    public static void Tell(string figure)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(figure);
        if (
            TestContext.Current.Test is { } test
            && test.Traits.TryGetValue(PromiseAttribute.Trait, out IReadOnlyCollection<string>? promises)
        )
            foreach (string promise in promises)
                Gather(promise, figure);
    }

    /// <summary>Tells a figure of all tests of a class together, which none of them has by itself.</summary>
    public static void Tell(int promise, string figure) =>
        Gather($"P{promise.ToString(CultureInfo.InvariantCulture)}", figure);

    private static void Gather(string promise, string figure)
    {
        if (Gathered is null)
            return;
        lock (Writing)
            File.AppendAllLines(Gathered, [$"{promise}: {figure}"]);
    }
}

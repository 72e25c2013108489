namespace GptOss.Tests;

/// <summary>What a test measured, in one line: for its output and for <c>./build.sh promises</c>.</summary>
internal static class Figure
{
    private static readonly string? File = Environment.GetEnvironmentVariable("GPTOSS_FIGURES");
    private static readonly Lock Writing = new();

    public static void Tell(string figure)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(figure);
        if (
            File is not null
            && TestContext.Current.Test is { } test
            && test.Traits.TryGetValue(PromiseAttribute.Trait, out IReadOnlyCollection<string>? promises)
        )
            lock (Writing)
                System.IO.File.AppendAllLines(
                    File,
                    promises.Select(promise => $"{promise}\t{test.TestDisplayName}\t{figure}")
                );
    }
}

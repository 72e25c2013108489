namespace GptOss.Tests;

/// <summary>How much of a test runs that takes long as a whole: all of it where <c>./build.sh long</c> asks.</summary>
internal static class Long
{
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("GPTOSS_LONG") == "1";
}

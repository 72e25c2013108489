namespace GptOss.Tests;

/// <summary>Finds the files of this repository from a running test.</summary>
internal static class Repository
{
    /// <summary>The folder that holds GptOss.sln, whatever the working directory.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A file or folder of tests/GptOss.Tests/vectors.</summary>
    public static string Vector(params string[] parts) =>
        Path.Combine([Root, "tests", "GptOss.Tests", "vectors", .. parts]);

    private static string FindRoot()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "GptOss.sln")))
                return at.FullName;
        }

        throw new InvalidOperationException($"No GptOss.sln above {AppContext.BaseDirectory}.");
    }
}

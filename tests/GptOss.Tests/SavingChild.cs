namespace GptOss.Tests;

/// <summary>
/// A process that saves two prefixes over one file in turn until it is killed. It runs in the place of the tool, behind
/// <see cref="StartupHook"/>, and so may use the library but no library of the tests.
/// </summary>
internal static class SavingChild
{
    /// <summary>The variable that names the file to save to.</summary>
    public const string File = "GPTOSS_SAVE_UNTIL_KILLED";

    /// <summary>The variable that names the folder of the model.</summary>
    public const string Folder = "GPTOSS_SAVE_MODEL";

    /// <summary>The prompts that are saved in turn.</summary>
    public static int[][] Prompts { get; } =
    [
        [.. Enumerable.Range(0, 100)],
        [.. Enumerable.Range(0, 500).Select(i => 511 - i)],
    ];

    /// <summary>Saves for ever; says on standard output when the first save begins.</summary>
    public static void Run(string file)
    {
        using GptOssModel model = GptOssModel
            .LoadAsync(Environment.GetEnvironmentVariable(Folder)!, new ModelOptions { Threads = 1 })
            .GetAwaiter()
            .GetResult();
        for (int i = 0; ; i++)
        {
            if (i == 2) // both prompts are computed and all code is compiled
                Console.WriteLine("saving");
            model.SavePrefixAsync(Prompts[i % 2], file).GetAwaiter().GetResult();
        }
    }
}

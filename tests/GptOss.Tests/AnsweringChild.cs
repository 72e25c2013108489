using System.Diagnostics;
using GptOss.Cli.Shell;

namespace GptOss.Tests;

/// <summary>
/// A process that answers twice with a mapped model: what may become of its files meanwhile can end it. It runs in the
/// place of the tool, behind <see cref="StartupHook"/>.
/// </summary>
internal static class AnsweringChild
{
    /// <summary>The variable that names the model.</summary>
    public const string Model = "GPTOSS_ANSWER_FROM";

    /// <summary>How many tokens an answer has.</summary>
    public const int Tokens = 1_500;

    /// <summary>
    /// Two answers to the same prompt, each when a line has come; a line for each token, or for the error in its place.
    /// </summary>
    public static void Run(string path)
    {
        GptOssModel model = GptOssModel.LoadAsync(path, new ModelOptions { Threads = 1 }).GetAwaiter().GetResult();
        for (int answer = 0; answer < 2; answer++)
            Answer(model).GetAwaiter().GetResult();
        Environment.Exit(0);
    }

    /// <summary>Starts such a process.</summary>
    public static Process Start(string path)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Failure).Assembly.Location, "--help"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true, // the runtime's last words
        };
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        start.Environment[Model] = path;
        return Process.Start(start)!;
    }

    private static async Task Answer(GptOssModel model)
    {
        Console.ReadLine();
        try
        {
            await foreach (int token in model.Generate([1, 2, 3], SamplingOptions.Greedy, Tokens, []))
                Console.WriteLine(token);
        }
        catch (GptOssException error)
        {
            Console.WriteLine($"error {error.Message}");
        }
        Console.WriteLine("end");
    }
}

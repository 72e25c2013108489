using System.Text;
using System.Text.Json;
using GptOss.Cli.Shell;

namespace GptOss.Tests.OddFolders;

/// <summary>
/// Runs one command line of the tool after the other in one process, so that .NET starts once. It runs in the place of
/// the tool, behind <see cref="StartupHook"/>, and so may use no library of the tests.
/// </summary>
/// <remarks>
/// Standard input brings an array of arguments a line. What a command writes goes to standard output as ever; behind it
/// comes a line with the given mark, the exit code, and what went to standard error.
/// </remarks>
internal static class ToolLoop
{
    /// <summary>The variable that holds the mark.</summary>
    public const string Mark = "GPTOSS_TOOL_LOOP";

    public static void Run(string mark)
    {
        using Stream output = Console.OpenStandardOutput();
        while (Console.In.ReadLine() is { } line)
        {
            using var error = new StringWriter();
            Console.SetError(error);
            int exit = CommandLine.RunAsync(Arguments(line)).GetAwaiter().GetResult();
            string said = Convert.ToBase64String(Encoding.UTF8.GetBytes(error.ToString()));
            output.Write(Encoding.UTF8.GetBytes($"\n{mark} {exit} {said}\n"));
            output.Flush();
        }
        Environment.Exit(0);
    }

    private static string[] Arguments(string line)
    {
        using var list = JsonDocument.Parse(line);
        return [.. list.RootElement.EnumerateArray().Select(argument => argument.GetString()!)];
    }
}

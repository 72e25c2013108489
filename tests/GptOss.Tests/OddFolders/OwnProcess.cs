using System.Diagnostics;
using GptOss.Cli.Shell;
using GptOss.Tests.Cli;

namespace GptOss.Tests.OddFolders;

/// <summary>The tool as a process for one command line, whose peak of memory is told.</summary>
internal static class OwnProcess
{
    // Where the machine has other things to do, a process alone takes a second to begin.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>Runs the tool.</summary>
    /// <param name="arguments">The words of its command line.</param>
    /// <param name="home">The home of a person without a model.</param>
    public static (ToolRun? Run, string? Failure, long Peak, TimeSpan Time) Run(string[] arguments, string home)
    {
        string account = Path.Join(home, Path.GetRandomFileName());
        var start = new ProcessStartInfo("dotnet", [typeof(Failure).Assembly.Location, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        start.Environment[StartupHook.Memory] = account;
        start.Environment["HOME"] = home;
        start.Environment.Remove("GPTOSS_MODEL");
        long began = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        Task copied = process.StandardOutput.BaseStream.CopyToAsync(output);
        if (!process.WaitForExit(Longest))
        {
            process.Kill();
            return (null, $"still ran after {Longest.TotalSeconds} s", 0, Longest);
        }
        TimeSpan time = Stopwatch.GetElapsedTime(began);
        copied.Wait();
        return (
            new ToolRun(process.ExitCode, output.ToArray(), error.Result),
            null,
            File.Exists(account) ? Peak(File.ReadAllLines(account)) : 0,
            time
        );
    }

    // Linux counts in kB.
    private static long Peak(string[] lines) =>
        lines.FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)) is { } line
            ? long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], null) << 10
            : 0;
}

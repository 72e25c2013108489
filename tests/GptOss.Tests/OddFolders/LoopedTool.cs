using System.Diagnostics;
using System.Text;
using System.Text.Json;
using GptOss.Cli.Shell;
using GptOss.Tests.Cli;

namespace GptOss.Tests.OddFolders;

/// <summary>
/// The tool as a process that takes command lines until it crashes or hangs; then another one begins.
/// </summary>
internal sealed class LoopedTool(string home) : IDisposable
{
    private static readonly TimeSpan Slowest = TimeSpan.FromSeconds(5);

    private readonly string _mark = Guid.NewGuid().ToString("N");
    private Process? _process;
    private bool _isWarm;

    /// <summary>How a command line ended; else null and the words for how the process ended, or that it hung.</summary>
    public (ToolRun? Run, string? Failure) Run(params string[] arguments)
    {
        _process ??= Start();
        _process.StandardInput.WriteLine(JsonSerializer.Serialize(arguments));
        Task<ToolRun?> answer = ReadAsync(_process.StandardOutput);
        // The first command of a process compiles all code.
        bool ended = answer.Wait(_isWarm ? Slowest : 6 * Slowest);
        _isWarm = true;
        if (ended && answer.Result is { } run)
            return (run, null);
        _process.Kill();
        _process.WaitForExit();
        string how = ended ? $"ended with {_process.ExitCode}" : $"still ran after {Slowest.TotalSeconds} s";
        Dispose();
        return (null, how);
    }

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            _process.StandardInput.Close();
            Tool.WaitForEnd(_process);
        }
        _process?.Dispose();
        (_process, _isWarm) = (null, false);
    }

    private Process Start()
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Failure).Assembly.Location])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.Latin1, // bytes, be they UTF-8 or not
        };
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        start.Environment[ToolLoop.Mark] = _mark;
        start.Environment["HOME"] = home; // whose stores are empty
        start.Environment.Remove("GPTOSS_MODEL");
        return Process.Start(start)!;
    }

    // Null where the process ended in between.
    private async Task<ToolRun?> ReadAsync(StreamReader output)
    {
        var before = new StringBuilder();
        while (await output.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            if (line.Split(' ') is [var mark, var exit, var said] && mark == _mark)
                return new ToolRun(
                    int.Parse(exit, null),
                    // The line feed before the mark is none of the command's.
                    Encoding.Latin1.GetBytes(before.Length == 0 ? "" : before.ToString(0, before.Length - 1)),
                    Encoding.UTF8.GetString(Convert.FromBase64String(said))
                );
            before.Append(line).Append('\n');
        }
        return null;
    }
}

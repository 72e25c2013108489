using System.Diagnostics;
using System.Text;

namespace GptOss.Tests.Cli;

/// <summary>
/// The gptoss tool as a process of its own, as a person's shell or a script runs it: all streams redirected.
/// </summary>
internal static class Tool
{
    // A model answers in a second or two; the machine of the tests may be busy with other things.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static ToolRun Run(params string[] arguments) => Run(arguments, input: "");

    public static ToolRun Run(string[] arguments, string input, string? model = null)
    {
        using Process process = Start(arguments, model);
        Task<string> error = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        Task copied = process.StandardOutput.BaseStream.CopyToAsync(output);
        process.StandardInput.BaseStream.Write(Encoding.UTF8.GetBytes(input));
        process.StandardInput.Close();
        WaitForEnd(process);
        copied.Wait();
        string[] lines = error.Result.Split('\n');
        bool isTiny = lines[0].StartsWith(ToolRun.TinyAnswers, StringComparison.Ordinal);
        return new ToolRun(process.ExitCode, output.ToArray(), isTiny ? string.Join('\n', lines[1..]) : error.Result)
        {
            Note = isTiny ? lines[0] : null,
        };
    }

    /// <summary>Starts the tool.</summary>
    /// <param name="arguments">The words of its command line.</param>
    /// <param name="model">What GPTOSS_MODEL names; null for nothing.</param>
    /// <param name="programs">A folder whose programs are found before all others; null for none.</param>
    public static Process Start(string[] arguments, string? model = null, string? programs = null)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "GptOss.Cli.dll"), .. arguments]
        )
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("GPTOSS_MODEL");
        if (model is not null)
            start.Environment["GPTOSS_MODEL"] = model;
        if (programs is not null)
            start.Environment["PATH"] = $"{programs}{Path.PathSeparator}{Environment.GetEnvironmentVariable("PATH")}";
        return Process.Start(start)!;
    }

    public static void WaitForEnd(Process process)
    {
        if (process.WaitForExit(Limit))
            return;
        process.Kill();
        Assert.Fail($"The tool was still running after {Limit.TotalSeconds} s.");
    }
}

/// <summary>How a run of the tool ended.</summary>
internal sealed record ToolRun(int ExitCode, byte[] Bytes, string Error)
{
    /// <summary>How the line begins that says that nobody named a model.</summary>
    public const string TinyAnswers = "gptoss: the tiny model answers";

    /// <summary>That line, which <see cref="Error"/> leaves out; null where it did not come.</summary>
    public string? Note { get; init; }

    public string Output => Encoding.UTF8.GetString(Bytes);

    /// <summary>
    /// Asserts the contract of every failure: the exit code, nothing on standard output, one line on standard error.
    /// </summary>
    public void AssertRefused(int exitCode, string message)
    {
        Assert.Equal(exitCode, ExitCode);
        Assert.Empty(Bytes);
        Assert.EndsWith("\n", Error);
        string line = Assert.Single(Error.TrimEnd('\r', '\n').Split('\n'));
        Assert.StartsWith("gptoss: ", line);
        Assert.Contains(message, line);
    }
}

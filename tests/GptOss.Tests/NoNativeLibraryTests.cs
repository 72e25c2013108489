using System.Diagnostics;
using GptOss.Cli.Shell;
using GptOss.Tests.Oracles;

namespace GptOss.Tests;

/// <summary>
/// Loading and answering need nothing that brings a native library with it: on Linux, cryptography is OpenSSL.
/// </summary>
public sealed class NoNativeLibraryTests
{
    [Theory]
    [InlineData("run", "What is 345 + 678?", "--temperature", "0")] // a tokenizer.json, the chat client
    [InlineData("run", "Hi", "--max-tokens", "3", "--model", "o200k")] // the built-in vocabulary
    public void No_assembly_of_cryptography_is_loaded(params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        if (arguments[^1] == "o200k")
        {
            TinyCheckpoint.Write(
                folder.Path,
                new TinyShape
                {
                    HiddenSize = 32,
                    NumHiddenLayers = 1,
                    VocabSize = GptOssTokenizer.O200kHarmony.VocabularySize,
                },
                seed: 1
            );
            arguments = [.. arguments[..^1], folder.Path];
        }

        string[] loaded = Loaded(arguments, Path.Combine(folder.Path, "loaded"));

        Assert.Contains("System.Text.Json", loaded);
        Assert.DoesNotContain(loaded, name => name.Contains("Cryptography", StringComparison.Ordinal));
    }

    private static string[] Loaded(string[] arguments, string report)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Failure).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        start.Environment[StartupHook.File] = report;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(),
            error = process.StandardError.ReadToEndAsync();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)), "the tool did not end");
        // A model of random weights need not come to an answer.
        Assert.True(process.ExitCode is 0 or Failure.NoAnswer, output.Result + error.Result);
        return File.ReadAllLines(report);
    }
}

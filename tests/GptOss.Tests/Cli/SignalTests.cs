using System.Diagnostics;

namespace GptOss.Tests.Cli;

/// <summary>The tool is told to end, or nobody reads it any more, while it writes an answer.</summary>
public sealed class SignalTests
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, Promise(22)]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    [InlineData("")] // its standard output is closed
    public async Task It_ends_soon_and_without_a_trace_of_the_stack(string signal)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Signals are sent by Linux's kill.");
        TimeSpan quickest = TimeSpan.MaxValue;
        // The machine of the tests has other things to do.
        for (int i = 0; i < 5 && quickest > Most; i++)
            quickest = new(Math.Min(quickest.Ticks, (await EndAsync(signal)).Ticks));
        Figure.Tell($"{(signal == "" ? "stdout closed" : $"SIG{signal}")}: ended in {quickest.TotalMilliseconds:0} ms");
        Assert.True(quickest < Most, $"It took {quickest.TotalMilliseconds:0} ms.");
    }

    private static async Task<TimeSpan> EndAsync(string signal)
    {
        // Hot enough that no end of the text is drawn soon.
        string[] arguments = ["run", "--raw", "a", "--temperature", "2", "--max-tokens", "100000", "--seed", "1"];
        using Process process = Tool.Start(arguments);
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync(Stop);
        Assert.Equal(
            64,
            await process.StandardOutput.BaseStream.ReadAtLeastAsync(new byte[64], 64, cancellationToken: Stop)
        );
        var watch = Stopwatch.StartNew();
        if (signal == "")
            process.StandardOutput.Close();
        else
            using (var kill = Process.Start("kill", ["-s", signal, $"{process.Id}"]))
                await kill.WaitForExitAsync(Stop);
        Task rest = signal == "" ? Task.CompletedTask : process.StandardOutput.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop).WaitAsync(TimeSpan.FromSeconds(30), Stop);
        TimeSpan took = watch.Elapsed;
        await rest;
        Assert.DoesNotContain("   at ", await error);
        Assert.NotEqual(0, process.ExitCode);
        return took;
    }
}

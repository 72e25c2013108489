using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace GptOss.Tests;

/// <summary>The samples as processes, on the tiny model: what they print is right.</summary>
[Trait("speed", "slow")]
public sealed partial class SamplesTests
{
    // A sample takes seconds; the machine of the tests may be busy with other things.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [Fact]
    public void HelloChat_shows_reasoning_and_answer_apart() =>
        Assert.Matches("^Reasoning: [^\n]+\nAnswer: 345 \\+ 678 = 1023\\.\n$", Output("HelloChat"));

    [Fact]
    public void HelloChat_says_what_is_wrong_with_a_folder_without_a_stack()
    {
        (int code, string output, string error) = Run("HelloChat", "no-such-folder");
        Assert.Equal((1, ""), (code, output));
        Assert.Matches("^[^\n]*no-such-folder[^\n]*\n$", error.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void ToolCalling_answers_from_what_the_method_returned()
    {
        string output = Output("ToolCalling");
        Assert.Contains("Call: get_current_weather(city: Lisbon)\n", output);
        Assert.Matches("\nResult: {\\s*\"condition\":\\s*\"sunny\",\\s*\"temperature\":\\s*24\\s*}\n", output);
        Assert.Matches("\nAnswer: The condition is sunny and the temperature is 24\\.\n$", output);
    }

    [Fact]
    public void StructuredOutput_answers_in_the_form_that_was_asked_for()
    {
        string[] lines = Output("StructuredOutput").Split('\n');
        Assert.Matches("^Object: Weather { City = .*, Celsius = -?[0-9]+ }$", lines[0]);
        Assert.Matches("^Choice: (yes|no|it depends)$", lines[1]);
        Assert.Matches("^Pattern: [A-Z]{2}-[0-9]{2}-[A-Z]{2}$", lines[2]);
    }

    [Fact]
    public void ReasoningEffort_thinks_longer_at_high_and_is_right_at_both()
    {
        string output = Output("ReasoningEffort");
        MatchCollection counts = ReasoningTokens().Matches(output);
        Assert.Equal(2, counts.Count);
        Assert.True(int.Parse(counts[1].Groups[1].Value, null) > int.Parse(counts[0].Groups[1].Value, null), output);
        Assert.Matches("^Low: [^\n]*= 38\\.\n", output);
        Assert.Matches("\nHigh: [^\n]*= 38\\.\n", output);
    }

    [Fact]
    public void DependencyInjection_logs_traces_and_measures()
    {
        string output = Output("DependencyInjection");
        Assert.Contains("\nHello!", "\n" + output);
        Assert.Contains("gen_ai.usage.output_tokens", output);
        Assert.Contains("gen_ai.client.token.usage", output);
        Assert.Contains("dbug: GptOss.GptOssChatClient", output);
    }

    private static string Output(string sample)
    {
        (int code, string output, string error) = Run(sample);
        Assert.True(code == 0, error);
        return output;
    }

    [Fact]
    public void Many_users_get_their_own_answers()
    {
        (int code, string output, string error) = Run("ManyUsers");
        Assert.Equal((0, ""), (code, error));
        for (int person = 0; person < 16; person++)
            Assert.Contains($"{100 + person + 600}", output);
        Assert.Matches(@"\nrunning +\d+   waiting +0   paused +0\npages +\d+   cached +\d+\n", output);
        Assert.Matches(@"\nlast +\d+\.\d\d s to its first token, [1-9]\d* ?% of it found again\n", output);
    }

    [Theory]
    [InlineData("Server", "/ai")]
    [InlineData("Cluster", "")]
    public async Task A_server_answers_until_it_is_told_to_end(string sample, string prefix)
    {
        using Process process = Start(sample, "--urls", "http://127.0.0.1:0");
        CancellationToken stop = TestContext.Current.CancellationToken;
        try
        {
            using var client = new HttpClient { BaseAddress = await AddressAsync(process).WaitAsync(Limit, stop) };
            using var question = new StringContent(
                """{"messages":[{"role":"user","content":"What is 345 + 678?"}],"temperature":0}""",
                Encoding.UTF8,
                "application/json"
            );
            using HttpResponseMessage answer = await client.PostAsync($"{prefix}/v1/chat/completions", question, stop);
            Assert.Contains("345 + 678 = 1023.", await answer.Content.ReadAsStringAsync(stop));
            if (sample == "Server")
            {
                Assert.Equal(
                    "345 + 678 = 1023.",
                    await client.GetStringAsync("/ask?question=What+is+345+%2B+678%3F", stop)
                );
                Assert.Equal("Healthy", await client.GetStringAsync("/healthz", stop));
            }
            if (OperatingSystem.IsWindows())
                return; // there are no signals
            using Process kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            Task<string> rest = process.StandardOutput.ReadToEndAsync(stop);
            await process.WaitForExitAsync(stop).WaitAsync(Limit, stop);
            Assert.Equal((0, ""), (process.ExitCode, await process.StandardError.ReadToEndAsync(stop)));
            await rest;
        }
        finally
        {
            process.Kill();
        }
    }

    /// <summary>Where a server listens, by its log.</summary>
    private static async Task<Uri> AddressAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Listening().Match(line) is { Success: true } match)
                return new Uri(match.Groups[1].Value);
        }
        throw new InvalidOperationException(await process.StandardError.ReadToEndAsync());
    }

    private static (int Code, string Output, string Error) Run(string sample, params string[] arguments)
    {
        using Process process = Start(sample, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Limit))
            process.Kill();
        return (process.ExitCode, output.Result.ReplaceLineEndings("\n"), error.Result);
    }

    private static Process Start(string sample, params string[] arguments)
    {
        // The samples are built beside the tests, in the same configuration.
        string below = Path.GetRelativePath(
            Path.Combine(Repository.Root, "tests", "GptOss.Tests"),
            AppContext.BaseDirectory
        );
        string program = Path.Combine(Repository.Root, "samples", sample, below, $"{sample}.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }

    [GeneratedRegex(@"tokens, (\d+) of them reasoning")]
    private static partial Regex ReasoningTokens();

    [GeneratedRegex("Now listening on: (http://.*)")]
    private static partial Regex Listening();
}

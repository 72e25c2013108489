using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GptOss.AspNetCore.Tests;

/// <summary>The log: one line for each request, whatever is in it, and no secret.</summary>
public sealed class LogTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_one_line_that_tells_what_it_took()
    {
        using var log = new LogLines();
        await using TestHost host = await HostAsync(log);
        await host.AskAsync("THINK a b\nSAY c d e", ",\"model\":\"gpt-oss-20b\"");
        await host.StreamAsync("SAY c");
        using HttpResponseMessage unknown = await host.Client.GetAsync("/v1/nope", Stop);
        string[] lines = await log.OfRequestsAsync(3);
        const string Times = @"waited \d+ ms, first word \d+ ms, total \d+ ms";
        Assert.Matches(
            @"^POST /v1/chat/completions 200: model gpt-oss-20b, tokens 10 prompt 4 cached 5 output, "
                + Times
                + ", stop, req_[0-9a-f]{32}$",
            lines[0]
        );
        Assert.Matches("tokens 10 prompt 4 cached 1 output.*, stop, req_", lines[1]);
        Assert.Matches(@"^GET /v1/nope 404: total \d+ ms, unknown_url, req_[0-9a-f]{32}$", lines[2]);
    }

    [Trait("fault", "F102")]
    [Fact]
    public async Task What_comes_from_outside_cannot_write_lines_of_its_own()
    {
        using var log = new LogLines();
        await using TestHost host = await HostAsync(log, options => options.Aliases.Add("*"));
        await host.AskAsync("SAY x", ",\"model\":\"m\\r\\nPOST / 200: forged\\u001b[31m\\u202e\"");
        using HttpResponseMessage path = await host.Client.GetAsync("/v1/a%0d%0aforged%1b%5b31m", Stop);
        using HttpResponseMessage model = await host.Client.GetAsync("/v1/models/%0d%0aforged", Stop);
        foreach (string line in await log.OfRequestsAsync(3))
            Assert.DoesNotContain(line, letter => char.IsControl(letter) || letter == '\u202e');
    }

    [Trait("fault", "F102")]
    [Fact]
    public async Task Neither_prompts_nor_answers_nor_keys_are_in_it()
    {
        using var log = new LogLines();
        await using TestHost host = await HostAsync(log, options => options.ApiKeys.Add("sk-secret"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.PostAsync(TestHost.Question("prompt"))).StatusCode);
        host.Client.DefaultRequestHeaders.Add("Authorization", "Bearer sk-wrong-secret");
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.PostAsync(TestHost.Question("prompt"))).StatusCode);
        host.Client.DefaultRequestHeaders.Remove("Authorization");
        host.Client.DefaultRequestHeaders.Add("Authorization", "Bearer sk-secret");
        await host.AskAsync("THINK a secret thought\nSAY a secret answer");
        using HttpResponseMessage wrong = await host.PostAsync("""{"messages":"a secret prompt"}""");
        using HttpResponseMessage fails = await host.PostAsync(TestHost.Question("SAY a secret\nFAIL"));
        using HttpResponseMessage query = await host.Client.GetAsync("/v1/models?key=sk-secret", Stop);
        await log.OfRequestsAsync(6);
        Assert.DoesNotContain(log.All, line => line.Contains("secret", StringComparison.Ordinal));
    }

    private static Task<TestHost> HostAsync(LogLines log, Action<GptOssServerOptions>? configure = null) =>
        TestHost.ScriptedAsync(configure, builder => builder.Services.AddSingleton<ILoggerProvider>(log));

    private sealed class LogLines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> All { get; } = new();

        /// <summary>Waits for this number of lines of requests, each of which follows its answer.</summary>
        public async Task<string[]> OfRequestsAsync(int count)
        {
            string[] Lines() => [.. All.Where(line => line.Contains(", req_", StringComparison.Ordinal))];
            await TestHost.UntilAsync(() => Lines().Length >= count);
            Assert.Equal(count, Lines().Length);
            return Lines();
        }

        // What the web server itself tells is the host's to choose, and none of it unless the host asks.
        public ILogger CreateLogger(string categoryName) =>
            categoryName.StartsWith(nameof(GptOss), StringComparison.Ordinal) ? this : NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (IsEnabled(logLevel))
                All.Enqueue($"{formatter(state, exception)}{exception?.Message}");
        }

        public void Dispose() { }
    }
}

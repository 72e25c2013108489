using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
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

    [Fact]
    public async Task The_files_of_the_page_do_not_bury_the_requests()
    {
        using var log = new LogLines();
        await using TestHost host = await TestHost.ScriptedAsync(
            build: builder => builder.Services.AddSingleton<ILoggerProvider>(log),
            map: app =>
            {
                app.MapGptOss();
                app.MapGptOssPage();
            }
        );
        foreach (string path in (string[])["/", "/page/app.js", "/page/style.css"])
            using (HttpResponseMessage file = await host.Client.GetAsync(path, Stop))
                Assert.Equal(HttpStatusCode.OK, file.StatusCode);
        using HttpResponseMessage models = await host.Client.GetAsync("/v1/models", Stop);
        Assert.StartsWith("GET /v1/models 200", Assert.Single(await log.OfRequestsAsync(1)), StringComparison.Ordinal);
    }

    [Trait("fault", "F85")]
    [Theory]
    [InlineData("/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"LONG 100000 5\"}]")]
    [InlineData("/v1/responses", "{\"input\":\"LONG 100000 5\"")]
    [InlineData(
        "/v1/messages",
        "{\"max_tokens\":100000,\"messages\":[{\"role\":\"user\",\"content\":\"LONG 100000 5\"}]"
    )]
    public async Task A_client_that_goes_in_the_middle_of_its_answer_is_no_error(string path, string body)
    {
        using var log = new LogLines(all: true);
        await using TestHost host = await HostAsync(log);
        foreach (string more in (string[])[",\"stream\":true}", "}"])
        {
            using Socket socket = await RawHttp.ConnectAsync(host);
            string head = RawHttp.Head($"Content-Length: {body.Length + more.Length}");
            await RawHttp.SendAsync(socket, head.Replace("/v1/chat/completions", path) + body + more);
            if (more.Length > 1)
                Assert.NotEqual(0, await socket.ReceiveAsync(new byte[4096], Stop));
            await TestHost.UntilAsync(() => host.Script.Running == 1);
            socket.Close();
            await TestHost.UntilAsync(() => host.Script.Running == 0);
        }
        string[] lines = await log.OfRequestsAsync(2);
        Assert.StartsWith($"POST {path} 200: ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"POST {path} 499: ", lines[1], StringComparison.Ordinal);
        Assert.All(lines, line => Assert.Contains(", gone, req_", line, StringComparison.Ordinal));
        // The web server would tell of an exception a moment after the line of the request.
        await Task.Delay(100, Stop);
        Assert.Empty(log.Errors);
    }

    [Fact]
    public async Task A_client_that_sends_no_json_and_goes_is_no_error()
    {
        using var log = new LogLines(all: true);
        await using TestHost host = await HostAsync(log);
        // The body is read slower than the client is gone.
        string body = $"{{\"content\":\"{new string('x', 15 << 20)}\" none";
        using (Socket socket = await RawHttp.ConnectAsync(host))
        {
            string head = RawHttp.Head($"Content-Length: {body.Length}");
            await RawHttp.SendAsync(socket, head.Replace("/v1/chat/completions", "/v1/tokenize") + body);
        }
        string line = Assert.Single(await log.OfRequestsAsync(1));
        Assert.Matches(", (gone|invalid_json), req_", line);
        await Task.Delay(100, Stop);
        Assert.Empty(log.Errors);
    }

    [Trait("fault", "F15")]
    [Theory]
    [InlineData("stream")]
    [InlineData("stored")]
    public async Task A_client_that_does_not_read_is_gone(string what)
    {
        using var log = new LogLines(all: true);
        await using TestHost host = await HostAsync(log, options => options.MaxFlush = TimeSpan.FromSeconds(1));
        using Socket slow = await RawHttp.ConnectAsync(host);
        if (what == "stored")
        {
            string large = $"{{\"input\":\"SAY hi\",\"metadata\":{{\"a\":\"{new string('x', 15 << 20)}\"}}}}";
            using HttpResponseMessage stored = await host.PostAsync(large, "/v1/responses");
            string id = JsonElement.Parse(await stored.Content.ReadAsStringAsync(Stop)).GetProperty("id").GetString()!;
            await RawHttp.SendAsync(slow, $"GET /v1/responses/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }
        else
        {
            string body = TestHost.Question("LONG 10000000", ",\"stream\":true");
            await RawHttp.SendAsync(slow, RawHttp.Head($"Content-Length: {body.Length}") + body);
        }
        await Task.Delay(2_000, Stop);
        string[] lines = await log.OfRequestsAsync(what == "stored" ? 2 : 1);
        Assert.Contains(" 200: ", lines[^1], StringComparison.Ordinal);
        Assert.Contains(", gone, req_", lines[^1], StringComparison.Ordinal);
        Assert.Empty(log.Errors);
    }

    private static Task<TestHost> HostAsync(LogLines log, Action<GptOssServerOptions>? configure = null) =>
        TestHost.ScriptedAsync(configure, builder => builder.Services.AddSingleton<ILoggerProvider>(log));

    /// <param name="all">Whether the web server's own categories are taken too.</param>
    private sealed class LogLines(bool all = false) : ILoggerProvider, ILogger
    {
        /// <summary>What was told at Error and above.</summary>
        public ConcurrentQueue<string> Errors { get; } = new();

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
            all || categoryName.StartsWith(nameof(GptOss), StringComparison.Ordinal) ? this : NullLogger.Instance;

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
            if (logLevel >= LogLevel.Error)
                Errors.Enqueue($"{formatter(state, exception)} {exception}");
        }

        public void Dispose() { }
    }
}

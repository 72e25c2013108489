using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using GptOss.Cli.Serve;

namespace GptOss.Tests.Cli;

/// <summary><c>gptoss serve</c> as a process, from its first line to its end.</summary>
[Trait("speed", "slow")] // every case is a process
public sealed partial class ServeCommandTests : IDisposable
{
    // A certificate that a test makes is known to nobody.
    private readonly HttpClient _client = new(
        new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator,
        }
    );
    private readonly List<Process> _processes = [];

    // A folder whose programs a server finds before all others.
    private string? _programs;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_answers_and_ends_at_a_signal()
    {
        Process server = await ServeAsync();
        JsonElement answer = await AskAsync("What is 345 + 678?", "");
        string? text = answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();
        Assert.Equal("345 + 678 = 1023.", text);
        Assert.Equal("gptoss-tiny", answer.GetProperty("model").GetString());
        Assert.Contains("<title>gptoss</title>", await _client.GetStringAsync("/", Stop));
        using HttpResponseMessage unknown = await _client.GetAsync("/nope", Stop);
        Assert.Contains("unknown_url", await unknown.Content.ReadAsStringAsync(Stop));
        string log = await EndAsync(server, "TERM", expected: 0);
        Assert.StartsWith(ToolRun.TinyAnswers, log);
        Assert.Contains("POST /v1/chat/completions 200", log);
        Assert.DoesNotContain("345 + 678", log); // an id may hold 345
    }

    [Fact]
    public async Task A_second_signal_ends_it_at_once()
    {
        Process server = await ServeAsync();
        using var body = new StringContent(
            """{"stream":true,"max_tokens":4000,"messages":[{"role":"user","content":"Count to 10000."}]}""",
            Encoding.UTF8,
            "application/json"
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = body };
        using HttpResponseMessage stream = await _client.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            Stop
        );
        Assert.Equal(HttpStatusCode.OK, stream.StatusCode);
        Signal(server, "INT");
        await Task.Delay(100, Stop);
        Signal(server, "INT");
        await server.WaitForExitAsync(Stop).WaitAsync(TimeSpan.FromSeconds(10), Stop);
    }

    [Fact]
    public async Task A_port_that_is_in_use_is_one_line()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        ToolRun run = await Task.Run(() => Tool.Run("serve", "--port", $"{port}"), Stop);
        run.AssertRefused(1, $"Port {port} of 127.0.0.1 is in use");
    }

    [Fact]
    public async Task An_address_of_another_machine_is_one_line()
    {
        // An address that is kept for documentation.
        ToolRun run = await Task.Run(() => Tool.Run("serve", "--host", "192.0.2.1", "--insecure"), Stop);
        run.AssertRefused(1, "192.0.2.1:8000 cannot be listened on");
    }

    [Theory]
    [InlineData("needs a key", "--host", "0.0.0.0")]
    [InlineData("needs a key", "--cors", "*")]
    [InlineData("--host should be an address", "--host", "example.org")]
    [InlineData("--port should be a whole number from 0 to 65535", "--port", "70000")]
    [InlineData("--effort should be low, medium or high", "--effort", "huge")]
    [InlineData("--cert-key needs --cert", "--cert-key", "key.pem")]
    [InlineData("--api-key is an empty text", "--api-key", "")]
    [InlineData("--adapter is an empty text", "--adapter", "")]
    [InlineData("--alias is an empty text", "--alias", "")]
    [InlineData("--cors is an empty text", "--cors", "")]
    [InlineData("--allowed-host is an empty text", "--allowed-host", "")]
    [InlineData("--api-key-file is an empty text", "--api-key-file", "")]
    [InlineData("--cert is an empty text", "--cert", "")]
    [InlineData("--cert-key is an empty text", "--cert-key", "")]
    [InlineData("--open opens the page that --no-page leaves out", "--open", "--no-page")]
    public void Options_that_do_not_fit_are_refused(string message, params string[] arguments) =>
        Tool.Run(["serve", .. arguments]).AssertRefused(2, message);

    [Fact]
    public async Task A_model_that_is_not_there_is_one_line()
    {
        ToolRun run = await Task.Run(() => Tool.Run("serve", "--port", "0", "--model", "./no-such-model"), Stop);
        Assert.Equal(1, run.ExitCode);
        Assert.Matches("^gptoss: [^\n]*no-such-model[^\n]*\n$", run.Error);
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.BadRequest)]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("mine.example", HttpStatusCode.OK)]
    public async Task It_answers_to_its_own_names_only(string host, HttpStatusCode status)
    {
        await ServeAsync("--allowed-host", "mine.example");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health");
        request.Headers.Host = host;
        using HttpResponseMessage response = await _client.SendAsync(request, Stop);
        Assert.Equal(status, response.StatusCode);
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.BadRequest)]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("127.0.0.1:1", HttpStatusCode.OK)]
    public async Task It_answers_to_its_own_names_only_at_all_addresses_too(string host, HttpStatusCode status)
    {
        await ServeAsync("--host", "0.0.0.0", "--insecure");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Host = host;
        using HttpResponseMessage response = await _client.SendAsync(request, Stop);
        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task A_page_of_an_origin_that_was_named_may_ask_and_another_may_not()
    {
        await ServeAsync("--cors", "https://chat.example", "--allowed-host", "mine.example");
        Assert.Equal((HttpStatusCode.OK, "https://chat.example"), await FromAsync("https://chat.example"));
        Assert.Equal((HttpStatusCode.OK, "https://mine.example"), await FromAsync("https://mine.example"));
        Assert.Equal((HttpStatusCode.Forbidden, null), await FromAsync("https://evil.example"));
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/v1/chat/completions");
        preflight.Headers.Add("Origin", "https://chat.example");
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        preflight.Headers.Add("Access-Control-Request-Headers", "content-type");
        using HttpResponseMessage allowed = await _client.SendAsync(preflight, Stop);
        Assert.Equal("https://chat.example", allowed.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Fact]
    public async Task A_key_is_needed_where_one_was_given()
    {
        await ServeAsync("--api-key", "secret");
        Assert.Equal(HttpStatusCode.Unauthorized, (await _client.GetAsync("/v1/models", Stop)).StatusCode);
        _client.DefaultRequestHeaders.Add("Authorization", "Bearer secret");
        Assert.Equal(HttpStatusCode.OK, (await _client.GetAsync("/v1/models", Stop)).StatusCode);
    }

    [Fact]
    public async Task Without_the_page_nothing_is_there_but_a_sign_of_life()
    {
        await ServeAsync("--no-page");
        using HttpResponseMessage page = await _client.GetAsync("/", Stop);
        Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
        Assert.Contains("unknown_url", await page.Content.ReadAsStringAsync(Stop));
        using var head = new HttpRequestMessage(HttpMethod.Head, "/");
        using HttpResponseMessage alive = await _client.SendAsync(head, Stop);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8000", "http://127.0.0.1:8000/")]
    [InlineData("http://0.0.0.0:8000", "http://localhost:8000/")]
    [InlineData("https://[::]:8443", "https://localhost:8443/")]
    public void The_browser_is_led_to_an_address_of_this_machine(string address, string page) =>
        Assert.Equal(page, Browser.PageOf(address));

    [Fact]
    public async Task The_page_is_opened_by_the_program_that_the_system_has_for_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems open a page without a program on the PATH.");
        using var folder = new TemporaryFolder();
        string opener = Path.Combine(folder.Path, "xdg-open"),
            opened = Path.Combine(folder.Path, "opened");
        await File.WriteAllTextAsync(opener, $"#!/bin/sh\necho \"$1\" > '{opened}'\n", Stop);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(opener, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        _programs = folder.Path;
        await ServeAsync("--open");
        for (int i = 0; i < 100 && (!File.Exists(opened) || new FileInfo(opened).Length == 0); i++)
            await Task.Delay(50, Stop);
        Assert.Equal($"{_client.BaseAddress}\n", await File.ReadAllTextAsync(opened, Stop));
    }

    public void Dispose()
    {
        _client.Dispose();
        foreach (Process process in _processes)
        {
            if (!process.HasExited)
                process.Kill();
            process.Dispose();
        }
    }

    /// <summary>Starts a server on a free port and waits until its model answers.</summary>
    private async Task<Process> ServeAsync(params string[] arguments)
    {
        Process server = Tool.Start(["serve", "--port", "0", .. arguments], programs: _programs);
        _processes.Add(server);
        string? line = await server
            .StandardOutput.ReadLineAsync(Stop)
            .AsTask()
            .WaitAsync(TimeSpan.FromSeconds(60), Stop);
        Assert.Matches("^Listening on https?://(127.0.0.1|0.0.0.0):", line);
        _client.BaseAddress = new Uri(line!.Split(' ')[^1]);
        for (int i = 0; i < 600; i++)
        {
            using HttpResponseMessage health = await _client.GetAsync("/health", Stop);
            if (health.IsSuccessStatusCode)
                return server;
            await Task.Delay(100, Stop);
        }
        Assert.Fail("The model was not loaded in a minute.");
        return server;
    }

    private async Task<JsonElement> AskAsync(string question, string more)
    {
        using var body = new StringContent(
            $$"""{"temperature":0,"messages":[{"role":"user","content":"{{question}}"}]{{more}}}""",
            Encoding.UTF8,
            "application/json"
        );
        using HttpResponseMessage response = await _client.PostAsync("/v1/chat/completions", body, Stop);
        return JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop));
    }

    private async Task<(HttpStatusCode, string? Allowed)> FromAsync(string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add("Origin", origin);
        using HttpResponseMessage response = await _client.SendAsync(request, Stop);
        return (
            response.StatusCode,
            response.Headers.TryGetValues("Access-Control-Allow-Origin", out IEnumerable<string>? allowed)
                ? allowed.Single()
                : null
        );
    }

    private static void Signal(Process process, string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Ends a server by a signal; returns what it wrote into the log.</summary>
    private static async Task<string> EndAsync(Process server, string signal, int expected)
    {
        Task<string> log = server.StandardError.ReadToEndAsync(Stop);
        Signal(server, signal);
        await server.WaitForExitAsync(Stop).WaitAsync(TimeSpan.FromSeconds(30), Stop);
        Assert.Equal(expected, server.ExitCode);
        return await log;
    }
}

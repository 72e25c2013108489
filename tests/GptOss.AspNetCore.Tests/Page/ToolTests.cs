using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace GptOss.AspNetCore.Tests.Page;

/// <summary>The tools of the page: off until somebody switches them on, and shown where they are called.</summary>
[Collection(SharedBrowser.Name)]
[Trait("speed", "slow")]
public sealed class ToolTests(Chromium chromium)
{
    private const string Sandboxed = "JavaScript, in a sandbox";

    [Fact]
    public Task A_call_is_computed_here_and_shown_with_its_result() =>
        chromium.UseAsync(async page =>
        {
            await page.SwitchOnAsync("Calculator");
            await page.AskAsync("CALL calculator {\"expression\": \"345 + 678\"}");
            await ChatPage.ShowsAsync(page.Answer, "The tool said: 1023");
            await ChatPage.ShowsAsync(page.Answer.Locator("summary"), "Called calculator");
            await page.Answer.Locator("summary").ClickAsync();
            await ChatPage.ShowsAsync(page.Answer.GetByLabel("Arguments"), "345 + 678");
            await Expect(page.Answer.GetByLabel("Result", new() { Exact = true }).Last).ToHaveTextAsync("1023");

            await page.SwitchOnAsync("Clock");
            await page.AskAsync("CALL clock");
            await ChatPage.ShowsAsync(page.Answer, $"{DateTime.UtcNow.Year}");
            // A tool that was not offered is not run.
            await page.AskAsync("CALL javascript {\"code\": \"1\"}");
            await ChatPage.ShowsAsync(page.Answer, "The tool said: Error: no tool 'javascript'");
        });

    [Fact]
    public Task The_calculator_knows_arithmetic() =>
        chromium.UseAsync(async page =>
        {
            (string Asked, string Told)[] cases =
            [
                ("1 + 2 * 3", "7"),
                ("(1 + 2) * 3", "9"),
                ("2 ^ 3 ^ 2", "512"),
                ("-2 ^ 2", "-4"),
                ("7 % 4", "3"),
                ("0.1 + 0.2", "0.3"),
                ("sqrt(2) * sqrt(2)", "2"),
                ("max(1, 2e3, 3)", "2000"),
                ("pi", "3.14159265358979"),
                ("1 / 0", "Infinity"),
                ("2 +", "error: expected a number, but found the end"),
                ("constructor(1)", "error: expected a number, but found 'constructor'"),
                ("1 2", "error: expected the end, but found '2'"),
            ];
            string[] told = await page.Page.EvaluateAsync<string[]>(
                """
                async (asked) => {
                    const { calculate } = await import("/page/tools.js");
                    return asked.map((text) => {
                        try { return calculate(text); } catch (error) { return `error: ${error.message}`; }
                    });
                }
                """,
                cases.Select(one => one.Asked)
            );
            Assert.Equal(cases.Select(one => one.Told), told);
        });

    // A page may open connections that no policy of contents forbids: by WebRTC, and by links in its head.
    [Theory]
    [InlineData("new RTCPeerConnection({ iceServers: [{ urls: 'stun:ADDRESS' }] })", "ReferenceError")]
    [InlineData("const l = document.createElement('link'); l.rel = 'preconnect'", "ReferenceError")]
    [InlineData("open('http://ADDRESS/secret')", "ReferenceError")]
    [InlineData("location.href = 'http://ADDRESS/secret'; 'here still'", "here still")]
    [InlineData("importScripts('http://ADDRESS/secret')", "NetworkError")]
    [InlineData("new WebSocket('ws://ADDRESS/secret'); 'not yet refused'", "not yet refused")]
    public async Task JavaScript_finds_no_way_around_the_policy(string code, string result)
    {
        using var tcp = new TcpListener(IPAddress.Loopback, 0);
        tcp.Start();
        int port = ((IPEndPoint)tcp.LocalEndpoint).Port;
        using var udp = new UdpClient(new IPEndPoint(IPAddress.Loopback, port));
        code = code.Replace("ADDRESS", $"127.0.0.1:{port}", StringComparison.Ordinal);
        await chromium.UseAsync(async page =>
        {
            page.Expect("Content Security Policy");
            await page.SwitchOnAsync(Sandboxed);
            await page.AskAsync($"CALL javascript {JsonSerializer.Serialize(new { code })}");
            await page.Answer.Locator("summary").ClickAsync();
            await ChatPage.ShowsAsync(page.Answer.GetByLabel("Result", new() { Exact = true }), result);
            await Task.Delay(500, TestContext.Current.CancellationToken);
        });
        Assert.False(tcp.Pending(), "a connection was opened");
        Assert.Equal(0, udp.Available);
    }

    [Fact]
    public Task JavaScript_runs_where_it_reaches_nothing() =>
        chromium.UseAsync(async page =>
        {
            page.Expect("Content Security Policy");
            await page.SwitchOnAsync(Sandboxed);
            foreach (
                (string code, string result) in ((string, string)[])
                    [
                        ("console.log('sum'); [1, 2].map(x => x + 1)", "sum\n[2,3]"),
                        ("const x = await Promise.resolve(4); return x * 2", "8"),
                        ("nothing.here", "ReferenceError"),
                        ("parent.document.title", "ReferenceError"),
                        ("localStorage.length", "ReferenceError"),
                        ("return fetch('/v1/models').then(() => 'reached', () => 'blocked')", "blocked"),
                        ("new Image().src = '/page/style.css'", "ReferenceError"),
                    ]
            )
            {
                await page.AskAsync($"CALL javascript {JsonSerializer.Serialize(new { code })}");
                await page.Answer.Locator("summary").ClickAsync();
                await ChatPage.ShowsAsync(page.Answer.GetByLabel("Result", new() { Exact = true }), result);
                await Expect(page.Page.Locator("iframe")).ToHaveCountAsync(0);
            }
        });

    [Fact]
    public Task JavaScript_that_does_not_end_is_ended_while_the_page_goes_on() =>
        chromium.UseAsync(async page =>
        {
            await page.SwitchOnAsync(Sandboxed);
            await page.BeginAsync("CALL javascript {\"code\": \"while (true);\"}");
            await Expect(page.Page.Locator("iframe")).ToHaveCountAsync(1);
            await page.Input.FillAsync("The page can be used meanwhile.");
            await Expect(page.Page.Locator("iframe")).ToHaveCountAsync(1);
            await Expect(page.Answer).ToContainTextAsync("it ran for five seconds", new() { Timeout = 10_000 });
            await Expect(page.Page.Locator("iframe")).ToHaveCountAsync(0);
        });

    [Fact]
    public Task The_person_types_the_result_of_a_tool_of_their_own() =>
        chromium.UseAsync(async page =>
        {
            await page.OpenSettingsAsync();
            await page.Settings.GetByText("A tool of your own").ClickAsync();
            await page.Settings.GetByLabel("Name").FillAsync("weather");
            await page.Settings.GetByLabel("Schema").FillAsync("{\"type\": ");
            await page.Button("Add the tool").ClickAsync();
            await ChatPage.ShowsAsync(page.Settings.GetByRole(AriaRole.Alert), "The schema should be JSON");
            await page.Settings.GetByLabel("Schema").FillAsync("{\"type\": \"object\"}");
            await page.Button("Add the tool").ClickAsync();
            await Expect(page.Settings.GetByRole(AriaRole.Checkbox, new() { Name = "weather" })).ToBeCheckedAsync();
            await page.Button("Done").ClickAsync();

            await page.BeginAsync("CALL weather {\"city\": \"Lisbon\"}");
            await page.Page.GetByLabel("Result of the call").FillAsync("sunny");
            await page.Button("Give the result").ClickAsync();
            await page.EndAsync();
            await ChatPage.ShowsAsync(page.Answer, "The tool said: sunny");
        });

    [Fact]
    public Task After_ten_rounds_of_calls_the_answer_ends() =>
        chromium.UseAsync(async page =>
        {
            int asked = 0;
            page.Page.Request += (_, request) => asked += request.Method == "POST" ? 1 : 0;
            await page.SwitchOnAsync("Clock");
            await page.ScriptAsync(
                ChatPage.Delta(
                    """
                    "tool_calls":[{"index":0,"id":"call_1","function":{"name":"clock","arguments":"{}"}}]
                    """,
                    "tool_calls"
                )
            );
            await page.AskAsync("What time is it?");
            await ChatPage.ShowsAsync(page.Answer.Locator(".error"), "10 rounds of calls");
            Assert.Equal(10, asked);
        });
}

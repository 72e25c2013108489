using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace GptOss.AspNetCore.Tests;

/// <summary>What no client library would send, byte by byte.</summary>
public sealed class SocketTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Trait("fault", "F7")]
    [Fact]
    public async Task A_body_that_says_that_it_is_too_large_is_refused_before_it_is_read()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using Socket socket = await RawHttp.ConnectAsync(host);
        var watch = Stopwatch.StartNew();
        await RawHttp.SendAsync(socket, RawHttp.Head("Content-Length: 16777217"));
        byte[] buffer = new byte[4096];
        string answer = Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, Stop));
        Assert.InRange(watch.ElapsedMilliseconds, 0, 1000);
        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
        Assert.Contains("request_too_large", answer, StringComparison.Ordinal);
        Assert.Contains("Connection: close", answer, StringComparison.Ordinal);
        // The web server waits a few seconds for the rest, so that the answer is not lost, and closes.
        Assert.Equal("", await RawHttp.ReadAsync(socket));
    }

    [Trait("fault", "F8")]
    [Fact]
    public async Task A_body_without_a_length_is_refused_where_it_becomes_too_large()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.MaxBodyBytes = 1 << 20);
        using Socket socket = await RawHttp.ConnectAsync(host);
        await RawHttp.SendAsync(socket, RawHttp.Head("Transfer-Encoding: chunked"));
        string chunk = $"10000\r\n{new string(' ', 0x10000)}\r\n";
        try
        {
            for (int i = 0; i < 20; i++)
                await RawHttp.SendAsync(socket, chunk);
        }
        catch (SocketException)
        {
            // Refused in the middle: what was answered can be read all the same.
        }
        Assert.StartsWith("HTTP/1.1 413", await RawHttp.ReadAsync(socket), StringComparison.Ordinal);
    }

    [Trait("fault", "F9")]
    [Fact]
    public async Task A_body_that_comes_too_slowly_is_given_up()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using Socket socket = await RawHttp.ConnectAsync(host);
        await RawHttp.SendAsync(socket, RawHttp.Head("Content-Length: 10") + "{\"a\":");
        string answer = await RawHttp.ReadAsync(socket);
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Empty(host.Script.Asked);
    }

    [Trait("fault", "F10")]
    [Fact]
    public async Task A_body_that_is_longer_than_it_says_is_no_json()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using Socket socket = await RawHttp.ConnectAsync(host);
        await RawHttp.SendAsync(socket, RawHttp.Head("Content-Length: 5", "Connection: close") + "{\"messages\":[]}");
        string answer = await RawHttp.ReadAsync(socket);
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains("invalid_json", answer, StringComparison.Ordinal);
    }

    [Trait("fault", "F12")]
    [Theory]
    [InlineData("header", "431")]
    [InlineData("headers", "431")]
    [InlineData("url", "414")]
    public async Task Endless_heads_are_refused(string what, string status)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using Socket socket = await RawHttp.ConnectAsync(host);
        string head =
            what == "header" ? $"GET /health HTTP/1.1\r\nHost: x\r\na: {new string('a', 1 << 20)}\r\n\r\n"
            : what == "headers"
                ? $"GET /health HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Repeat("a: b\r\n", 10_000))}\r\n"
            : $"GET /{new string('a', 1 << 20)} HTTP/1.1\r\nHost: x\r\n\r\n";
        try
        {
            await RawHttp.SendAsync(socket, head);
        }
        catch (SocketException)
        {
            // Closed in the middle.
        }
        Assert.StartsWith($"HTTP/1.1 {status}", await RawHttp.ReadAsync(socket), StringComparison.Ordinal);
    }

    [Trait("fault", "F17")]
    [Fact]
    public async Task A_hundred_requests_at_once_are_answered_in_their_order()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using Socket socket = await RawHttp.ConnectAsync(host);
        var all = new StringBuilder();
        for (int i = 0; i < 100; i++)
        {
            string body = TestHost.Question($"SAY number{i}.");
            all.Append(RawHttp.Head($"Content-Length: {body.Length}", i == 99 ? "Connection: close" : "a: b"))
                .Append(body);
        }
        await RawHttp.SendAsync(socket, all.ToString());
        string answers = await RawHttp.ReadAsync(socket);
        int at = 0;
        for (int i = 0; i < 100; i++)
        {
            at = answers.IndexOf($"\"number{i}.\"", at, StringComparison.Ordinal);
            Assert.True(at >= 0, $"no answer {i}");
        }
    }

    [Trait("fault", "F18")]
    [Fact]
    public async Task A_wrong_key_is_refused_before_the_body_is_asked_for()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.ApiKeys.Add("secret"));
        using Socket socket = await RawHttp.ConnectAsync(host);
        await RawHttp.SendAsync(
            socket,
            RawHttp.Head("Expect: 100-continue", "Content-Length: 1000", "x-api-key: wrong")
        );
        Assert.StartsWith("HTTP/1.1 401", await RawHttp.ReadAsync(socket), StringComparison.Ordinal);
    }

    [Trait("fault", "F19")]
    [Fact]
    public async Task Two_lengths_are_refused()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using Socket socket = await RawHttp.ConnectAsync(host);
        await RawHttp.SendAsync(socket, RawHttp.Head("Content-Length: 5", "Content-Length: 6") + "{\"a\":1}");
        Assert.StartsWith("HTTP/1.1 400", await RawHttp.ReadAsync(socket), StringComparison.Ordinal);
    }

    [Trait("fault", "F19")]
    [Theory]
    [InlineData("Content-Length: 6", "Transfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding: chunked", "Content-Length: 6")]
    public async Task A_length_beside_chunks_is_refused_and_the_connection_closed(string one, string other)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using Socket socket = await RawHttp.ConnectAsync(host);
        await RawHttp.SendAsync(
            socket,
            RawHttp.Head(one, other) + "0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        string answer = await RawHttp.ReadAsync(socket);
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Equal(0, answer.LastIndexOf("HTTP/1.1", StringComparison.Ordinal));
    }

    [Trait("fault", "F8")]
    [Theory]
    [InlineData("-1")]
    [InlineData("FFFFFFFFFFFFFFFFF")] // beyond 64 bits
    [InlineData("2\r\n{}XX\r\n0")] // longer than it says
    public async Task A_chunk_that_is_none_is_no_defect(string chunk)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using Socket socket = await RawHttp.ConnectAsync(host);
        await RawHttp.SendAsync(socket, RawHttp.Head("Transfer-Encoding: chunked") + chunk + "\r\n\r\n");
        string answer = await RawHttp.ReadAsync(socket);
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains("invalid_json", answer, StringComparison.Ordinal);
    }

    [Trait("fault", "F85")]
    [Trait("fault", "F89")]
    [Theory]
    [InlineData(SocketShutdown.Send)]
    [InlineData(SocketShutdown.Both)]
    public async Task A_client_that_closes_its_half_is_gone(SocketShutdown half)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using Socket socket = await RawHttp.ConnectAsync(host);
        string body = TestHost.Question("LONG 100000 5", ",\"stream\":true");
        await RawHttp.SendAsync(socket, RawHttp.Head($"Content-Length: {body.Length}") + body);
        await TestHost.UntilAsync(() => host.Script.Running == 1);
        socket.Shutdown(half);
        await TestHost.UntilAsync(() => host.Script.Running == 0);
    }

    [Trait("fault", "F86")]
    [Fact]
    public async Task A_reset_connection_is_gone()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        Socket socket = await RawHttp.ConnectAsync(host);
        string body = TestHost.Question("LONG 100000 5", ",\"stream\":true");
        await RawHttp.SendAsync(socket, RawHttp.Head($"Content-Length: {body.Length}") + body);
        await TestHost.UntilAsync(() => host.Script.Running == 1);
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
        await TestHost.UntilAsync(() => host.Script.Running == 0);
    }

    [Trait("fault", "F15")]
    [Fact]
    public async Task A_slow_reader_slows_itself_and_is_given_up()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.MaxFlush = TimeSpan.FromSeconds(1));
        using Socket slow = await RawHttp.ConnectAsync(host);
        string body = TestHost.Question("LONG 10000000", ",\"stream\":true");
        await RawHttp.SendAsync(slow, RawHttp.Head($"Content-Length: {body.Length}") + body);
        await TestHost.UntilAsync(() => host.Script.Running == 1);
        await Task.Delay(300, Stop);
        var watch = Stopwatch.StartNew();
        await host.AskAsync("LONG 100");
        Assert.InRange(watch.ElapsedMilliseconds, 0, 1000);
        await Task.Delay(1500, Stop);
        await TestHost.UntilAsync(() => host.Script.Running == 0);
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GptOss.AspNetCore.Tests;

/// <summary>Connections that do little, or much at once: what they cost the others.</summary>
public sealed class ConnectionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Trait("fault", "F13")]
    [Fact]
    public async Task A_head_that_comes_byte_by_byte_is_given_up()
    {
        await using TestHost host = await TestHost.ScriptedAsync(build: builder =>
            Limit(builder, limits => limits.RequestHeadersTimeout = TimeSpan.FromSeconds(1))
        );
        using Socket socket = await RawHttp.ConnectAsync(host);
        Task dripping = DripAsync(socket, RawHttp.Head("Content-Length: 2") + new string(' ', 1000), pieces: 1);
        Assert.StartsWith("HTTP/1.1 408", await RawHttp.ReadAsync(socket), StringComparison.Ordinal);
        await dripping;
        Assert.Empty(host.Script.Asked);
    }

    [Trait("fault", "F14")]
    [Fact]
    public async Task A_body_that_drips_is_given_up_and_holds_nobody_up()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.MaxBodies = 1);
        using Socket socket = await RawHttp.ConnectAsync(host);
        Task dripping = DripAsync(
            socket,
            RawHttp.Head("Content-Length: 100000") + new string(' ', 100_000),
            pieces: 10
        );
        Assert.StartsWith("HTTP/1.1 408", await RawHttp.ReadAsync(socket), StringComparison.Ordinal);
        await dripping;
        await host.AskAsync("SAY the only place for bodies is free again");
        Assert.Single(host.Script.Asked);
    }

    [Trait("fault", "F14")]
    [Fact]
    public async Task Large_bodies_that_drip_just_fast_enough_hold_up_large_ones_alone_and_not_for_ever()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
            (options.MaxBodies, options.MaxWait) = (1, TimeSpan.FromSeconds(1))
        );
        using Socket socket = await RawHttp.ConnectAsync(host);
        await RawHttp.SendAsync(socket, RawHttp.Head("Content-Length: 16000000") + new string(' ', 2_000_000));
        await Task.Delay(200, Stop);
        await host.AskAsync("SAY small bodies need no place");
        string large = TestHost.Question("SAY large ones wait\n" + new string('x', 2_000_000));
        using HttpResponseMessage refused = await host.PostAsync(large);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        socket.Close();
        using HttpResponseMessage taken = await host.PostAsync(large);
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
    }

    [Fact]
    public async Task A_client_that_does_not_read_what_is_stored_is_given_up()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options => options.MaxFlush = TimeSpan.FromSeconds(1));
        string body = $$"""{"metadata":{"a":"{{new string('x', 15 << 20)}}"},"input":"SAY hi"}""";
        using HttpResponseMessage stored = await host.PostAsync(body, "/v1/responses");
        string whole = await stored.Content.ReadAsStringAsync(Stop);
        string id = JsonElement.Parse(whole).GetProperty("id").GetString()!;
        using Socket slow = await RawHttp.ConnectAsync(host);
        await RawHttp.SendAsync(slow, $"GET /v1/responses/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await Task.Delay(2_500, Stop);
        // What the network holds comes, and then the end of the connection in the middle of the answer.
        Assert.InRange((await RawHttp.ReadAsync(slow)).Length, 1, whole.Length - 1);
        Assert.Equal(whole, await host.Client.GetStringAsync($"/v1/responses/{id}", Stop));
    }

    [Trait("fault", "F17")]
    [Fact]
    public async Task A_thousand_streams_of_one_connection_that_are_reset_leave_no_work()
    {
        await using TestHost host = await TestHost.ScriptedAsync(
            options => (options.MaxRunning, options.MaxQueued) = (8, 1000),
            builder =>
                builder.WebHost.ConfigureKestrel(kestrel =>
                    kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http2)
                )
        );
        host.Client.DefaultRequestVersion = HttpVersion.Version20;
        host.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        for (int round = 0; round < 10; round++)
        {
            using var reset = new CancellationTokenSource();
            Task[] streams = [.. Enumerable.Range(0, 100).Select(_ => AskAsync(host, "LONG 100000 5", reset.Token))];
            await TestHost.UntilAsync(() => host.Script.Running > 0);
            await reset.CancelAsync();
            foreach (Task stream in streams)
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream);
        }
        await TestHost.UntilAsync(() => host.Script.Running == 0);
        Assert.Contains("still here", await AskAsync(host, "SAY still here", Stop), StringComparison.Ordinal);
    }

    [Trait("fault", "F20")]
    [Fact]
    public async Task A_page_that_asks_whether_it_may_is_not_told_yes()
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/v1/chat/completions");
        preflight.Headers.Add("Origin", "http://evil.example");
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        using HttpResponseMessage answer = await host.Client.SendAsync(preflight, Stop);
        Assert.False(answer.IsSuccessStatusCode);
        Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control"));
    }

    private static void Limit(WebApplicationBuilder builder, Action<KestrelServerLimits> limit) =>
        builder.WebHost.ConfigureKestrel(kestrel => limit(kestrel.Limits));

    private static async Task<string> AskAsync(TestHost host, string text, CancellationToken cancellation)
    {
        using var body = new StringContent(TestHost.Question(text), null, "application/json");
        using HttpResponseMessage response = await host.Client.PostAsync("/v1/chat/completions", body, cancellation);
        return await response.Content.ReadAsStringAsync(cancellation);
    }

    /// <summary>Sends a few bytes every tenth of a second until the server has enough of it.</summary>
    private static async Task DripAsync(Socket socket, string text, int pieces)
    {
        try
        {
            // The head of a request with a body comes at once: only what is tried here drips.
            int head = pieces > 1 ? text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4 : 1;
            await RawHttp.SendAsync(socket, text[..head]);
            for (int at = head; at + pieces <= text.Length; at += pieces)
            {
                await RawHttp.SendAsync(socket, text.Substring(at, pieces));
                await Task.Delay(100, Stop);
            }
        }
        catch (SocketException)
        {
            // Closed by the server.
        }
    }
}

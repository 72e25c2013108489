using System.Net;
using System.Text;
using System.Text.Json;
using GptOss.Samples.Cluster;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Tests;

/// <summary>The sample with one address for several nodes: each request reaches the node that should have it.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private readonly List<TestHost> _nodes = [];
    private TestHost _balancer = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        for (int i = 0; i < 2; i++)
        {
            int number = i;
            _nodes.Add(await TestHost.ScriptedAsync(options => options.Node = number));
        }
        _balancer = await BalanceAsync(_nodes[0].Address, _nodes[1].Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _balancer.DisposeAsync();
        foreach (TestHost node in _nodes)
            await node.DisposeAsync();
    }

    [Theory] // F113
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_request_that_builds_on_a_stored_answer_reaches_the_node_that_has_it(int number)
    {
        string id = (await ResponseAsync(_nodes[number], """{"input":"first"}""")).GetProperty("id").GetString()!;
        Assert.StartsWith($"resp_{number:x2}", id, StringComparison.Ordinal);
        string digits = id["resp_".Length..];

        // Whatever else a request has in common with others is of no weight.
        for (int i = 0; i < 4; i++)
        {
            string more = $"\"prompt_cache_key\":\"k{i}\",\"input\"";
            await ResponseAsync(_balancer, $$"""{"previous_response_id":"{{id}}",{{more}}:"second {{i}}"}""");
            await ResponseAsync(
                _balancer,
                $$$"""{{{{more}}}:[{"type":"item_reference","id":"rs_{{{digits}}}"},{"role":"user","content":"third"}]}"""
            );
        }
        Assert.Equal(9, _nodes[number].Script.Asked.Count);
        Assert.Empty(_nodes[1 - number].Script.Asked);
        Assert.Contains(
            "\"first\"",
            await _balancer.Client.GetStringAsync($"/v1/responses/{id}/input_items", Stop),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task An_answer_that_no_node_has_is_unknown()
    {
        string body = $$"""{"previous_response_id":"resp_{{new string('f', 32)}}","input":"x"}""";
        using HttpResponseMessage answer = await _balancer.PostAsync(body, "/v1/responses");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(
            "previous_response_not_found",
            await answer.Content.ReadAsStringAsync(Stop),
            StringComparison.Ordinal
        );
    }

    /// <summary>Each case has a member that is the same in all requests, and others that differ.</summary>
    [Theory]
    [InlineData("/v1/responses", """{"prompt_cache_key":"KEY","user":"i","input":"i"}""", "x-session-id: i")]
    [InlineData(
        "/v1/chat/completions",
        """{"user":"i","messages":[{"role":"user","content":"i"}]}""",
        "x-session-id: KEY"
    )]
    [InlineData("/v1/messages", """{"messages":[{"role":"user","content":"i"}]}""", "x-claude-code-session-id: KEY")]
    [InlineData("/v1/chat/completions", """{"user":"KEY","messages":[{"role":"user","content":"i"}]}""", null)]
    [InlineData("/v1/responses", """{"instructions":"KEY","temperature":0.i,"input":"x"}""", null)]
    [InlineData("/v1/responses", """{"input":"KEY","temperature":0.i}""", null)]
    [InlineData(
        "/v1/messages",
        """{"system":"KEY","messages":[{"role":"user","content":"x"},{"role":"user","content":"i"}]}""",
        null
    )]
    [InlineData(
        "/v1/chat/completions",
        """{"tools":[{"type":"function","function":{"name":"KEY"}}],"messages":[{"role":"user","content":"x"}],"seed":i}""",
        null
    )]
    [InlineData(
        "/v1/chat/completions",
        """{"messages":[{"role":"system","content":"x"},{"role":"user","content":"KEY"},{"role":"user","content":"i"}]}""",
        null
    )]
    public async Task A_conversation_stays_on_one_node_and_conversations_share_the_nodes(
        string path,
        string body,
        string? header
    )
    {
        var all = new HashSet<int>();
        for (int key = 0; key < 16; key++)
        {
            var nodes = new HashSet<int>();
            for (int i = 0; i < 3; i++)
            {
                string Of(string text) =>
                    text.Replace("KEY", $"key{key}", StringComparison.Ordinal)
                        .Replace(":i}", $":{i}}}", StringComparison.Ordinal)
                        .Replace("\"i\"", $"\"{i}\"", StringComparison.Ordinal)
                        .Replace("0.i", $"0.{i}", StringComparison.Ordinal)
                        .Replace(": i", $": {i}", StringComparison.Ordinal);
                int before = _nodes[1].Script.Asked.Count;
                await SendAsync(path, Of(body), header is null ? null : Of(header));
                nodes.Add(_nodes[1].Script.Asked.Count - before);
            }
            all.Add(Assert.Single(nodes));
        }
        Assert.Equal(2, all.Count); // by chance all 16 keys are of one node once in 32,768 times, and then always
    }

    [Fact]
    public async Task A_node_that_is_much_busier_than_the_others_is_passed_over()
    {
        const string Key = ",\"prompt_cache_key\":\"one\"";
        using var gone = new CancellationTokenSource();
        int Running(int node) => _nodes[node].Script.Running;
        var waiting = new List<Task>();
        for (int i = 0; i < 3; i++)
        {
            using var request = Chat(TestHost.Question("SLEEP 60000", Key));
            waiting.Add(_balancer.Client.SendAsync(request, gone.Token));
            await TestHost.UntilAsync(() => Running(0) + Running(1) == waiting.Count);
        }
        int busy = Running(0) == 3 ? 0 : 1;
        Assert.Equal(3, Running(busy));

        await _balancer.AskAsync("x", Key);
        Assert.Single(_nodes[1 - busy].Script.Asked);

        // Who goes ends the requests on the node, which is free for its conversations again.
        await gone.CancelAsync();
        await TestHost.UntilAsync(() => Running(busy) == 0);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(waiting));
        await _balancer.AskAsync("x", Key);
        Assert.Equal(4, _nodes[busy].Script.Asked.Count);
    }

    [Fact]
    public async Task A_stream_comes_through_as_it_is_made()
    {
        using HttpResponseMessage response = await _balancer.PostAsync(
            TestHost.Question("SAY early\nSLEEP 60000", ",\"stream\":true"),
            HttpCompletionOption.ResponseHeadersRead
        );
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Stop));
        while (await reader.ReadLineAsync(Stop).AsTask().WaitAsync(TimeSpan.FromSeconds(20), Stop) is { } line)
        {
            if (line.Contains("early", StringComparison.Ordinal))
                return;
        }
        Assert.Fail("The stream ended before its first word.");
    }

    [Fact]
    public async Task What_one_node_refuses_or_cannot_be_asked_is_tried_on_the_next()
    {
        int refused = 0;
        await using TestHost full = await StubAsync(http =>
        {
            refused++;
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            http.Response.Headers.RetryAfter = "7";
            return http.Response.WriteAsync("full");
        });
        TestHost gone = await StubAsync(_ => Task.CompletedTask);
        await gone.DisposeAsync();
        foreach (Uri other in (Uri[])[full.Address, gone.Address])
        {
            await using TestHost balancer = await BalanceAsync(other, _nodes[1].Address);
            for (int i = 0; i < 12; i++)
                Assert.Contains($"{i}", $"{await balancer.AskAsync($"SAY {i}")}", StringComparison.Ordinal);
        }
        Assert.Equal(24, _nodes[1].Script.Asked.Count);
        Assert.InRange(refused, 1, 11);

        // Where all refuse, the client is told when to come again; a refusal that names its node is not tried twice.
        refused = 0;
        await using TestHost twice = await BalanceAsync(full.Address, full.Address);
        foreach (
            (string body, int tries) in ((string, int)[])
                [(TestHost.Question("x"), 2), ($$"""{"previous_response_id":"resp_01{{new string('a', 30)}}"}""", 3)]
        )
        {
            using HttpResponseMessage answer = await twice.PostAsync(body);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Equal("full", await answer.Content.ReadAsStringAsync(Stop));
            Assert.Equal(7, answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
            Assert.Equal(tries, refused);
        }
    }

    [Fact]
    public async Task A_node_that_says_it_is_not_well_is_left_alone()
    {
        int asked = 0;
        await using TestHost ill = await StubAsync(
            http =>
            {
                asked++;
                return http.Response.WriteAsync("{}");
            },
            StatusCodes.Status503ServiceUnavailable
        );
        await using TestHost balancer = await BalanceAsync(ill.Address, _nodes[1].Address);
        await WithinAsync(TimeSpan.FromSeconds(20), async () =>
        {
            int before = asked;
            for (int i = 0; i < 12; i++)
                using (await balancer.PostAsync(TestHost.Question($"{i}"))) { }
            return asked == before;
        });
    }

    [Fact]
    public async Task A_page_of_the_balancer_may_ask_and_one_of_elsewhere_may_not()
    {
        foreach (
            (string origin, HttpStatusCode status) in ((string, HttpStatusCode)[])
                [
                    (_balancer.Address.GetLeftPart(UriPartial.Authority), HttpStatusCode.OK),
                    ("http://evil.example", HttpStatusCode.Forbidden),
                ]
        )
        {
            using HttpRequestMessage request = Chat(TestHost.Question("x"));
            request.Headers.Add("Origin", origin);
            using HttpResponseMessage answer = await _balancer.Client.SendAsync(request, Stop);
            Assert.Equal(status, answer.StatusCode);
        }
    }

    private static Task<TestHost> BalanceAsync(params Uri[] nodes) =>
        TestHost.StartAsync(
            builder => builder.AddBalancer([.. nodes.Select(node => node.ToString())]),
            app => app.MapBalancer()
        );

    /// <summary>A node that answers everything in one way, and says that it is well or not.</summary>
    private static Task<TestHost> StubAsync(RequestDelegate answer, int health = StatusCodes.Status200OK) =>
        TestHost.StartAsync(
            _ => { },
            app =>
            {
                app.MapGet("/health", () => Results.StatusCode(health));
                app.MapFallback(answer);
            }
        );

    private static async Task WithinAsync(TimeSpan limit, Func<Task<bool>> holds)
    {
        DateTime end = DateTime.UtcNow + limit;
        while (!await holds())
            Assert.True(DateTime.UtcNow < end);
    }

    private static HttpRequestMessage Chat(string body, string path = "/v1/chat/completions") =>
        new(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    private async Task SendAsync(string path, string body, string? header)
    {
        using HttpRequestMessage request = Chat(body, path);
        if (header?.Split(": ") is [string name, string value])
            request.Headers.Add(name, value);
        using HttpResponseMessage answer = await _balancer.Client.SendAsync(request, Stop);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    private static async Task<JsonElement> ResponseAsync(TestHost host, string body)
    {
        using HttpResponseMessage answer = await host.PostAsync(body, "/v1/responses");
        string text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonElement.Parse(text);
    }
}

using System.Diagnostics;
using System.Net;

namespace GptOss.AspNetCore.Tests;

/// <summary>What a client hears while nothing happens, and what a fault looks like before and behind that.</summary>
public sealed class HeartbeatTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_silent_stream_shows_signs_of_life()
    {
        await using TestHost host = await TestHost.ScriptedAsync(Quick);
        using HttpResponseMessage response = await host.PostAsync(
            TestHost.Question("SLEEP 600\nSAY hi", ",\"stream\":true")
        );
        string body = await response.Content.ReadAsStringAsync(Stop);
        Assert.InRange(body.Split("\n\n").Count(frame => frame == ": ping"), 3, 6);
        Assert.EndsWith("data: [DONE]\n\n", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SAY hi\nPONDER 60 10\nSAY ho", ",\"include_reasoning\":false")]
    [InlineData("PONDER 60 10\nSAY ho", ",\"include_reasoning\":false")]
    public async Task What_the_client_does_not_see_is_no_sign_of_life(string question, string more)
    {
        await using TestHost host = await TestHost.ScriptedAsync(Quick);
        using HttpResponseMessage response = await host.PostAsync(
            TestHost.Question(question, more + ",\"stream\":true")
        );
        string body = await response.Content.ReadAsStringAsync(Stop);
        Assert.InRange(body.Split("\n\n").Count(frame => frame == ": ping"), 3, 6);
        Assert.Contains("ho", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_sends_its_status_when_its_patience_is_over()
    {
        await using TestHost host = await TestHost.ScriptedAsync(Quick);
        var watch = Stopwatch.StartNew();
        using HttpResponseMessage response = await host.PostAsync(
            TestHost.Question("SLEEP 3000\nSAY hi", ",\"stream\":true"),
            HttpCompletionOption.ResponseHeadersRead
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.InRange(watch.ElapsedMilliseconds, 90, 2500);
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        Assert.Equal("no", response.Headers.GetValues("X-Accel-Buffering").Single());
    }

    [Theory]
    [InlineData(",\"stream\":true")]
    [InlineData("")]
    public async Task A_fault_within_the_patience_has_a_status_of_its_own(string more)
    {
        await using TestHost host = await TestHost.ScriptedAsync();
        using HttpResponseMessage response = await host.PostAsync(TestHost.Question("SLEEP 50\nFAIL", more));
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        string body = await response.Content.ReadAsStringAsync(Stop);
        Assert.Contains("internal_error", body, StringComparison.Ordinal);
        Assert.DoesNotContain("The script says so", body, StringComparison.Ordinal);
        Assert.Contains(response.Headers.GetValues("x-request-id").Single(), body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SLEEP 300\nFAIL")]
    [InlineData("SAY hi\nFAIL")]
    public async Task A_later_fault_of_a_stream_is_its_last_event(string question)
    {
        await using TestHost host = await TestHost.ScriptedAsync(Quick);
        List<string> data = await host.StreamAsync(question);
        Assert.StartsWith("{\"error\":{\"message\":", data[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", data);
    }

    [Fact]
    public async Task A_whole_answer_that_takes_long_comes_behind_ends_of_lines()
    {
        await using TestHost host = await TestHost.ScriptedAsync(Quick);
        using HttpResponseMessage response = await host.PostAsync(TestHost.Question("LONG 6 100"));
        string body = await response.Content.ReadAsStringAsync(Stop);
        int lines = body.Length - body.TrimStart('\n').Length;
        Assert.InRange(lines, 3, 7);
        Assert.Contains("\"content\":\"word0 word1 word2 word3 word4 word5 \"", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_later_fault_of_a_whole_answer_breaks_the_connection()
    {
        await using TestHost host = await TestHost.ScriptedAsync(Quick);
        await Assert.ThrowsAsync<HttpRequestException>(() => host.PostAsync(TestHost.Question("SLEEP 300\nFAIL")));
        await host.AskAsync("and on");
    }

    [Trait("fault", "F96")]
    [Fact]
    public async Task An_answer_that_takes_longer_than_a_request_may_is_ended()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
            options.MaxTime = TimeSpan.FromMilliseconds(300)
        );
        List<string> data = await host.StreamAsync("LONG 1000 20");
        Assert.Contains("request_timeout", data[^1], StringComparison.Ordinal);
        await TestHost.UntilAsync(() => host.Script.Running == 0);
    }

    private static void Quick(GptOssServerOptions options)
    {
        options.Heartbeat = TimeSpan.FromMilliseconds(100);
        options.StreamPatience = TimeSpan.FromMilliseconds(100);
        options.WholePatience = TimeSpan.FromMilliseconds(100);
    }
}

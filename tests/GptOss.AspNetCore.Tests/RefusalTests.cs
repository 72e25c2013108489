using System.Diagnostics;
using System.Net;
using GptOss.AspNetCore.Admission;

namespace GptOss.AspNetCore.Tests;

/// <summary>Who is refused because the server is full, and how soon.</summary>
public sealed class RefusalTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Some_run_some_wait_and_the_rest_is_refused_at_once()
    {
        await using TestHost host = await TestHost.ScriptedAsync(options =>
            (options.MaxRunning, options.MaxQueued) = (1, 1)
        );
        Task<HttpResponseMessage> first = host.PostAsync(TestHost.Question("SLEEP 1000\nSAY 1"));
        await TestHost.UntilAsync(() => host.Script.Running == 1);
        Task<HttpResponseMessage> second = host.PostAsync(TestHost.Question("SAY 2"));
        await Task.Delay(200, Stop);
        var watch = Stopwatch.StartNew();
        using HttpResponseMessage third = await host.PostAsync(TestHost.Question("SAY 3"));
        Assert.InRange(watch.ElapsedMilliseconds, 0, 500);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, third.StatusCode);
        Assert.InRange(third.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.Contains("overloaded", await third.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        // Nothing of a request is read for its refusal.
        using HttpResponseMessage fourth = await host.PostAsync("no JSON");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, fourth.StatusCode);
        Assert.Equal(1, host.Script.Running);
        Assert.True((await first).IsSuccessStatusCode);
        Assert.True((await second).IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_full_queue_of_the_model_refuses_before_a_request_is_read()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { MaxRunning = 1, MaxQueuedRequests = 1 },
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var model = (GptOssModel)client.GetService(typeof(GptOssModel))!;
        Task[] taken = [GenerateAsync(), GenerateAsync()];
        await TestHost.UntilAsync(() => model.IsBusy);
        using HttpResponseMessage refused = await host.PostAsync("no JSON");
        await done.CancelAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(taken));
        Assert.False(model.IsBusy);

        async Task GenerateAsync()
        {
            await foreach (int _ in model.Generate([1, 2, 3], stopTokens: [], cancellationToken: done.Token)) { }
        }
    }

    [Trait("fault", "F91")]
    [Fact]
    public void A_crowd_is_refused_at_once_and_one_that_asks_again_and_again_at_a_pace()
    {
        var clock = new SetClock();
        var pace = new RefusalPace(clock);
        Assert.Equal(256, Enumerable.Range(0, 256).Count(_ => pace.Next() == TimeSpan.Zero));
        TimeSpan[] next = [.. Enumerable.Range(0, 1000).Select(_ => pace.Next())];
        Assert.Equal(next.Order(), next);
        Assert.Equal(TimeSpan.FromMilliseconds(500), next[50]);
        Assert.Equal(TimeSpan.FromSeconds(1), next[^1]);
        clock.Now += TimeSpan.FromSeconds(1);
        Assert.Equal(TimeSpan.Zero, pace.Next());
        clock.Now += TimeSpan.FromSeconds(4);
        Assert.Equal(256, Enumerable.Range(0, 256).Count(_ => pace.Next() == TimeSpan.Zero));
    }
}

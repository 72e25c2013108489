using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;

namespace GptOss.AspNetCore.Tests.Load;

/// <summary>
/// A server that is asked all that this folder asks, for an hour: its memory does not grow. The suite runs four
/// seconds of it; <c>GPTOSS_SOAK_SECONDS</c> says how many otherwise.
/// </summary>
[Collection(nameof(Alone))]
[Trait("kind", "long")]
[Promise(26)]
[Promise(18)]
public sealed class SoakTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static TimeSpan Length =>
        TimeSpan.FromSeconds(
            Environment.GetEnvironmentVariable("GPTOSS_SOAK_SECONDS") is { } seconds
                ? double.Parse(seconds, CultureInfo.InvariantCulture)
            : Long.IsLong ? 3600
            : 4
        );

    [Fact]
    public async Task An_hour_of_everything_leaves_no_memory_behind()
    {
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { ContextLength = 512 },
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client);
        using var thrown = new Thrown();
        var watch = Stopwatch.StartNew();
        // Caches fill at first, and the runtime compiles: what counts is what comes after a fifth of the time.
        int asked = await AskAsync(host, seed: 0, Length / 5);
        (long heap, long set, int handles) = (Figures.Heap(), Environment.WorkingSet, Figures.Handles());
        asked = await AskAsync(host, asked, Length - watch.Elapsed);
        (long heapNow, long setNow, int handlesNow) = (Figures.Heap(), Environment.WorkingSet, Figures.Handles());
        Figure.Tell(
            $"{watch.Elapsed.TotalSeconds:0} s, {asked} requests: heap {(heapNow - heap) / 1e6:+0.0;-0.0} MB to "
                + $"{heapNow / 1e6:0.0} MB, resident {(setNow - set) / 1e6:+0.0;-0.0} MB, handles "
                + $"{handlesNow - handles:+0;-0;0}"
        );
        Figure.Tell(thrown.ToString());
        Assert.True(!thrown.Unexpected.Any(), string.Join("\n\n", thrown.Unexpected));
        Assert.InRange(handlesNow - handles, -1000, 5);
        Assert.InRange(heapNow - heap, long.MinValue, 16_000_000);
        Assert.Equal(0, Figures.UsedPages());
        await host.AskAsync("What is 345 + 678?");
    }

    /// <summary>Two clients at once; each of their requests is damaged, broken off or right. Returns the next
    /// seed.</summary>
    private static async Task<int> AskAsync(TestHost host, int seed, TimeSpan length)
    {
        var watch = Stopwatch.StartNew();
        int next = seed;
        await Task.WhenAll(
            Enumerable
                .Range(0, 2)
                .Select(async _ =>
                {
                    while (watch.Elapsed < length)
                        await AskOnceAsync(host, Interlocked.Increment(ref next));
                })
        );
        return next;
    }

    private static async Task AskOnceAsync(TestHost host, int seed)
    {
        (string path, byte[] body) =
            seed % 4 == 0
                ? ("/v1/chat/completions", System.Text.Encoding.UTF8.GetBytes(TestHost.Question($"Count from {seed}.")))
                : BodyInput.DrawRequest(new Random(seed));
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        if (seed % 8 == 0)
            gone.CancelAfter(seed % 50);
        try
        {
            using HttpResponseMessage response = await host.Client.PostAsync(path, content, gone.Token);
            Assert.NotEqual(500, (int)response.StatusCode);
        }
        catch (OperationCanceledException) when (!Stop.IsCancellationRequested && gone.IsCancellationRequested)
        {
            // This client has gone.
        }
    }
}

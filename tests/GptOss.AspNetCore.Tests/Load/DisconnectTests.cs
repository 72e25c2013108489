using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace GptOss.AspNetCore.Tests.Load;

/// <summary>
/// Clients that go at any moment leave nothing behind. The suite lets the first sixty of a thousand go.
/// </summary>
[Collection(nameof(Alone))]
[Trait("kind", "long")]
[Promise(26)]
public sealed class DisconnectTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Trait("fault", "F92")]
    [Fact]
    public async Task Clients_that_go_leave_neither_requests_nor_pages_nor_handles_nor_memory()
    {
        int count = Long.IsLong ? 1_000 : 60;
        await using GptOssChatClient client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            cancellationToken: Stop
        );
        await using TestHost host = await TestHost.OverAsync(client);
        var server = host.App.Services.GetRequiredService<ServerCore>();
        var random = new Random(1);
        string readLong = string.Concat(Enumerable.Repeat("one two three ", 1_000));
        var stops = new List<double>();
        // What a server makes at its first requests stays.
        for (int i = 0; i < 20; i++)
            await GoAsync(i);
        (long heap, int handles) = (Figures.Heap(), Figures.Handles());
        stops.Clear();
        for (int i = 0; i < count; i++)
            await GoAsync(i);
        // The web server closes its end of a connection a moment later.
        await TestHost.UntilAsync(() => Figures.Handles() <= handles + 5);
        (long heapNow, int handlesNow) = (Figures.Heap(), Figures.Handles());
        Figure.Tell(
            $"{count} disconnects: {stops.Count} while running, ended in {Figures.Percentile(stops, 0.5):0.0} ms (50 %), "
                + $"{Figures.Percentile(stops, 0.99):0.0} ms (99 %); heap {(heapNow - heap) / 1e6:+0.0;-0.0} MB, "
                + $"handles {handlesNow - handles:+0;-0;0}"
        );
        Assert.Equal(0, Figures.UsedPages());
        // Prompts and answers that are remembered: far less than what the requests would hold.
        Assert.InRange(heapNow - heap, long.MinValue, 16_000_000);
        await host.AskAsync("What is 345 + 678?");

        async Task GoAsync(int i)
        {
            string question = i % 3 == 0 ? readLong + i : "Count to 10000.",
                body = TestHost.Question(question, (i & 1) == 0 ? ",\"stream\":true" : "");
            using (Socket socket = await RawHttp.ConnectAsync(host))
            {
                await RawHttp.SendAsync(socket, RawHttp.Head($"Content-Length: {body.Length}") + body);
                await Task.Delay(random.Next(30), Stop);
                if (i % 5 == 0)
                    socket.LingerState = new LingerOption(true, 0);
            }
            bool wasRunning = server.Drain.Running > 0;
            var watch = Stopwatch.StartNew();
            while (server.Drain.Running > 0)
            {
                Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"the request {i} goes on");
                await Task.Delay(1, Stop);
            }
            if (wasRunning)
                stops.Add(watch.Elapsed.TotalMilliseconds);
        }
    }

    [Trait("fault", "F110")]
    [Fact]
    public async Task Stored_responses_of_a_megabyte_take_no_more_than_their_limit()
    {
        int count = Long.IsLong ? 3_000 : 120;
        await using TestHost host = await TestHost.ScriptedAsync(options =>
        {
            if (!Long.IsLong)
                options.MaxStoredBytes = 16 << 20;
        });
        var server = host.App.Services.GetRequiredService<ServerCore>();
        long limit = server.Options.MaxStoredBytes;
        string input = new('x', 1 << 20);
        // Until the store is full and the pools of buffers, the client's among them, have what they keep.
        int first = 2 * (int)(limit >> 20);
        for (int i = 0; i < first; i++)
            await StoreAsync();
        long heap = Figures.Heap();
        for (int i = first; i < count; i++)
            await StoreAsync();
        long grown = Figures.Heap() - heap;
        Figure.Tell(
            $"{count} stored responses of 1 MB: {server.Store.Count} kept, {server.Store.Bytes / 1e6:0.0} MB; heap "
                + $"{grown / 1e6:+0.0;-0.0} MB since {first} of them"
        );
        Assert.InRange(server.Store.Bytes, limit / 2, limit);
        // What is not given back would be a megabyte for each.
        Assert.InRange(grown, long.MinValue, (long)(count - first) << 19);

        async Task StoreAsync()
        {
            using HttpResponseMessage response = await host.PostAsync(
                $"{{\"input\":\"SAY hi\\n{input}\"}}",
                "/v1/responses"
            );
            Assert.True(response.IsSuccessStatusCode);
            while (host.Script.Asked.Count > 1)
                host.Script.Asked.TryDequeue(out _);
        }
    }
}

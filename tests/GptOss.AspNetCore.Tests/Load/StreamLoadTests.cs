using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace GptOss.AspNetCore.Tests.Load;

/// <summary>Many streams at once: who is taken is answered right, and who is not is told at once.</summary>
[Collection(nameof(Alone))]
[Promise(26)]
public sealed class StreamLoadTests : IAsyncLifetime
{
    private const int Streams = 200;

    private static readonly string[] Questions =
    [
        .. Enumerable.Range(0, 10).Select(i => $"What is {100 + i} + {7 * i}?"),
    ];

    private readonly string[] _right = new string[Questions.Length];
    private GptOssChatClient _client = null!;
    private TestHost _host = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _client = await GptOssChatClient.LoadAsync(
            TinyGptOss.Folder,
            new ModelOptions { MaxRunning = 4, MaxQueuedRequests = 64 },
            cancellationToken: Stop
        );
        _host = await TestHost.OverAsync(_client);
        for (int i = 0; i < Questions.Length; i++)
        {
            ChatResponse alone = await _client.GetResponseAsync(
                Questions[i],
                new ChatOptions { Temperature = 0, MaxOutputTokens = 30 },
                Stop
            );
            _right[i] = alone.Text;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _client.DisposeAsync();
    }

    [Trait("fault", "F90")]
    [Fact]
    public async Task Of_two_hundred_streams_those_that_are_taken_are_right_and_the_others_are_told_at_once()
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task<List<double>> health = WatchHealthAsync(done.Token);
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, Streams).Select(AskAsync));
        await done.CancelAsync();
        List<double> waits = await health;
        Answer[] taken = [.. answers.Where(answer => answer.IsTaken)],
            refused = [.. answers.Where(answer => !answer.IsTaken)];
        double[] first = [.. taken.Select(answer => answer.First)];
        Figure.Tell(
            $"{Streams} streams: {taken.Length} answered, {refused.Length} refused in "
                + $"{Figures.Percentile(refused.Select(answer => answer.Took), 0.99):0} ms (99 %), status after "
                + $"{Figures.Percentile(first, 0.5):0} ms (50 %) and {Figures.Percentile(first, 1):0} ms (all); "
                + $"{waits.Count} looks at the health in {Figures.Percentile(waits, 0.99):0} ms (99 %); "
                + $"{Environment.WorkingSet >> 20} MB"
        );
        Assert.InRange(taken.Length, 64, Streams);
        Assert.All(taken, answer => Assert.Equal(_right[answer.Question], answer.Text));
        Assert.NotEmpty(waits);
    }

    [Trait("fault", "F91")]
    [Fact]
    public async Task Clients_that_ask_again_at_once_are_all_answered()
    {
        int clients = Long.IsLong ? Streams : 80,
            refused = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(
            Enumerable
                .Range(0, clients)
                .Select(async i =>
                {
                    Answer answer = await AskAsync(i);
                    while (!answer.IsTaken)
                    {
                        Interlocked.Increment(ref refused);
                        answer = await AskAsync(i);
                    }
                    Assert.Equal(_right[answer.Question], answer.Text);
                })
        );
        Figure.Tell(
            $"{clients} clients that ask again at once: {refused} refusals until all were answered, after "
                + $"{watch.Elapsed.TotalSeconds:0.0} s"
        );
    }

    private async Task<Answer> AskAsync(int i)
    {
        int question = i % Questions.Length;
        var watch = Stopwatch.StartNew();
        using HttpResponseMessage response = await _host.PostAsync(
            TestHost.Question(Questions[question], ",\"stream\":true,\"temperature\":0,\"max_tokens\":30"),
            HttpCompletionOption.ResponseHeadersRead
        );
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            Assert.NotNull(response.Headers.RetryAfter);
            return new Answer(question, false, "", 0, watch.Elapsed.TotalMilliseconds);
        }
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        double first = watch.Elapsed.TotalMilliseconds;
        List<string> data = TestHost.DataOf(await response.Content.ReadAsStringAsync(Stop));
        Assert.Equal("[DONE]", data[^1]);
        IEnumerable<string> text = data.SkipLast(1)
            .Select(line => JsonElement.Parse(line).GetProperty("choices")[0].GetProperty("delta"))
            .Select(delta => delta.TryGetProperty("content", out JsonElement piece) ? piece.GetString()! : "");
        return new Answer(question, true, string.Concat(text), first, watch.Elapsed.TotalMilliseconds);
    }

    private async Task<List<double>> WatchHealthAsync(CancellationToken done)
    {
        var waits = new List<double>();
        while (!done.IsCancellationRequested)
        {
            var watch = Stopwatch.StartNew();
            using HttpResponseMessage health = await _host.Client.GetAsync("/health", Stop);
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
            waits.Add(watch.Elapsed.TotalMilliseconds);
            await Task.Delay(5, Stop);
        }
        return waits;
    }

    private sealed record Answer(int Question, bool IsTaken, string Text, double First, double Took);
}

using System.Diagnostics;
using System.Net;
using System.Text;

namespace GptOss.AspNetCore.Tests.Load;

/// <summary>Many requests at once that are dear to read, and what becomes of others beside them.</summary>
[Collection(nameof(Alone))]
[Promise(26)]
public sealed class ReadingFloodTests : IAsyncLifetime
{
    private const int Dear = 100;
    private const string One = "one key",
        Other = "another key";

    private GptOssChatClient _client = null!;
    private TestHost _host = null!;
    private int _refused;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _client = await GptOssChatClient.LoadAsync(TinyGptOss.Folder, cancellationToken: Stop);
        _host = await TestHost.OverAsync(_client, options =>
        {
            options.ApiKeys.Add(One);
            options.ApiKeys.Add(Other);
        });
        (HttpStatusCode status, double _) = await AskAsync(Other, Plain);
        Assert.Equal(HttpStatusCode.OK, status);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _client.DisposeAsync();
    }

    [Trait("speed", "slow")]
    [Fact]
    public async Task Schemas_that_are_refused_late_hold_up_neither_the_health_nor_another_key()
    {
        (HttpStatusCode status, double one) = await AskAsync(One, Refused(-1));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task flood = Task.WhenAll(Enumerable.Range(0, Dear).Select(FloodAsync));
        await TestHost.UntilAsync(() => Volatile.Read(ref _refused) > 0);
        Task<List<double>> health = WatchHealthAsync(done.Token);
        Task<(HttpStatusCode Status, double Took)> same = AskAsync(One, Plain);
        (HttpStatusCode otherStatus, double other) = await AskAsync(Other, Plain);
        int before = Volatile.Read(ref _refused);
        (HttpStatusCode sameStatus, double took) = await same;
        int beforeSame = Volatile.Read(ref _refused);
        await flood;
        await done.CancelAsync();
        List<double> looks = await health;
        Figure.Tell(
            $"{Dear} schemas that are refused after {one:0} ms each: health in {Figures.Percentile(looks, 0.5):0} ms "
                + $"(50 %), {looks.Max():0} ms (all); a chat of another key in {other:0} ms, behind {before} of them; "
                + $"one of the same key in {took:0} ms, behind {beforeSame}"
        );
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK], [otherStatus, sameStatus]);
        Assert.NotEmpty(looks);
        Assert.InRange(looks.Max(), 0, 1000);
        Assert.InRange(before, 1, Dear / 5); // those read before it came, and the one or two that it waited for
    }

    private async Task FloodAsync(int number)
    {
        (HttpStatusCode status, double _) = await AskAsync(One, Refused(number));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Interlocked.Increment(ref _refused);
    }

    private async Task<List<double>> WatchHealthAsync(CancellationToken done)
    {
        List<double> took = [];
        while (!done.IsCancellationRequested)
        {
            long start = Stopwatch.GetTimestamp();
            using HttpResponseMessage response = await _host.Client.GetAsync("/health", Stop);
            took.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            await Task.Delay(20, Stop);
        }
        return took;
    }

    private async Task<(HttpStatusCode Status, double Took)> AskAsync(string key, string body)
    {
        long start = Stopwatch.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions");
        request.Headers.Add("x-api-key", key);
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await _host.Client.SendAsync(request, Stop);
        return (response.StatusCode, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }

    private static string Plain => TestHost.Question("What is 1 + 2?", ",\"max_tokens\":4");

    // As many names as may be required, of a pattern that two others cross; each schema is another.
    private static string Refused(int number)
    {
        string required = string.Join(',', Enumerable.Range(0, 1_990).Select(i => $"\"n{i}\"")),
            schema =
                $$$$"""
                    {"title":"{{{{number}}}}","propertyNames":{"pattern":"^n[0-9]{1,4}$"},"required":[{{{{required}}}}],
                    "patternProperties":{"1":{"minimum":1},"2":{"minimum":2},"3":{"minimum":3}}}
                    """;
        return TestHost.Question(
            "Hi",
            ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"schema\":" + schema + "}}"
        );
    }
}

using System.Net.Sockets;

namespace GptOss.Tests.Hub;

/// <summary>Downloads with a fault each: of the network, the hub, the store, the disk.</summary>
public sealed class DownloadFaultTests : DownloadTest
{
    private const int Piece = 64 << 10;

    [Fact]
    public async Task A_connection_that_is_cut_at_every_64_KiB_goes_on_where_it_was()
    {
        Fake.AtStore = request => Fake.StoreAnswer(request) with { CutAfter = Piece };
        AssertWhole(await DownloadAsync());
        Assert.Equal(
            [null, Piece, 2 * Piece, 3 * Piece],
            Fake.Requests.Where(request => request.Request.Path == $"/{First}").Select(request => request.Request.From)
        );
        Assert.All(Waits, wait => Assert.InRange(wait.TotalSeconds, 0.75, 1.25)); // bytes came: the count began anew
    }

    [Fact]
    public async Task What_an_earlier_download_left_is_not_fetched_again()
    {
        byte[] content = Fake.Files[First];
        Home.Write(Path.GetRelativePath(Home.Path, Layout.Partial(FakeHub.Hash(content))), content[..150_000]);
        AssertWhole(await DownloadAsync());
        Assert.Equal(150_000, Assert.Single(Fake.Requests, r => r.Request.Path == $"/{First}").Request.From);
        Assert.Contains(Reports, report => report.Done >= 150_000);
    }

    [Theory]
    [InlineData(0, 200_000)] // whole, but not yet verified
    [InlineData(0, 250_000)] // longer than the file
    [InlineData(1, 150_000)] // of another content: the hash tells, and it is fetched from the beginning
    public async Task A_left_file_that_is_odd_does_no_harm(int seed, int bytes)
    {
        byte[] left = [.. Fake.Files[First], .. new byte[50_000]];
        left[0] ^= (byte)seed;
        Home.Write(Path.GetRelativePath(Home.Path, Layout.Partial(FakeHub.Hash(Fake.Files[First]))), left[..bytes]);
        AssertWhole(await DownloadAsync());
    }

    [Theory]
    [InlineData("\"api\";r=0;t=55", null, 56)]
    [InlineData("\"api\";r=0;t=7200", null, 300)]
    [InlineData(null, "7", 7)]
    [InlineData(null, null, null)]
    [InlineData("\"api\";r=0;t=ever", "3", 3)]
    public async Task Too_many_requests_are_waited_for_and_it_is_said(string? limit, string? after, int? seconds)
    {
        int count = 0;
        Fake.AtHub = _ =>
            count++ == 0
                ? new RawReply(
                    429,
                    [],
                    [
                        .. limit is null ? [] : new[] { ("RateLimit", limit) },
                        .. after is null ? [] : new[] { ("Retry-After", after) },
                    ]
                )
                : null;
        AssertWhole(await DownloadAsync());
        double waited = Assert.Single(Waits).TotalSeconds;
        Assert.InRange(waited, seconds ?? 0.75, seconds ?? 1.25);
        Assert.Contains(
            $"the hub allows no more requests for now; again in {Math.Ceiling(waited)} s",
            Reports.Select(report => report.Waiting)
        );
    }

    [Fact]
    public async Task A_limit_that_does_not_end_ends_the_download()
    {
        Fake.AtHub = _ => new RawReply(429, []);
        HubException error = await RefusalAsync(HubProblem.RateLimited);
        Assert.Equal(429, error.Status);
        Assert.Equal(5, Waits.Count);
    }

    [Theory]
    [InlineData(408)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_server_that_fails_twice_is_asked_a_third_time(int status)
    {
        int hub = 0,
            store = 0;
        Fake.AtHub = _ => hub++ < 2 ? new RawReply(status, []) : null;
        Fake.AtStore = _ => Interlocked.Increment(ref store) <= 2 ? new RawReply(status, []) : null;
        AssertWhole(await DownloadAsync(new HubOptions { Jobs = 1 }));
        Assert.Equal(4, Waits.Count);
    }

    [Fact]
    public async Task A_server_that_always_fails_ends_the_download_after_five_waits()
    {
        Fake.AtStore = _ => new RawReply(503, []);
        HubException error = await RefusalAsync(HubProblem.Network, new HubOptions { Jobs = 1 });
        Assert.Equal(
            $"openai/gpt-oss-20b: 127.0.0.1 answered {First} with 503 again and again. What has arrived is kept: run the same command again.",
            error.Message
        );
        Assert.Equal((503, $"{Fake.Store}{First}"), (error.Status, error.Address!.ToString()));
        double[] expected = [1, 2, 4, 8, 8];
        Assert.Equal(expected.Length, Waits.Count);
        foreach ((double seconds, TimeSpan wait) in expected.Zip(Waits))
            Assert.InRange(wait.TotalSeconds, seconds * 0.75, seconds * 1.25);
    }

    [Fact]
    public async Task A_server_that_begins_anew_and_is_cut_every_time_ends_the_download()
    {
        Func<TimeSpan, CancellationToken, Task> delay = Hooks.Delay;
        Hooks = Hooks with
        {
            Delay = (time, stop) => Waits.Count < 50 ? delay(time, stop) : throw new TimeoutException("No end of it."),
        };
        Fake.AtStore = _ => new RawReply(200, Fake.Files[First]) { CutAfter = Piece };
        HubException error = await RefusalAsync(HubProblem.Network, new HubOptions { Jobs = 1 });
        Assert.Contains("failed again and again", error.Message);
        Assert.InRange(Waits.Count, 5, 20);
    }

    [Fact]
    public async Task A_hub_that_is_not_there_is_a_network_problem()
    {
        using var free = new TcpListener(System.Net.IPAddress.Loopback, 0);
        free.Start();
        Uri nobody = new($"http://127.0.0.1:{((System.Net.IPEndPoint)free.LocalEndpoint).Port}");
        free.Stop();
        HubException error = await RefusalAsync(HubProblem.Network, new HubOptions { Endpoint = nobody });
        Assert.StartsWith(
            "openai/gpt-oss-20b: the connection to 127.0.0.1 failed again and again while revision 'main' was fetched: ",
            error.Message
        );
        Assert.EndsWith(
            "run the same command again. A proxy is named by HTTPS_PROXY, a mirror of the hub by HF_ENDPOINT.",
            error.Message
        );
        Assert.Equal(5, Waits.Count);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(410)]
    public async Task A_link_that_has_expired_is_asked_for_again(int status)
    {
        int count = 0;
        Fake.AtStore = request =>
            request.Path == $"/{First}" && ++count <= 2
                ? count == 1
                    ? Fake.StoreAnswer(request) with
                    {
                        CutAfter = Piece,
                    }
                    : new RawReply(status, [])
                : null;
        AssertWhole(await DownloadAsync(new HubOptions { Jobs = 1 }));
        Assert.Equal(
            2,
            Fake.Lines()
                .Count(line =>
                    line.StartsWith("HEAD ", StringComparison.Ordinal) && line.EndsWith(First, StringComparison.Ordinal)
                )
        );
    }

    [Fact]
    public async Task A_slow_drip_comes_to_its_end()
    {
        Home.Variables["HF_HUB_DOWNLOAD_TIMEOUT"] = "0.6";
        Fake.AtStore = request =>
            Fake.StoreAnswer(request) with
            {
                DripBytes = 20_000,
                DripPause = TimeSpan.FromMilliseconds(80),
            };
        AssertWhole(await DownloadAsync()); // longer than the limit in all, but never silent for that long
    }

    [Fact]
    public async Task Silence_is_a_broken_connection()
    {
        Home.Variables["HF_HUB_DOWNLOAD_TIMEOUT"] = "0.5";
        int hub = 0,
            store = 0;
        Fake.AtHub = _ => hub++ == 0 ? new RawReply(200, []) { IsSilent = true } : null;
        Fake.AtStore = request =>
            request.Path != $"/{First}" || ++store > 1
                ? null
                : Fake.StoreAnswer(request) with
                {
                    Body = Fake.Files[First][..5000],
                    IsSilentAtTheEnd = true,
                    Length = 200_000,
                };
        AssertWhole(await DownloadAsync());
        Assert.Equal(2, Waits.Count);
        Assert.Contains(Reports, report =>
            report.Waiting?.StartsWith("nothing came for 0.5 s; again in", StringComparison.Ordinal) == true
        );
    }
}

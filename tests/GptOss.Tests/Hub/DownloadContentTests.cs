namespace GptOss.Tests.Hub;

/// <summary>Answers that are not the file: another hash, another length, another range, a page.</summary>
public sealed class DownloadContentTests : DownloadTest
{
    [Fact]
    public async Task A_wrong_hash_once_is_fetched_again_from_the_beginning()
    {
        int count = 0;
        Fake.AtStore = request =>
            request.Path == $"/{First}" && count++ == 0 ? new RawReply(200, new byte[200_000]) : null;
        AssertWhole(await DownloadAsync());
        Assert.Equal(
            [null, null],
            Fake.Requests.Where(request => request.Request.Path == $"/{First}").Select(request => request.Request.From)
        );
    }

    [Fact]
    public async Task A_wrong_hash_always_names_both_and_leaves_nothing()
    {
        byte[] wrong = new byte[200_000];
        Fake.AtStore = request => request.Path == $"/{First}" ? new RawReply(200, wrong) : null;
        HubException error = await RefusalAsync(HubProblem.WrongContent);
        Assert.Equal(
            $"openai/gpt-oss-20b: '{First}' came with the wrong content twice: its hash should be {FakeHub.Hash(Fake.Files[First])} and is {FakeHub.Hash(wrong)}. A proxy may change what comes through it; try again from another network.",
            error.Message
        );
        Assert.False(File.Exists(Layout.Partial(FakeHub.Hash(Fake.Files[First]))));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Layout.Snapshots));
    }

    [Fact]
    public async Task A_small_file_is_verified_too()
    {
        Fake.AtHub = request =>
            request.Method == "GET" && request.Path.EndsWith("/generation_config.json", StringComparison.Ordinal)
                ? RawReply.Text(200, """{"eos_token_id":[200003]}""")
                : null;
        Assert.Contains("'generation_config.json' came with", (await RefusalAsync(HubProblem.WrongContent)).Message);
    }

    [Theory]
    [InlineData(199_999L, true)]
    [InlineData(200_001L, true)]
    [InlineData(null, false)] // says nothing, and sends a byte too many
    public async Task A_wrong_length_is_told(long? said, bool isSaid)
    {
        Fake.AtStore = request =>
            request.Path == $"/{First}"
                ? new RawReply(200, isSaid ? Fake.Files[First] : [.. Fake.Files[First], 0]) { Length = said }
                : null;
        HubException error = await RefusalAsync(HubProblem.WrongContent);
        Assert.Equal(
            $"openai/gpt-oss-20b: {First} should be 200000 bytes{(isSaid ? "" : " and no more")}, but 127.0.0.1 answered with content of no type{(isSaid ? $" of {said:N0} bytes" : "")}. A proxy or a sign-in page of the network may stand between: look at the address in a browser.",
            error.Message
        );
    }

    [Theory]
    [InlineData("X-Linked-Size", "5", "5 bytes")]
    [InlineData(
        "X-Linked-Etag",
        "\"0123456789012345678901234567890123456789\"",
        "the hash 0123456789012345678901234567890123456789"
    )]
    public async Task An_address_of_another_content_than_the_list_is_told(string header, string value, string found)
    {
        Fake.AtHub = request =>
            request.Method == "HEAD" && request.Path.EndsWith(First, StringComparison.Ordinal)
                ? new RawReply(
                    302,
                    [],
                    ("X-Repo-Commit", FakeHub.Commit),
                    (header, value),
                    ("Location", "http://127.0.0.1:1/x")
                )
                : null;
        Assert.Equal(
            $"openai/gpt-oss-20b: '{First}' should have 200000 bytes with the hash {FakeHub.Hash(Fake.Files[First])}, but its address has {found}. A proxy may stand between: try again from another network.",
            (await RefusalAsync(HubProblem.WrongContent)).Message
        );
    }

    [Fact]
    public async Task A_body_that_ends_early_goes_on()
    {
        int count = 0;
        Fake.AtStore = request =>
            request.Path == $"/{First}" && count++ == 0
                ? new RawReply(200, Fake.Files[First][..1000]) { Length = null }
                : null;
        AssertWhole(await DownloadAsync());
    }

    [Fact]
    public async Task A_whole_answer_to_a_range_begins_again()
    {
        Home.Write(Path.GetRelativePath(Home.Path, Layout.Partial(FakeHub.Hash(Fake.Files[First]))), new byte[1234]);
        Fake.AtStore = request => new RawReply(200, Fake.Files[request.Path[1..]]);
        AssertWhole(await DownloadAsync());
    }

    [Theory]
    [InlineData("bytes 0-199999/200000")] // from another byte
    [InlineData("bytes 1000-199999/300000")] // of another file
    [InlineData(null)]
    public async Task A_range_that_is_not_the_one_asked_for_is_refused(string? range)
    {
        Home.Write(
            Path.GetRelativePath(Home.Path, Layout.Partial(FakeHub.Hash(Fake.Files[First]))),
            Fake.Files[First][..1000]
        );
        Fake.AtStore = request =>
            request.From is null
                ? null
                : new RawReply(
                    206,
                    Fake.Files[First][1000..],
                    [.. range is null ? [] : new[] { ("Content-Range", range) }]
                );
        Assert.Contains(
            "should be 200000 bytes from byte 1000 on",
            (await RefusalAsync(HubProblem.WrongContent)).Message
        );
    }

    [Fact]
    public async Task A_range_that_cannot_be_served_begins_again_if_the_length_is_right()
    {
        Home.Write(
            Path.GetRelativePath(Home.Path, Layout.Partial(FakeHub.Hash(Fake.Files[First]))),
            Fake.Files[First][..1000]
        );
        Fake.AtStore = request =>
            request.From is null ? null : new RawReply(416, [], ("Content-Range", "bytes */200000"));
        AssertWhole(await DownloadAsync());
    }

    [Theory]
    [InlineData("api")]
    [InlineData("HEAD")]
    [InlineData("bytes")]
    public async Task A_page_in_place_of_the_answer_is_told(string place)
    {
        RawReply page = RawReply.Text(200, "<html>Sign in</html>", ("Content-Type", "text/html"));
        Fake.AtHub = request => place == "api" || place == "HEAD" && request.Method == "HEAD" ? page : null;
        Fake.AtStore = _ => place == "bytes" ? page : null;
        string what =
            place == "api" ? "revision 'main' should be application/json"
            : place == "HEAD" ? "config.json should be 44 bytes"
            : $"{First} should be 200000 bytes";
        Assert.Equal(
            $"openai/gpt-oss-20b: {what}, but 127.0.0.1 answered with text/html of 20 bytes. A proxy or a sign-in page of the network may stand between: look at the address in a browser.",
            (await RefusalAsync(HubProblem.WrongContent, new HubOptions { Jobs = 1 })).Message
        );
    }
}

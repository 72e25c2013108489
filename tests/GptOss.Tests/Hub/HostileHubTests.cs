using System.Text;

namespace GptOss.Tests.Hub;

/// <summary>A hub that means harm, or is broken in ways that no hub should be: one clear error, and an end.</summary>
public sealed class HostileHubTests : DownloadTest
{
    private const string Tree = "/api/models/openai/gpt-oss-20b/tree/" + FakeHub.Commit;

    [Fact]
    public async Task A_store_that_ignores_ranges_and_always_breaks_off_is_given_up()
    {
        Fake.AtStore = request => new RawReply(200, Fake.Files[request.Path[1..]]) { CutAfter = 64 << 10 };
        int waits = 0;
        Hooks = Hooks with { Delay = (_, _) => ++waits > 50 ? throw new TimeoutException() : Task.CompletedTask };
        await RefusalAsync(HubProblem.Network);
    }

    [Theory]
    [InlineData("\\ud800")]
    [InlineData("\u00ff")]
    public async Task A_list_with_text_that_is_none_is_refused(string path)
    {
        Fake.AtHub = request =>
            request.Path == Tree
                ? Json(
                    Encoding.Latin1.GetBytes(
                        $$"""[{"type":"file","path":"{{path}}","size":3,"oid":"{{FakeHub.Commit}}"}]"""
                    )
                )
                : null;
        Assert.Contains(
            "list of files",
            (await RefusalAsync(HubProblem.WrongContent)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_list_with_a_file_twice_is_refused()
    {
        string entry = $$"""{"type":"file","path":"config.json","size":3,"oid":"{{FakeHub.Commit}}"}""";
        Fake.AtHub = request => request.Path == Tree ? Json(Encoding.UTF8.GetBytes($"[{entry},{entry}]")) : null;
        Assert.Contains("twice", (await RefusalAsync(HubProblem.WrongContent)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("//")]
    [InlineData("http://")]
    [InlineData("http://[::")]
    [InlineData("http:///x")]
    [InlineData("http://a b/")]
    [InlineData("http://host:99999/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("\\\\host\\share")]
    [InlineData("")]
    public async Task A_redirect_to_nowhere_is_refused(string location)
    {
        Fake.AtHub = request => request.Method == "HEAD" ? Redirect(location) : null;
        await Assert.ThrowsAsync<HubException>(() => DownloadAsync());
        Fake.AtHub = request => request.Path == Tree ? Redirect(location) : null;
        await Assert.ThrowsAsync<HubException>(() => DownloadAsync());
        Fake.AtHub = request =>
            request.Path == Tree ? Json("[]"u8.ToArray(), ("Link", $"<{location}>; rel=\"next\"")) : null;
        await Assert.ThrowsAsync<HubException>(() => DownloadAsync());
        Fake.AtHub = _ => null;
        Fake.AtStore = _ => Redirect(location);
        await Assert.ThrowsAsync<HubException>(() => DownloadAsync());
    }

    [Theory]
    [InlineData("Content-Range", "bytes x-y/z")]
    [InlineData("Content-Range", "bytes 0-1/99999999999999999999999")]
    [InlineData("Content-Range", "bytes 5-1/200000")]
    [InlineData("Content-Type", "/////")]
    [InlineData("ETag", "\"\"\"\"")]
    [InlineData("Retry-After", "-5")]
    [InlineData("Content-Encoding", "gzip")]
    public async Task Odd_headers_do_not_crash(string name, string value)
    {
        foreach (int status in (int[])[200, 206, 416, 429, 302, 500, 100, 204, 304])
        {
            Fake.AtStore = _ => new RawReply(status, new byte[10], (name, value)) { };
            await Assert.ThrowsAsync<HubException>(() => DownloadAsync());
            Fake.AtStore = _ => null;
            Fake.AtHub = _ => new RawReply(status, new byte[10], (name, value)) { };
            await Assert.ThrowsAsync<HubException>(() => DownloadAsync());
            Fake.AtHub = _ => null;
        }
    }

    [Theory]
    [InlineData("-5")]
    [InlineData("99999999999999999999999999")]
    [InlineData("0x10")]
    public async Task Odd_lengths_do_not_crash(string length)
    {
        Fake.AtStore = _ => new RawReply(200, new byte[10], ("Content-Length", length)) { Length = null };
        await Assert.ThrowsAsync<HubException>(() => DownloadAsync());
        Fake.AtStore = _ => null;
        Fake.AtHub = request =>
            request.Method == "HEAD"
                ? new RawReply(200, [], ("X-Repo-Commit", FakeHub.Commit), ("X-Linked-Size", length))
                : null;
        await Assert.ThrowsAsync<HubException>(() => DownloadAsync());
    }

    [Theory]
    [InlineData("../config.json")]
    [InlineData("/etc/passwd.safetensors")]
    [InlineData("a\\u0000b.safetensors")]
    [InlineData("..\\\\x.safetensors")]
    [InlineData("c:x.safetensors")]
    [InlineData("a//b.gguf")]
    [InlineData("a/./b.gguf")]
    [InlineData("a/../../b.gguf")]
    [InlineData("x.gguf/../../b.gguf")]
    [InlineData("\\u001b[31mred.gguf")]
    public async Task A_name_that_leads_out_is_refused(string path)
    {
        foreach (
            string extra in (string[])
                ["", $$""",{"type":"file","path":"config.json","size":3,"oid":"{{FakeHub.Moved}}"}"""]
        )
        {
            Fake.AtHub = request =>
                request.Path == Tree
                    ? Json(
                        Encoding.Latin1.GetBytes(
                            $$"""[{"type":"file","path":"{{path}}","size":3,"oid":"{{FakeHub.Commit}}"}{{extra}}]"""
                        )
                    )
                    : null;
            HubException error = await Assert.ThrowsAsync<HubException>(() => DownloadAsync());
            Assert.DoesNotContain(error.Message, c => char.IsControl(c));
        }
        Assert.All(Directory.EnumerateFiles(Home.Path, "*", SearchOption.AllDirectories), file =>
            Assert.EndsWith(".TAG", file, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_list_without_end_is_refused()
    {
        string entries = string.Join(
            ',',
            Enumerable
                .Range(0, 1000)
                .Select(i => $$"""{"type":"file","path":"f-{{i}}","size":3,"oid":"{{FakeHub.Commit}}"}""")
        );
        int pages = 0;
        Fake.AtHub = request =>
            request.Path == Tree
                ? Json(
                    Encoding.UTF8.GetBytes($"[{entries.Replace("\"f-", $"\"p{pages++}-", StringComparison.Ordinal)}]"),
                    ("Link", $"<{Tree}?cursor={pages}>; rel=\"next\"")
                )
                : null;
        HubException error = await RefusalAsync(HubProblem.WrongContent);
        Assert.True(pages < 500, error.Message);
    }

    private static RawReply Redirect(string location) =>
        new(302, [], ("X-Repo-Commit", FakeHub.Commit), ("Location", location));

    private static RawReply Json(byte[] text, params (string, string)[] headers) =>
        new(200, text, [("Content-Type", "application/json"), .. headers]);
}

namespace GptOss.Tests.Hub;

/// <summary>Downloads as they should go: what is asked for, what lies in the cache afterwards.</summary>
public sealed class DownloadTests : DownloadTest
{
    [Fact]
    public async Task The_cache_is_that_of_Hugging_Faces_tools_byte_for_byte()
    {
        string path = await DownloadAsync();

        Assert.Equal(Layout.Snapshot(FakeHub.Commit), path);
        AssertWhole(path);
        string[] names = ["config.json", "generation_config.json", First, Second, "model.safetensors.index.json"];
        string[] hashes = [.. names.Select(name => FakeHub.Hash(Fake.Files[name]))],
            sorted = [.. hashes.Order(StringComparer.Ordinal)];
        Assert.Equal(
            [
                .. sorted.Select(hash => $".locks/models--openai--gpt-oss-20b/{hash}.lock"),
                "CACHEDIR.TAG",
                .. sorted.Select(hash => $"models--openai--gpt-oss-20b/blobs/{hash}"),
                "models--openai--gpt-oss-20b/refs/main",
                .. names.Select(name => $"models--openai--gpt-oss-20b/snapshots/{FakeHub.Commit}/{name}"),
            ],
            Everything(Hub),
            StringComparer.Ordinal
        );
        Assert.Equal(FakeHub.Commit, File.ReadAllText(Path.Join(Layout.Refs, "main")));
        Assert.Equal(
            hashes.Select(hash => $"../../blobs/{hash}"),
            names.Select(name => new FileInfo(Path.Join(path, name)).LinkTarget)
        );
        Assert.StartsWith(
            "Signature: 8a477f597d28d172789f06886806bc55",
            File.ReadAllText(Path.Join(Hub, "CACHEDIR.TAG"))
        );
        Assert.Equal(path, Home.Finder.Find("gpt-oss-20b").Path);
    }

    [Fact]
    public async Task A_second_download_asks_for_the_commit_and_fetches_nothing()
    {
        string path = await DownloadAsync();
        Fake.Requests.Clear();
        Reports.Clear();
        Assert.Equal(path, await DownloadAsync());
        Assert.Equal(
            [
                "GET /api/models/openai/gpt-oss-20b/revision/main",
                $"GET /api/models/openai/gpt-oss-20b/tree/{FakeHub.Commit}?recursive=true&expand=false",
            ],
            Fake.Lines()
        );
        Assert.Empty(Reports);
    }

    [Fact]
    public async Task A_damaged_link_or_a_missing_blob_is_made_again()
    {
        string path = await DownloadAsync();
        File.Delete(Path.Join(path, "config.json"));
        File.Delete(Layout.Blob(FakeHub.Hash(Fake.Files[First])));
        await DownloadAsync();
        AssertWhole(path);
    }

    [Theory]
    [InlineData(201_088, false)]
    [InlineData(1000, true)]
    public async Task The_tokenizer_is_fetched_only_for_a_vocabulary_of_its_own(int vocabulary, bool isFetched)
    {
        Fake.AddModel(vocabulary: vocabulary);
        string path = await DownloadAsync();
        Assert.Equal(isFetched, File.Exists(Path.Join(path, "tokenizer.json")));
        Assert.False(Directory.Exists(Path.Join(path, "original")));
    }

    [Fact]
    public async Task A_single_file_needs_no_index()
    {
        Fake.Files.Remove("model.safetensors.index.json");
        Fake.Files["model.safetensors"] = FakeHub.Bytes(3000, 8);
        AssertWhole(await DownloadAsync(), "config.json", "generation_config.json", "model.safetensors");
    }

    [Theory]
    [InlineData("Q4_K_M", "m-Q4_K_M.gguf")]
    [InlineData("q4_k_m", "m-Q4_K_M.gguf")]
    [InlineData("m-UD-Q4_K_XL.gguf", "m-UD-Q4_K_XL.gguf")]
    [InlineData("BF16", "BF16/m-BF16-00001-of-00002.gguf")]
    [InlineData("BF16/m-BF16-00002-of-00002.gguf", "BF16/m-BF16-00001-of-00002.gguf")]
    public async Task Of_a_repository_of_GGUF_files_the_one_that_is_named_is_fetched(string file, string loaded)
    {
        AddGgufs();
        string path = await DownloadAsync(new HubOptions { File = file });
        Assert.Equal(Path.Join(Layout.Snapshot(FakeHub.Commit), loaded), path);
        string[] fetched = Everything(Layout.Snapshot(FakeHub.Commit));
        Assert.Equal(loaded.Contains('/', StringComparison.Ordinal) ? 2 : 1, fetched.Length);
        Assert.Equal(path, Home.Finder.Find($"hf:unsloth/gpt-oss-20b-GGUF/{loaded}").Path);
        if (fetched.Length == 2)
            Assert.Equal(
                $"../../../blobs/{FakeHub.Hash(Fake.Files[loaded])}",
                new FileInfo(path).LinkTarget // one more for the folder
            );
        // Offline the same name finds the same file.
        Home.Variables["HF_HUB_OFFLINE"] = "1";
        Assert.Equal(path, await DownloadAsync(new HubOptions { File = file }));
    }

    [Fact]
    public async Task One_GGUF_that_is_fetched_leaves_the_plan_of_another_that_is_not_whole()
    {
        AddGgufs();
        var usual = (Hooks, Fake.AtStore);
        Hooks = Hooks with { Delay = (_, _) => throw new TimeoutException() };
        Fake.AtStore = request => Fake.StoreAnswer(request) with { CutAfter = 500 };
        await Assert.ThrowsAsync<TimeoutException>(() => DownloadAsync(new HubOptions { File = "Q4_K_M" }));
        (Hooks, Fake.AtStore) = usual;
        await DownloadAsync(new HubOptions { File = "UD-Q4_K_XL" });
        Assert.Equal("Q4_K_M", Assert.Single(Layout.Plans()).File);
        await DownloadAsync(new HubOptions { File = "Q4_K_M" });
        Assert.Empty(Layout.Plans());
    }

    [Fact]
    public async Task Without_a_name_several_GGUF_files_are_listed_with_their_sizes()
    {
        AddGgufs();
        HubException several = await RefusalAsync(HubProblem.Ambiguous);
        Assert.Equal(
            "unsloth/gpt-oss-20b-GGUF: it has 3 GGUF models; name one of them: BF16/m-BF16-00001-of-00002.gguf (2.0 kB in 2 files), m-Q4_K_M.gguf (1.0 kB), m-UD-Q4_K_XL.gguf (1.0 kB).",
            several.Message
        );
        HubException none = await RefusalAsync(HubProblem.NotFound, new HubOptions { File = "Q9" });
        Assert.StartsWith("unsloth/gpt-oss-20b-GGUF: it has no GGUF 'Q9', but BF16/", none.Message);
    }

    [Fact]
    public async Task Of_an_adapter_its_two_files_are_fetched()
    {
        Fake.Files.Clear();
        Fake.Add("adapter_config.json", "{}");
        Fake.Files["adapter_model.safetensors"] = FakeHub.Bytes(2000, 1);
        Fake.Files["optimizer.pt"] = FakeHub.Bytes(2000, 2);
        AssertWhole(await DownloadAsync(), "adapter_config.json", "adapter_model.safetensors");
    }

    [Fact]
    public async Task A_repository_with_nothing_that_can_be_read_says_so()
    {
        Fake.Files.Clear();
        Fake.Files["pytorch_model.bin"] = FakeHub.Bytes(2000, 2);
        Assert.Equal(
            "openai/gpt-oss-20b: it has no .safetensors files with a config.json, no adapter and no GGUF: nothing that this engine reads.",
            (await RefusalAsync(HubProblem.NotFound)).Message
        );
    }

    [Fact]
    public async Task Plain_files_go_into_a_folder_where_one_is_given()
    {
        string folder = Path.Join(Home.Path, "plain");
        Assert.Equal(folder, await DownloadAsync(new HubOptions { Folder = folder }));
        AssertWhole(folder);
        Assert.All(Directory.EnumerateFiles(folder), path => Assert.Null(new FileInfo(path).LinkTarget));
        Assert.False(Directory.Exists(Hub));
        Fake.Requests.Clear();
        await DownloadAsync(new HubOptions { Folder = folder });
        Assert.Equal(2, Fake.Requests.Count);
        // Another fine-tune has the same lengths.
        Fake.Files[First] = FakeHub.Bytes(Fake.Files[First].Length, seed: 9);
        Fake.Files["generation_config.json"][^3] ^= 1;
        await DownloadAsync(new HubOptions { Folder = folder });
        AssertWhole(folder);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_links_the_files_themselves_lie_in_the_snapshot(bool bySetting)
    {
        if (bySetting)
            Home.Variables["HF_HUB_DISABLE_SYMLINKS"] = "true";
        else
            Hooks = Hooks with { CanLink = _ => false };
        string path = await DownloadAsync();
        AssertWhole(path);
        Assert.All(Directory.EnumerateFiles(path), file => Assert.Null(new FileInfo(file).LinkTarget));
        Assert.Empty(Directory.EnumerateFiles(Layout.Blobs));
        Fake.Requests.Clear();
        Assert.Equal(path, await DownloadAsync());
        Assert.Equal(2, Fake.Requests.Count);
        AssertWhole(path);
    }

    [Fact]
    public async Task A_revision_that_is_a_commit_has_no_ref_and_one_with_slashes_has_folders()
    {
        string path = await DownloadAsync(new HubOptions { Revision = FakeHub.Commit });
        AssertWhole(path);
        Assert.False(Directory.Exists(Layout.Refs));
        Fake.AtHub = request =>
            request.Target.EndsWith("revision/refs%2Fpr%2F1", StringComparison.Ordinal)
                ? RawReply.Text(200, $$"""{"sha":"{{FakeHub.Commit}}"}""", ("Content-Type", "application/json"))
                : null;
        await DownloadAsync(new HubOptions { Revision = "refs/pr/1" });
        Assert.Equal(FakeHub.Commit, File.ReadAllText(Path.Join(Layout.Refs, "refs/pr/1")));
        Assert.Equal(path, Home.Finder.Find("hf:openai/gpt-oss-20b@" + FakeHub.Commit).Path);
    }

    [Fact]
    public async Task Progress_adds_up_and_ends_with_all()
    {
        await DownloadAsync();
        long total = Fake
            .Files.Where(file =>
                file.Key.StartsWith("model", StringComparison.Ordinal)
                || file.Key.EndsWith("config.json", StringComparison.Ordinal)
            )
            .Sum(file => file.Value.Length);
        Assert.Equal((total, total, null), (Reports[^1].Done, Reports[^1].Total, Reports[^1].Waiting));
        Assert.All(Reports, report => Assert.InRange(report.Done, 0, Math.Max(report.Total, 1000)));
        Assert.Equal(TimeSpan.FromSeconds(5), new DownloadProgress("a", 50, 100, 10, null).Left);
        Assert.Null(new DownloadProgress("a", 50, 100, 0, null).Left);
    }

    [Fact]
    public async Task Jobs_limit_how_many_files_are_fetched_at_once()
    {
        int now = 0,
            most = 0;
        Fake.AtStore = request =>
        {
            most = Math.Max(most, Interlocked.Increment(ref now));
            Thread.Sleep(50);
            Interlocked.Decrement(ref now);
            return null;
        };
        await DownloadAsync(new HubOptions { Jobs = 1 });
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task Two_downloads_at_once_fetch_every_byte_once()
    {
        string[] both = await Task.WhenAll(DownloadAsync(), DownloadAsync());
        Assert.Equal(both[0], both[1]);
        AssertWhole(both[0]);
        Assert.Single(Fake.Lines(), line => line.StartsWith($"* GET /{First}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lock_that_another_holds_is_waited_for_and_said_once()
    {
        string path = Layout.Lock(FakeHub.Hash(Fake.Files[First]));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        int asked = 0;
        var held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        Hooks = Hooks with
        {
            Delay = (time, _) =>
            {
                Assert.Equal(TimeSpan.FromSeconds(1), time);
                if (++asked == 3)
                    held.Dispose();
                return Task.CompletedTask;
            },
        };
        AssertWhole(await DownloadAsync());
        Assert.Equal(3, asked);
        Assert.Single(Reports, report => report.Waiting == "another process fetches this file; waiting for it");
    }

    private void AddGgufs()
    {
        Fake.Repository = "unsloth/gpt-oss-20b-GGUF";
        Fake.Files.Clear();
        Fake.Add("config.json", "{}");
        Fake.Files["m-Q4_K_M.gguf"] = Home.Gguf(bytes: 1000);
        Fake.Files["m-UD-Q4_K_XL.gguf"] = Home.Gguf(bytes: 1001);
        Fake.Files["BF16/m-BF16-00001-of-00002.gguf"] = Home.Gguf(bytes: 1002);
        Fake.Files["BF16/m-BF16-00002-of-00002.gguf"] = [.. "GGUF"u8, .. new byte[1000]];
        Fake.Files["imatrix_unsloth.gguf"] = Home.Gguf(bytes: 1003);
    }

    private static string[] Everything(string folder) =>
        [
            .. Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(folder, path))
                .Order(StringComparer.Ordinal),
        ];
}

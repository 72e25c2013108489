using GptOss.Hub;

namespace GptOss.Tests.Hub;

/// <summary>Downloads whose disk is full or takes no files, that are cancelled, or that may ask nobody.</summary>
public sealed class DownloadPlaceTests : DownloadTest
{
    private const int Piece = 64 << 10;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_disk_keeps_what_has_arrived()
    {
        Hooks = Hooks with
        {
            BeforeWrite = (path, length) =>
            {
                if (length >= 100_000)
                    throw new IOException(
                        "No space left on device",
                        OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28
                    );
            },
        };
        Fake.AtStore = request => Fake.StoreAnswer(request) with { DripBytes = 50_000, DripPause = TimeSpan.Zero };
        HubException error = await RefusalAsync(HubProblem.DiskFull, new HubOptions { Jobs = 1 });
        string partial = Layout.Partial(FakeHub.Hash(Fake.Files[First]));
        Assert.Equal(
            $"{partial}: the disk is full. What has arrived is kept: make room and run the same command again, or set HF_HUB_CACHE to a folder on a larger disk.",
            error.Message
        );
        long kept = new FileInfo(partial).Length;
        Assert.InRange(kept, 100_000, 199_999);
        long all =
            kept
            + Fake.Files.Where(file => file.Key.EndsWith(".json", StringComparison.Ordinal))
                .Sum(file => FakeHub.IsLarge(file.Value) ? 0 : file.Value.Length);
        Assert.Contains(
            $"is not complete: {all / 1000.0:0.0} of 400.2 kB. Run 'gptoss pull gpt-oss-20b' to go on.",
            Assert.Throws<CheckpointException>(() => Home.Finder.Find("gpt-oss-20b")).Message
        );

        Hooks = Hooks with { BeforeWrite = null };
        AssertWhole(await DownloadAsync());
        Assert.Contains(Fake.Requests, request => request.Request.From == kept);
    }

    /// <summary>A folder from elsewhere may have links in the places of files that are not whole yet.</summary>
    [Fact]
    public async Task What_a_link_in_the_place_of_a_partial_file_leads_to_is_not_written()
    {
        string folder = Path.Join(Home.Path, "from elsewhere"),
            outside = Path.Join(Home.Path, "outside");
        Directory.CreateDirectory(folder);
        foreach (string name in (string[])["config.json", First])
        {
            await File.WriteAllTextAsync($"{outside} {name}", "mine", Stop);
            File.CreateSymbolicLink(Path.Join(folder, name + HubLayout.Incomplete), $"{outside} {name}");
        }
        await DownloadAsync(new HubOptions { Folder = folder });
        foreach (string path in Directory.GetFiles(Home.Path, "outside *"))
            Assert.Equal("mine", await File.ReadAllTextAsync(path, Stop));
        AssertWhole(folder);
        Assert.All(Directory.GetFiles(folder), path => Assert.Null(new FileInfo(path).LinkTarget));
    }

    [Fact]
    public async Task Nothing_is_written_behind_a_link_in_the_place_of_a_folder()
    {
        Fake.Files["sub/m.gguf"] = Home.Gguf();
        string folder = Path.Join(Home.Path, "from elsewhere"),
            outside = Path.Join(Home.Path, "outside");
        Directory.CreateDirectory(folder);
        Directory.CreateDirectory(outside);
        Directory.CreateSymbolicLink(Path.Join(folder, "sub"), outside);
        HubException error = await Assert.ThrowsAsync<HubException>(() =>
            DownloadAsync(new HubOptions { Folder = folder, File = "sub/m.gguf" })
        );
        Assert.Contains("is a link to", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        Directory.Delete(Path.Join(folder, "sub"));
        await DownloadAsync(new HubOptions { Folder = folder, File = "sub/m.gguf" });
        Assert.True(File.Exists(Path.Join(folder, "sub", "m.gguf")));
    }

    [Fact]
    public async Task A_disk_without_room_is_told_before_the_first_byte()
    {
        Hooks = Hooks with { FreeBytes = _ => 1_074_000_000 };
        HubException error = await RefusalAsync(HubProblem.DiskFull);
        Assert.Equal(
            $"openai/gpt-oss-20b: 400.0 kB are missing, and {Layout.Folder} has 1.1 GB free, of which 1.1 GB stay so. Make room, or set HF_HUB_CACHE to a folder on a larger disk.",
            error.Message
        );
        Assert.DoesNotContain(Fake.Lines(), line => line.StartsWith('*'));
        Assert.NotNull(Disk.FreeBytes(Home.Path));
        Assert.NotNull(Disk.FreeBytes(Path.Join(Home.Path, "not/there/yet")));
    }

    [Fact]
    public void The_systems_own_error_of_a_full_disk_is_known()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "Only Linux has a device that is always full.");
        using var full = new FileStream(
            "/dev/full",
            FileMode.Open,
            FileAccess.Write,
            FileShare.ReadWrite,
            bufferSize: 0
        );
        Assert.True(Disk.IsFull(Assert.Throws<IOException>(() => full.Write([1]))));
        Assert.False(Disk.IsFull(new IOException("another")));
    }

    [Fact]
    public async Task A_cache_that_takes_no_files_names_the_path_and_the_setting()
    {
        string file = Home.Write("file", "a file, where a folder should be");
        HubException error = await RefusalAsync(
            HubProblem.NotWritable,
            new HubOptions { Cache = Path.Join(file, "hub") }
        );
        Assert.StartsWith($"{file}/hub cannot be written: ", error.Message);
        Assert.EndsWith(" Set HF_HUB_CACHE to a folder that takes files.", error.Message);
        string longName = new('n', 300);
        error = await RefusalAsync(HubProblem.NotWritable, new HubOptions { Folder = Path.Join(Home.Path, longName) });
        Assert.StartsWith($"{Home.Path}/{longName} cannot be written: ", error.Message);
        Assert.EndsWith(" Set --to (HubOptions.Folder) to a folder that takes files.", error.Message);
    }

    [Fact]
    public async Task A_download_that_is_cancelled_keeps_what_has_arrived()
    {
        using var stop = new CancellationTokenSource();
        Fake.AtStore = request =>
        {
            stop.CancelAfter(300);
            return Fake.StoreAnswer(request) with
            {
                Body = Fake.Files[request.Path[1..]][..7000],
                IsSilentAtTheEnd = true,
                Length = Fake.Files[request.Path[1..]].Length,
            };
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => DownloadAsync(stop: stop.Token));
        Assert.Equal(7000, new FileInfo(Layout.Partial(FakeHub.Hash(Fake.Files[First]))).Length);
        Fake.AtStore = _ => null;
        AssertWhole(await DownloadAsync());
    }

    [Fact]
    public async Task Offline_a_download_that_ended_before_its_last_step_says_so()
    {
        await DownloadAsync();
        HubFile[] files = [new(First, Fake.Files[First].Length, FakeHub.Hash(Fake.Files[First]))];
        var plan = new DownloadPlan(Layout.Repository, "main", FakeHub.Commit, null, files);
        File.WriteAllBytes(Layout.Plan(plan), plan.ToJson());
        Directory.Delete(Layout.Snapshot(FakeHub.Commit), recursive: true);
        Home.Variables["HF_HUB_OFFLINE"] = "1";
        Assert.EndsWith(
            " forbids requests, and its download was ended before the files were put in place. Unset it to download.",
            (await RefusalAsync(HubProblem.Offline)).Message
        );
    }

    [Fact]
    public async Task Offline_gives_what_is_here_and_lists_what_is_missing()
    {
        Home.Variables["TRANSFORMERS_OFFLINE"] = "yes";
        Assert.Equal(
            "openai/gpt-oss-20b: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids requests, and nothing of it is here. Unset it to download.",
            (await RefusalAsync(HubProblem.Offline)).Message
        );
        Home.Variables.Clear();
        Fake.AtStore = request =>
            request.Path == $"/{First}" ? Fake.StoreAnswer(request) with { CutAfter = Piece } : null;
        Hooks = Hooks with { Delay = (_, _) => throw new TimeoutException() };
        await Assert.ThrowsAsync<TimeoutException>(() => DownloadAsync());

        Home.Variables["HF_HUB_OFFLINE"] = "ON";
        int before = Fake.Requests.Count;
        string message = (await RefusalAsync(HubProblem.Offline)).Message;
        Assert.Contains($"and '{First}' (65.5 of 200.0 kB)", message);
        Assert.EndsWith(" is not complete. Unset it to download.", message);
        Assert.Equal(before, Fake.Requests.Count);
        Home.Variables.Clear();
        Fake.AtStore = _ => null;
        string path = await DownloadAsync();
        Home.Variables["HF_HUB_OFFLINE"] = "1";
        before = Fake.Requests.Count;
        Assert.Equal(path, await DownloadAsync());
        Assert.Equal(before, Fake.Requests.Count);
    }
}

using GptOss.Hub;

namespace GptOss.Tests.Hub;

/// <summary>What is removed from Hugging Face's cache, and what must stay.</summary>
public sealed class HubRemovalTests : DownloadTest
{
    [Fact]
    public async Task Of_the_only_snapshot_nothing_is_left_but_the_locks()
    {
        await DownloadAsync();
        HubRemoval removal = HubRemoval.OfSnapshot(Layout, null)!;
        Assert.Equal("openai/gpt-oss-20b @ 6cee5e8 (400.2 kB)", removal.ToString());
        removal.Run();
        Assert.False(Directory.Exists(Layout.Folder));
        Assert.Null(HubRemoval.OfSnapshot(Layout, null));
        Assert.NotEmpty(Directory.EnumerateFiles(Path.GetDirectoryName(Layout.Lock("x"))!));
    }

    [Fact]
    public async Task Blobs_that_another_snapshot_links_to_stay()
    {
        string first = await DownloadAsync();
        string other = Layout.Snapshot(FakeHub.Moved);
        Directory.CreateDirectory(other);
        string shared = FakeHub.Hash(Fake.Files[First]),
            own = FakeHub.Hash(Fake.Files[Second]);
        File.CreateSymbolicLink(Path.Join(other, "model.safetensors"), $"../../blobs/{shared}");
        Directory.CreateDirectory(Path.Join(Layout.Refs, "pr"));
        File.WriteAllText(Path.Join(Layout.Refs, "pr", "1"), FakeHub.Commit);
        File.WriteAllText(Path.Join(Layout.Refs, "v2"), FakeHub.Moved);

        HubRemoval.OfSnapshot(Layout, FakeHub.Commit)!.Run();

        Assert.False(Directory.Exists(first));
        Assert.True(File.Exists(Layout.Blob(shared)));
        Assert.False(File.Exists(Layout.Blob(own)));
        Assert.Equal(["v2"], Layout.AllRefs().Select(name => name.Name));
        HubRemoval.OfSnapshot(Layout, null)!.Run(); // the only one that is left
        Assert.False(Directory.Exists(Layout.Folder));
    }

    [Fact]
    public async Task Blobs_of_another_snapshot_stay_however_many_files_it_has_and_however_deep_they_are()
    {
        await DownloadAsync();
        string other = Layout.Snapshot(FakeHub.Moved),
            shared = FakeHub.Hash(Fake.Files[First]),
            deep = FakeHub.Hash(Fake.Files[Second]);
        Directory.CreateDirectory(Path.Join(other, "1/2/3/4/5/6/7"));
        for (int i = 0; i < 2500; i++)
            File.CreateSymbolicLink(Path.Join(other, $"{i}.safetensors"), $"../../blobs/{shared}");
        File.CreateSymbolicLink(Path.Join(other, "1/2/3/4/5/6/7/m"), $"../../../../../../../../../blobs/{deep}");

        HubRemoval.OfSnapshot(Layout, FakeHub.Commit)!.Run();

        Assert.True(File.Exists(Layout.Blob(shared)));
        Assert.True(File.Exists(Layout.Blob(deep)));
    }

    [Fact]
    public async Task A_beginning_beside_its_whole_file_is_removed_with_it()
    {
        await DownloadAsync();
        string etag = FakeHub.Hash(Fake.Files[First]);
        var file = new HubFile(First, Fake.Files[First].Length, etag);
        var plan = new DownloadPlan(Layout.Repository, "main", FakeHub.Commit, null, [file]);
        Directory.Delete(Layout.Snapshot(FakeHub.Commit), recursive: true);
        File.WriteAllBytes(Layout.Plan(plan), plan.ToJson());
        File.WriteAllBytes(Layout.Partial(etag), [1]);
        Assert.True(File.Exists(Layout.Lock(etag)));

        HubRemoval.OfPartial(Layout)!.Run();

        Assert.False(File.Exists(Layout.Blob(etag)));
        Assert.False(File.Exists(Layout.Partial(etag)));
    }

    [Fact]
    public async Task Only_what_is_not_complete_can_be_removed_alone()
    {
        Fake.AtStore = request =>
            request.Path == $"/{Second}" ? Fake.StoreAnswer(request) with { CutAfter = 1000 } : null;
        Hooks = Hooks with { Delay = (_, _) => throw new TimeoutException() };
        await Assert.ThrowsAsync<TimeoutException>(() => DownloadAsync(new HubOptions { Jobs = 1 }));
        HubRemoval removal = HubRemoval.OfPartial(Layout)!;
        Assert.Matches(@"^what is not complete of openai/gpt-oss-20b \(20[12]\.\d kB\)$", removal.ToString());
        removal.Run();
        Assert.False(Directory.Exists(Layout.Folder));
        Assert.Null(HubRemoval.OfPartial(Layout));
    }

    [Fact]
    public async Task A_whole_model_has_nothing_partial()
    {
        string path = await DownloadAsync();
        Assert.Null(HubRemoval.OfPartial(Layout));
        File.WriteAllBytes(Layout.Partial(new string('0', 64)), [1]);
        HubRemoval.OfPartial(Layout)!.Run();
        AssertWhole(path);
    }

    [Fact]
    public async Task While_another_process_fetches_a_file_nothing_is_removed()
    {
        string path = await DownloadAsync();
        using IDisposable? held = FileLock.TryTake(Layout.Lock(FakeHub.Hash(Fake.Files[Second])));
        HubException error = Assert.Throws<HubException>(() => HubRemoval.OfSnapshot(Layout, null)!.Run());
        Assert.Equal(HubProblem.Busy, error.Problem);
        AssertWhole(path);
    }
}

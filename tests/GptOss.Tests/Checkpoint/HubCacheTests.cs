using GptOss.Checkpoint;
using GptOss.Checkpoint.Safetensors;
using GptOss.Tests.Oracles;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Checkpoint;

/// <summary>
/// The cache of Hugging Face's tools: the repository's folder opens its snapshot, and names the model.
/// </summary>
public sealed class HubCacheTests : IDisposable
{
    private const string Commit = "6cee5e81ee83917806bbde320786a8fb61efebee",
        Other = "0123456789012345678901234567890123456789";

    private readonly TemporaryFolder _hub = new();

    private string Repository => Path.Join(_hub.Path, "models--openai--gpt-oss-20b");

    [Theory]
    [InlineData("/hub/models--openai--gpt-oss-20b/snapshots/0123", "openai/gpt-oss-20b")]
    [InlineData("/hub/models--openai--gpt-oss-20b/snapshots/0123/original/", "openai/gpt-oss-20b")]
    [InlineData("/hub/models--openai--gpt-oss-20b", "openai/gpt-oss-20b")]
    [InlineData("/hub/models--me--my--tuned--model/snapshots/0123", "me/my--tuned--model")]
    [InlineData("/hub/models--gpt-oss/snapshots/0123", "gpt-oss")]
    [InlineData("/hub/models--openai--gpt-oss-20b/blobs", null)]
    [InlineData("/hub/models--/snapshots/0123", null)]
    [InlineData("/models/gpt-oss-20b", null)]
    public void A_path_in_a_cache_tells_the_repository(string path, string? repository) =>
        Assert.Equal(repository, HubCache.Repository(path));

    [Theory]
    [InlineData("")]
    [InlineData("snapshots")]
    [InlineData("snapshots/" + Commit)]
    public async Task The_folder_of_a_repository_is_its_main_snapshot_and_names_the_model(string inside)
    {
        WriteSnapshot(Commit);
        Directory.CreateDirectory(Path.Join(Repository, "snapshots", Other));
        WriteRef(Commit);
        CancellationToken stop = TestContext.Current.CancellationToken;

        await using GptOssModel model = await GptOssModel.LoadAsync(
            Path.Join(Repository, inside),
            cancellationToken: stop
        );

        Assert.Equal("openai/gpt-oss-20b", model.Name);
        Assert.Equal(Path.Join(Repository, "snapshots", Commit), model.Folder.TrimEnd('/'));
    }

    [Fact]
    public async Task A_chat_client_bears_the_repositorys_name_or_the_given_one()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        string snapshot = Path.Join(Repository, "snapshots", Commit);
        Directory.CreateDirectory(snapshot);
        foreach (string file in Directory.EnumerateFiles(TinyGptOss.Folder))
            File.Copy(file, Path.Join(snapshot, Path.GetFileName(file)));

        await using (GptOssChatClient client = await GptOssChatClient.LoadAsync(Repository, cancellationToken: stop))
            Assert.Equal("openai/gpt-oss-20b", IdOf(client));
        await using (
            GptOssChatClient client = await GptOssChatClient.LoadAsync(
                snapshot,
                modelId: "mine",
                cancellationToken: stop
            )
        )
            Assert.Equal("mine", IdOf(client));

        static string? IdOf(GptOssChatClient client) =>
            ((ChatClientMetadata?)client.GetService(typeof(ChatClientMetadata)))?.DefaultModelId;
    }

    [Fact]
    public void Without_a_ref_a_single_snapshot_is_opened_and_several_are_named()
    {
        Directory.CreateDirectory(Path.Join(Repository, "snapshots"));
        Assert.Contains("without any snapshot", Refusal());
        WriteSnapshot(Commit);
        using (var folder = SafetensorsFolder.Open(Repository))
            Assert.EndsWith(Commit, folder.Path);
        Directory.CreateDirectory(Path.Join(Repository, "snapshots", Other));
        Assert.Contains($"open one of them, such as '{Other}'", Refusal());
    }

    [Fact]
    public void A_ref_without_its_snapshot_and_one_that_is_no_name_are_refused()
    {
        WriteSnapshot(Commit);
        WriteRef(Other);
        Assert.Contains($"names the snapshot '{Other}', which is not in its folder", Refusal());
        WriteRef("../../elsewhere");
        Assert.Contains("refs/main: should hold the name of a snapshot", Refusal());
    }

    [Fact]
    public void A_whole_cache_is_told_from_a_model()
    {
        WriteSnapshot(Commit);
        Assert.Contains(
            "it is a cache of Hugging Face: open a repository in it, such as 'models--openai--gpt-oss-20b'",
            Assert.Throws<CheckpointException>(() => SafetensorsFolder.Open(_hub.Path)).Message
        );
    }

    public void Dispose() => _hub.Dispose();

    private string Refusal() => Assert.Throws<CheckpointException>(() => SafetensorsFolder.Open(Repository)).Message;

    private void WriteRef(string commit)
    {
        Directory.CreateDirectory(Path.Join(Repository, "refs"));
        File.WriteAllText(Path.Join(Repository, "refs", "main"), commit);
    }

    // As huggingface_hub lays it: relative links to blobs.
    private void WriteSnapshot(string commit)
    {
        using var files = new TemporaryFolder();
        TinyCheckpoint.Write(files.Path, seed: 1);
        string blobs = Path.Join(Repository, "blobs"),
            snapshot = Path.Join(Repository, "snapshots", commit);
        Directory.CreateDirectory(blobs);
        Directory.CreateDirectory(snapshot);
        foreach (string file in Directory.EnumerateFiles(files.Path))
        {
            string name = Path.GetFileName(file);
            File.Copy(file, Path.Join(blobs, "hash-of-" + name));
            File.CreateSymbolicLink(Path.Join(snapshot, name), Path.Join("..", "..", "blobs", "hash-of-" + name));
        }
    }
}

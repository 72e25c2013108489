using System.Text.Json;
using GptOss.Tests.Cli;

namespace GptOss.Tests.Hub;

/// <summary><c>gptoss list</c>, <c>remove</c> and <c>doctor</c> as processes, in a home that is made up.</summary>
[Trait("speed", "slow")] // every case is a process
public sealed class StoreCommandTests : IDisposable
{
    private readonly Home _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public void The_list_is_a_table_or_one_object()
    {
        ToolRun empty = HubTool.Run(_home, null, "list");
        Assert.Equal(
            (0, "", "gptoss: no model is in any store. 'gptoss pull gpt-oss-20b' fetches one (13.8 GB).\n"),
            (empty.ExitCode, empty.Output, empty.Error)
        );
        string blob = _home.Ollama("registry.ollama.ai/library/gpt-oss/20b", Home.Gguf());
        string folder = _home.Snapshot("openai/gpt-oss-20b");
        string[] lines = HubTool.Run(_home, null, "list").Output.Split('\n');
        Assert.Equal("models, each by the name that --model takes", lines[0]);
        Assert.Matches(@"^  gpt-oss-20b +HuggingFace +Safetensors +4\.\d MB +6cee5e81ee83 +" + folder + "$", lines[2]);
        Assert.Matches(@"^  ollama:gpt-oss:20b +Ollama +Gguf +200 bytes +[0-9a-f]{12} +" + blob + "$", lines[3]);

        var json = JsonElement.Parse(HubTool.Run(_home, null, "list", "--json").Output);
        JsonElement ollama = json.GetProperty("models")[1];
        Assert.Equal("ollama:gpt-oss:20b", ollama.GetProperty("name").GetString());
        Assert.Equal("Ollama", ollama.GetProperty("store").GetString());
        Assert.Equal("Gguf", ollama.GetProperty("format").GetString());
        Assert.Equal(200, ollama.GetProperty("bytes").GetInt64());
        Assert.Equal(blob, ollama.GetProperty("path").GetString());
        Assert.Equal(0, json.GetProperty("partial").GetArrayLength());
    }

    [Theory]
    [InlineData("NAME", "doctor", "")]
    [InlineData("NAME", "remove", "")]
    [InlineData("NAME", "pull", "")]
    [InlineData("--to", "pull", "gpt-oss-20b", "--to", "")]
    [InlineData("--revision", "remove", "gpt-oss-20b", "--revision", "")]
    public void An_empty_text_is_named(string what, params string[] command) =>
        HubTool.Run(_home, null, command).AssertRefused(2, $"{what} is an empty text. It should be a path or a name.");

    [Fact]
    public void Only_Hugging_Faces_store_is_removed_from()
    {
        string folder = _home.Snapshot("openai/gpt-oss-20b");
        _home.Ollama("registry.ollama.ai/library/gpt-oss/20b", Home.Gguf());
        string docker = _home.Docker("ai/gpt-oss:latest", Home.Gguf());
        HubTool
            .Run(_home, null, "remove", "ollama:gpt-oss:20b", "-y")
            .AssertRefused(
                2,
                "ollama:gpt-oss:20b is not in Hugging Face's cache, and nothing else is removed here. Ollama's own way: ollama rm gpt-oss:20b"
            );
        HubTool
            .Run(_home, null, "remove", "docker:gpt-oss", "-y")
            .AssertRefused(2, "docker model rm ai/gpt-oss:latest");
        HubTool
            .Run(_home, null, "remove", "gpt-oss-20b")
            .AssertRefused(
                2,
                "--yes is needed where nobody can be asked. To be removed: openai/gpt-oss-20b @ 6cee5e8 (4."
            );
        HubTool.Run(_home, null, "remove", "gpt-oss-20b", "--partial", "-y").AssertRefused(2, "has no download in ");
        HubTool
            .Run(_home, null, "remove", "gpt-oss-20b", "--revision", "v2", "-y")
            .AssertRefused(2, "has no revision 'v2' in ");
        Assert.True(Directory.Exists(folder));

        ToolRun run = HubTool.Run(_home, null, "remove", "hf:openai/gpt-oss-20b@main", "--yes");
        Assert.Matches(@"^Removed openai/gpt-oss-20b @ 6cee5e8 \(4\.\d MB\)\.\n$", run.Output);
        Assert.False(Directory.Exists(folder));
        Assert.True(File.Exists(docker));
        HubTool
            .Run(_home, null, "remove", "me/mine", "-y")
            .AssertRefused(1, "me/mine: is no file or folder, and not in ");
    }

    [Fact]
    public void The_doctor_tells_what_the_machine_can_run_and_what_is_wrong()
    {
        ToolRun healthy = HubTool.Run(_home, null, "doctor");
        Assert.Equal((0, ""), (healthy.ExitCode, healthy.Error));
        Assert.Matches(@"\n  registers +(\d+ bits|no vector instructions)\n", healthy.Output);
        Assert.Matches(@"\n  read bandwidth +[\d.]+ GB/s\n", healthy.Output);
        Assert.Matches(@"\n  gpt-oss-20b \(not here\) +13\.8 GB +3\.\d GB +[\d.]+ +\w", healthy.Output);
        Assert.Matches(@"\n  gpt-oss-120b \(not here\) +65\.2 GB +\d\.\d GB +[\d.]+ +\w", healthy.Output);
        Assert.EndsWith("\nno problem was found; 'gptoss pull gpt-oss-20b' fetches a model\n", healthy.Output);

        string folder = _home.Snapshot("openai/gpt-oss-20b");
        string repository = Path.GetDirectoryName(Path.GetDirectoryName(folder))!;
        File.CreateSymbolicLink(Path.Join(folder, "broken"), "../../blobs/nothing");
        string partial = _home.Write(
            Path.GetRelativePath(
                _home.Path,
                Path.Join(repository, "blobs", new string('1', 64) + ".0a1b2c3d.incomplete")
            ),
            new byte[1500]
        );
        File.WriteAllText(Path.Join(repository, "refs", "v2"), new string('2', 40));
        ToolRun ill = HubTool.Run(_home, null, "doctor");
        Assert.Equal(1, ill.ExitCode);
        Assert.Matches(@"\n  Hugging Face +1 +4\.\d MB +", ill.Output);
        Assert.Matches(@"\n  gpt-oss-20b +4\.\d MB +[\d.]+ MB +[\d,.]+ +fits\n", ill.Output);
        Assert.Equal(
            [
                "problems",
                $"  {folder}/broken is a link to nothing. 'gptoss pull gpt-oss-20b' makes it whole.",
                $"  {partial} (1.5 kB) is what a download left that did not end. Delete it, or pull again.",
                $"  {repository}/refs/v2 names a snapshot that is not there. 'gptoss pull gpt-oss-20b' fetches it.",
                "",
            ],
            ill.Output.Split('\n')[^5..]
        );
    }

    [Fact]
    public void The_doctor_compares_files_with_the_hashes_that_are_their_names()
    {
        string blob = _home.Ollama("registry.ollama.ai/library/gpt-oss/20b", Home.Gguf());
        // Shorter than a model, so that it cannot be opened; that is a problem of its own.
        ToolRun right = HubTool.Run(_home, null, "doctor", "ollama:gpt-oss:20b", "--hash");
        Assert.DoesNotContain("does not have the content", right.Output);
        Assert.Equal($"gptoss: reading {blob}\n", right.Error);
        byte[] content = File.ReadAllBytes(blob);
        content[^1] ^= 1;
        File.WriteAllBytes(blob, content);
        ToolRun wrong = HubTool.Run(_home, null, "doctor", "ollama:gpt-oss:20b", "--hash");
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains(
            $"{blob} does not have the content that its name says: delete it and fetch the model again.",
            wrong.Output
        );
    }
}

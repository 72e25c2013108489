using System.Text;
using GptOss.Hub;

namespace GptOss.Tests.Hub;

/// <summary>What is said where a name or a path is no model, or not a whole one.</summary>
public sealed class FinderMessageTests : IDisposable
{
    private const string OllamaLibrary = "registry.ollama.ai/library/";

    private readonly Home _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public void A_folder_with_several_models_asks_for_one()
    {
        _home.Write("m/a.gguf", Home.Gguf());
        _home.Write("m/b.gguf", Home.Gguf());
        _home.Write("m/mmproj.gguf", Home.Gguf("clip"));
        string folder = Path.Join(_home.Path, "m");
        Assert.Equal($"{folder}: holds 2 GGUF models: 'a.gguf', 'b.gguf'. Name one of them.", Refusal(folder));
        _home.HuggingFace("a/b", "x/a.gguf", Home.Gguf());
        string snapshot = Path.GetDirectoryName(_home.HuggingFace("a/b", "b.gguf", Home.Gguf()))!;
        Assert.Equal($"{snapshot}: holds 2 GGUF models: 'b.gguf', 'x/a.gguf'. Name one of them.", Refusal("a/b"));
    }

    [Theory]
    [InlineData(
        "page",
        "<!DOCTYPE html><html>Sign in</html>",
        "is a web page and not the file: the server answered the download with a page. Download it again, signed in if the repository asks for it."
    )]
    [InlineData(
        "m.gguf",
        "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n",
        "is a Git LFS pointer and not the file itself: run 'git lfs pull' in its folder."
    )]
    [InlineData(
        "a.incomplete",
        "GGUF....",
        "is not complete: it is the beginning of a file whose download did not end. Run 'gptoss pull' again."
    )]
    [InlineData(
        "sha256-0-partial",
        "GGUF....",
        "is not complete: it is the beginning of a file whose download did not end. Run 'gptoss pull' again."
    )]
    public void A_file_that_is_no_model_is_told_by_its_beginning(string name, string content, string reason)
    {
        string path = _home.Write(name, content);
        Assert.Equal($"{path}: {reason}", Refusal(path));
    }

    [Theory]
    [InlineData("hf:me/mine@v1/q/m.gguf", "gptoss pull me/mine q/m.gguf --revision v1")]
    [InlineData("hf:openai/gpt-oss-20b@main", "gptoss pull gpt-oss-20b")]
    public void What_the_cache_does_not_have_is_fetched_by_a_command_that_pull_takes(string name, string command) =>
        Assert.EndsWith($" '{command}' fetches it.", Refusal(name));

    [Fact]
    public void A_GGUF_of_another_kind_says_what_it_is()
    {
        string llama = _home.Write("a", Home.Gguf("llama")),
            adapter = _home.Write("b", Home.Gguf(type: "adapter"));
        Assert.Equal(
            $"{llama}: is a GGUF file of the architecture 'llama', but should be of 'gpt-oss'. This engine runs no other architecture.",
            Refusal(llama)
        );
        Assert.Equal($"{adapter}: is a GGUF file of the type 'adapter', but should be a model.", Refusal(adapter));
    }

    [Theory]
    [InlineData("gpt-oss:20b", "gpt-oss-20b")]
    [InlineData("GPT-OSS-20", "gpt-oss-20b")]
    [InlineData("openai/gpt-oss-120", "gpt-oss-120b")]
    [InlineData("gptoss", "gpt-oss-20b or gpt-oss-120b")]
    public void A_name_that_is_nearly_one_is_answered_with_it(string name, string meant) =>
        Assert.Equal(
            $"{name}: is no file or folder, and no model's name. Did you mean {meant}? No model is in any store.",
            Refusal(name)
        );

    [Fact]
    public void The_name_of_another_tool_s_model_is_answered_with_the_store_before_it()
    {
        _home.Ollama(OllamaLibrary + "gpt-oss/20b", Home.Gguf());
        Assert.Contains(" Did you mean ollama:gpt-oss:20b? ", Refusal("gpt-oss:20b"));
    }

    [Fact]
    public void What_Ollama_keeps_beside_models_is_told_by_name()
    {
        string manifests = Path.Join(_home.Path, ".ollama/models/manifests", OllamaLibrary);
        _home.Ollama(OllamaLibrary + "x/1", Home.Gguf(), "application/vnd.ollama.image.tensor");
        Assert.Equal(
            $"{manifests}x/1: names layers of 'application/vnd.ollama.image.tensor', Ollama's own store of single tensors, which only Ollama reads. Pull a GGUF form of the model.",
            Refusal("ollama:x:1")
        );
        _home.Ollama(OllamaLibrary + "x/1", Home.Gguf(), "application/vnd.ollama.image.adapter");
        Assert.Equal(
            $"{manifests}x/1: has a layer of 'application/vnd.ollama.image.adapter': an adapter that Ollama puts onto its base. It cannot be used here.",
            Refusal("ollama:x:1")
        );
        _home.Ollama(OllamaLibrary + "x/1", Home.Gguf(), "application/vnd.ollama.image.projector");
        Assert.Equal(
            $"{manifests}x/1: should have one layer of 'application/vnd.ollama.image.model', but has 0 among 2.",
            Refusal("ollama:x:1")
        );
        string blob = _home.Ollama(OllamaLibrary + "x/1", Home.Gguf("clip"));
        Assert.Equal(
            $"{blob}: is a GGUF file of the architecture 'clip', but should be of 'gpt-oss'. This engine runs no other architecture.",
            Refusal("ollama:x:1")
        );
        File.Delete(blob);
        Assert.Equal(
            $"{blob}: is not there, but ollama:x:1 needs it. Run 'ollama pull x:1' again.",
            Refusal("ollama:x:1")
        );
        string manifest = _home.Write(
            $".ollama/models/manifests/{OllamaLibrary}x/1",
            """{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:../../secret"}]}"""
        );
        Assert.Equal(
            $"{manifest}: field 'layers.digest': expected sha256: and 64 hexadecimal digits, found 'sha256:../../secret'.",
            Refusal("ollama:x:1")
        );
    }

    [Fact]
    public void Nothing_found_says_where_was_looked_what_is_there_and_what_to_type()
    {
        string stores =
            $"Hugging Face ({_home.Path}/.cache/huggingface/hub), Ollama ({_home.Path}/.ollama/models{(OperatingSystem.IsLinux() ? ", /usr/share/ollama/.ollama/models" : "")}), "
            + $"LM Studio ({_home.Path}/.lmstudio/models, {_home.Path}/.cache/lm-studio/models), Docker ({_home.Path}/.docker/models), llama.cpp ({_home.Path}/.cache/llama.cpp)";
        Assert.Equal(
            $"gpt-oss-20b: is no file or folder, and not in {stores}. No model is in any store. 'gptoss pull gpt-oss-20b' fetches it.",
            Refusal("gpt-oss-20b")
        );
        _home.Ollama(OllamaLibrary + "gpt-oss/120b", Home.Gguf());
        Assert.Equal(
            $"me/mine: is no file or folder, and not in {stores}. There is 'ollama:gpt-oss:120b'. 'gptoss pull me/mine' fetches it.",
            Refusal("me/mine")
        );
        Assert.Equal(
            $"nonsense: is no file or folder, and not in {stores}. There is 'ollama:gpt-oss:120b'. A name is gpt-oss-20b, gpt-oss-120b or OWNER/NAME, or begins with the store: hf:, ollama:, lmstudio:, docker:.",
            Refusal("nonsense")
        );
        Assert.Equal(
            $"docker:x: is no file or folder, and not in Docker ({_home.Path}/.docker/models). There is 'ollama:gpt-oss:120b'. 'docker model pull x' fetches it.",
            Refusal("docker:x")
        );
        Assert.Equal("./no/such: does not exist. It should be the folder of a model.", Refusal("./no/such"));
    }

    [Fact]
    public void A_download_that_did_not_end_says_how_much_is_there_and_how_to_go_on()
    {
        var layout = new HubLayout(HubLayout.HubOf(_home.Surroundings), new RepositoryName("openai", "gpt-oss-20b"));
        string half = new('1', 64),
            whole = new('2', 64);
        var plan = new DownloadPlan(
            layout.Repository,
            "main",
            Home.Commit,
            null,
            [new HubFile("a.safetensors", 4_000_000, half), new HubFile("b.safetensors", 800_000, whole)]
        );
        const string Folder = ".cache/huggingface/hub/models--openai--gpt-oss-20b/blobs/";
        _home.Write($"{Folder}{half}.gptoss.incomplete", new byte[2_300_000]);
        _home.Write($"{Folder}{whole}", new byte[800_000]);
        _home.Write($"{Folder}{Home.Commit}.gptoss.plan", plan.ToJson());
        string message = $"{layout.Folder}: is not complete: 3.1 of 4.8 MB. Run 'gptoss pull gpt-oss-20b' to go on.";
        Assert.Equal(message, Refusal("gpt-oss-20b"));
        Assert.Equal(message, Refusal($"hf:openai/gpt-oss-20b@{Home.Commit}"));
        string partial = layout.Partial(half);
        Assert.Equal(
            $"{partial}: is not complete: 2.3 of 4.0 MB. Run 'gptoss pull gpt-oss-20b' to go on.",
            Refusal(partial)
        );
        Assert.Empty(_home.Finder.List());

        string snapshot = _home.Snapshot("openai/gpt-oss-20b");
        File.Delete(Path.Join(snapshot, "model.safetensors"));
        File.WriteAllText(
            Path.Join(snapshot, "model.safetensors.index.json"),
            """{"weight_map":{"a":"model-00001-of-00001.safetensors"}}"""
        );
        Assert.Equal(message, Refusal("gpt-oss-20b"));
        File.Delete(layout.Plan(plan));
        Assert.Equal(
            $"{snapshot}: is not complete: 'model-00001-of-00001.safetensors' is missing, one of 1 files with weights. Run 'gptoss pull openai/gpt-oss-20b'.",
            Refusal("gpt-oss-20b")
        );
    }

    [Fact]
    public void A_plan_reads_back_as_it_was_written_and_a_damaged_one_is_none()
    {
        var plan = new DownloadPlan(
            new RepositoryName("me", "mine"),
            "v1",
            Home.Commit,
            "Q4_K_M",
            [new HubFile("a/b.gguf", 13_780_154_624, new string('a', 64))]
        );
        string path = _home.Write("plan", plan.ToJson());
        DownloadPlan read = DownloadPlan.Read(path);
        Assert.Equal(plan with { Files = [] }, read with { Files = [] });
        Assert.Equal(plan.Files, read.Files);
        Assert.Equal("gptoss pull me/mine Q4_K_M --revision v1", read.Command);
        string text = Encoding.UTF8.GetString(plan.ToJson());
        string[] damages =
        [
            text[..^3],
            text.Replace("13780154624", "many", StringComparison.Ordinal),
            text.Replace(new string('a', 64), "../../x", StringComparison.Ordinal),
            text.Replace("me/mine", "../mine", StringComparison.Ordinal),
        ];
        foreach (string damaged in damages)
            Assert.Throws<CheckpointException>(() => DownloadPlan.Read(_home.Write("plan", damaged)));
    }

    [Fact]
    public void Whatever_is_typed_is_found_or_refused_with_an_error_of_ours()
    {
        _home.Snapshot("openai/gpt-oss-20b");
        _home.Ollama(OllamaLibrary + "gpt-oss/20b", Home.Gguf());
        _home.Docker("ai/gpt-oss:latest", Home.Gguf());
        _home.Write(".lmstudio/models/a/b/c.gguf", Home.Gguf());
        string[] parts =
        [
            "gpt-oss-20b",
            "ollama:gpt-oss:20b",
            "lmstudio:a/b",
            "ollama:",
            "hf:",
            "docker:",
            "lmstudio:",
            "gpt-oss",
            "20b",
            "..",
            "/",
            ":",
            "@",
            "a",
            "b",
            "\0",
            "%",
            "~",
            "\ud800",
        ];
        var random = new Random(14);
        int found = 0;
        for (int i = 0; i < 600; i++)
        {
            string name = string.Concat(random.GetItems(parts, random.Next(1, 7)));
            try
            {
                // Paths of the machine itself are not what is tried here.
                if (name[0] is not ('.' or '/' or '~') && _home.Finder.Find(name).Path.StartsWith(_home.Path))
                    found++;
            }
            catch (CheckpointException)
            {
                // The only error that a name may meet.
            }
        }
        Assert.InRange(found, 1, 1000);
    }

    [Fact]
    public void Links_in_a_circle_are_told()
    {
        string folder = _home.Snapshot("openai/gpt-oss-20b");
        File.Delete(Path.Join(folder, "model.safetensors"));
        File.CreateSymbolicLink(Path.Join(folder, "model.safetensors"), "model.safetensors");
        Assert.Contains("circle", Refusal("gpt-oss-20b"));
        Assert.Contains(
            Path.Join(folder, "model.safetensors"),
            HubLayout.All(HubLayout.HubOf(_home.Surroundings)).Single().BrokenLinks()
        );
        Assert.Empty(_home.Finder.List());
    }

    private string Refusal(string name) => Assert.Throws<CheckpointException>(() => _home.Finder.Find(name)).Message;
}

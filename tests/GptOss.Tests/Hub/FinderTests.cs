using System.Diagnostics;
using GptOss.Tests.Checkpoint.Gguf;

namespace GptOss.Tests.Hub;

/// <summary>From names to files in the stores of five tools, which are made up in an empty home.</summary>
public sealed class FinderTests : IDisposable
{
    private const string OllamaLibrary = "registry.ollama.ai/library/";

    private readonly Home _home = new();

    public void Dispose() => _home.Dispose();

    [Theory]
    [InlineData("ollama:gpt-oss:20b", OllamaLibrary + "gpt-oss/20b", "ollama:gpt-oss:20b")]
    [InlineData("ollama:gpt-oss", OllamaLibrary + "gpt-oss/latest", "ollama:gpt-oss:latest")]
    [InlineData("OLLAMA:me/mine:v1.5", "registry.ollama.ai/me/mine/v1.5", "ollama:me/mine:v1.5")]
    [InlineData("ollama:hf.co/a/b-GGUF:Q4_K_M", "hf.co/a/b-GGUF/Q4_K_M", "ollama:hf.co/a/b-GGUF:Q4_K_M")]
    [InlineData("gpt-oss-20b", OllamaLibrary + "gpt-oss/20b", "ollama:gpt-oss:20b")]
    [InlineData("gpt-oss-20b", OllamaLibrary + "gpt-oss/latest", "ollama:gpt-oss:latest")]
    [InlineData("GPT-OSS-120b", OllamaLibrary + "gpt-oss/120b", "ollama:gpt-oss:120b")]
    [InlineData("openai/gpt-oss-120b", OllamaLibrary + "gpt-oss/120b-cloudless", "ollama:gpt-oss:120b-cloudless")]
    [InlineData(
        "unsloth/gpt-oss-20b-GGUF",
        "hf.co/unsloth/gpt-oss-20b-GGUF/Q4",
        "ollama:hf.co/unsloth/gpt-oss-20b-GGUF:Q4"
    )]
    public void Ollama_has_the_blob_that_its_manifest_names(string name, string manifest, string found)
    {
        string blob = _home.Ollama(manifest, Home.Gguf("gptoss"));
        Assert.Equal(
            new FoundModel(found, blob, ModelStore.Ollama, ModelFormat.Gguf, 200, Path.GetFileName(blob)[7..]),
            _home.Finder.Find(name)
        );
    }

    [Theory]
    [InlineData("gpt-oss-120b", OllamaLibrary + "gpt-oss/latest")]
    [InlineData("gpt-oss-20b", OllamaLibrary + "gpt-oss/120b")]
    [InlineData("gpt-oss-20b", OllamaLibrary + "gpt-oss-20b-of-mine/latest")]
    [InlineData("ollama:../../gpt-oss:20b", OllamaLibrary + "gpt-oss/20b")]
    [InlineData("ollama:a/b/c/gpt-oss:20b", OllamaLibrary + "gpt-oss/20b")]
    public void Ollama_has_nothing_under_another_name(string name, string manifest)
    {
        _home.Ollama(manifest, Home.Gguf());
        Assert.Contains(": is no file or folder, and not in ", Refusal(name));
    }

    [Theory]
    [InlineData("LM/repo", "lmstudio:LM/repo", "a.gguf", "lmstudio:LM/repo")]
    [InlineData("LM/repo", "lmstudio:LM/repo/a.gguf", "a.gguf", "lmstudio:LM/repo/a.gguf")]
    [InlineData("LM/repo", "LM/repo", "a.gguf", "lmstudio:LM/repo")]
    [InlineData(
        "lmstudio-community/gpt-oss-20b-GGUF",
        "gpt-oss-20b",
        "a",
        "lmstudio:lmstudio-community/gpt-oss-20b-GGUF"
    )]
    [InlineData("openai/gpt-oss-20b", "gpt-oss-20b", "gpt-oss-20b-MXFP4.gguf", "lmstudio:openai/gpt-oss-20b")]
    public void LM_Studio_has_files_below_publisher_and_repository(string place, string name, string file, string found)
    {
        string path = _home.Write($".lmstudio/models/{place}/{file}", Home.Gguf());
        Assert.Equal(
            new FoundModel(found, path, ModelStore.LmStudio, ModelFormat.Gguf, 200, null),
            _home.Finder.Find(name)
        );
    }

    [Theory]
    [InlineData("docker:gpt-oss", "ai/gpt-oss:latest", "docker:ai/gpt-oss:latest")]
    [InlineData("docker:ai/gpt-oss:latest", "index.docker.io/ai/gpt-oss:latest", "docker:ai/gpt-oss:latest")]
    [InlineData("docker:me/mine:v1", "docker.io/me/mine:v1", "docker:me/mine:v1")]
    [InlineData("gpt-oss-20b", "ai/gpt-oss:latest", "docker:ai/gpt-oss:latest")]
    [InlineData("gpt-oss-120b", "ai/gpt-oss:120B-UD-Q8", "docker:ai/gpt-oss:120B-UD-Q8")]
    [InlineData("me/mine", "hf.co/me/mine:latest", "docker:hf.co/me/mine:latest")]
    public void Docker_has_the_blob_of_the_manifest_of_the_list(string name, string tag, string found)
    {
        string blob = _home.Docker(tag, Home.Gguf());
        Assert.Equal(
            new FoundModel(found, blob, ModelStore.Docker, ModelFormat.Gguf, 200, Path.GetFileName(blob)),
            _home.Finder.Find(name)
        );
    }

    [Theory]
    [InlineData("gpt-oss-20b", "ggml-org_gpt-oss-20b-GGUF_gpt-oss-20b-mxfp4.gguf")]
    [InlineData("gpt-oss-20b", "gpt-oss-20b-mxfp4.gguf")]
    [InlineData("me/mine", "me_mine_model.gguf")]
    public void Llama_cpp_has_files_whose_names_begin_with_the_repository(string name, string file)
    {
        string path = _home.Write($".cache/llama.cpp/{file}", Home.Gguf());
        Assert.Equal(
            new FoundModel(path, path, ModelStore.LlamaCpp, ModelFormat.Gguf, 200, null),
            _home.Finder.Find(name)
        );
        _home.Variables["LLAMA_CACHE"] = Path.Join(_home.Path, "elsewhere");
        Assert.Contains("No model is in any store.", Refusal(name));
        _home.Write($"elsewhere/{file}", Home.Gguf());
        Assert.StartsWith(_home.Variables["LLAMA_CACHE"], _home.Finder.Find(name).Path);
    }

    [Theory]
    [InlineData("gpt-oss-20b", "openai/gpt-oss-20b", "gpt-oss-20b")]
    [InlineData("openai/gpt-oss-20b", "openai/gpt-oss-20b", "gpt-oss-20b")]
    [InlineData("hf:openai/gpt-oss-20b", "openai/gpt-oss-20b", "gpt-oss-20b")]
    [InlineData("hf:me/mine@main", "me/mine", "hf:me/mine@main")]
    [InlineData("hf:me/mine@" + Home.Commit, "me/mine", "hf:me/mine@" + Home.Commit)]
    [InlineData("me/mine", "me/mine", "me/mine")]
    public void Hugging_Faces_cache_has_snapshots_of_repositories(string name, string repository, string found)
    {
        string folder = _home.Snapshot(repository);
        long bytes = new FileInfo(Path.Join(folder, "model.safetensors")).Length;
        Assert.Equal(
            new FoundModel(found, folder, ModelStore.HuggingFace, ModelFormat.Safetensors, bytes, Home.Commit),
            _home.Finder.Find(name)
        );
    }

    [Theory]
    [InlineData("hf:a/b", "m.gguf", "a/b")]
    [InlineData("a/b", "q/m", "a/b")] // no extension, in a subfolder
    [InlineData("hf:a/b/q/m.gguf", "q/m.gguf", "hf:a/b/q/m.gguf")]
    public void Hugging_Faces_cache_has_GGUF_files(string name, string file, string found)
    {
        string path = _home.HuggingFace("a/b", file, Home.Gguf());
        _home.HuggingFace("a/b", "config.json", [.. "{}"u8]); // as the repositories of others have it
        FoundModel model = _home.Finder.Find(name);
        Assert.Equal((found, path, ModelFormat.Gguf), (model.Name, model.Path, model.Format));
    }

    [Fact]
    public void Each_store_lies_where_its_own_variables_say()
    {
        using var other = new Home();
        string ollama = other.Ollama(OllamaLibrary + "gpt-oss/20b", Home.Gguf());
        string docker = other.Docker("ai/x:latest", Home.Gguf());
        string hub = other.HuggingFace("a/b", "m.gguf", Home.Gguf());
        _home.Variables["OLLAMA_MODELS"] = Path.Join(other.Path, ".ollama/models");
        _home.Variables["MODELS_PATH"] = Path.Join(other.Path, ".docker/models");
        Assert.Equal(ollama, _home.Finder.Find("ollama:gpt-oss:20b").Path);
        Assert.Equal(docker, _home.Finder.Find("docker:ai/x").Path);

        (string Variable, string Folder)[] variables =
        [
            ("HF_HUB_CACHE", ".cache/huggingface/hub"),
            ("HUGGINGFACE_HUB_CACHE", ".cache/huggingface/hub"),
            ("HF_HOME", ".cache/huggingface"),
            ("XDG_CACHE_HOME", ".cache"),
        ];
        foreach ((string variable, string folder) in variables)
        {
            _home.Variables.Clear();
            _home.Variables[variable] = Path.Join(other.Path, folder);
            Assert.Equal(hub, _home.Finder.Find("a/b").Path);
        }
        _home.Variables["HF_HUB_CACHE"] = Path.Join(other.Path, "nothing"); // stronger than the others
        Assert.StartsWith("a/b: is no file", Refusal("a/b"));
    }

    [Fact]
    public void A_bare_name_is_looked_up_store_by_store_and_an_incomplete_model_is_passed_over()
    {
        _home.Write(".cache/llama.cpp/gpt-oss-20b.gguf", Home.Gguf());
        Assert.Equal(ModelStore.LlamaCpp, Store());
        _home.Docker("ai/gpt-oss:latest", Home.Gguf());
        Assert.Equal(ModelStore.Docker, Store());
        _home.Write(".lmstudio/models/openai/gpt-oss-20b/m.gguf", Home.Gguf());
        Assert.Equal(ModelStore.LmStudio, Store());
        string blob = _home.Ollama(OllamaLibrary + "gpt-oss/20b", Home.Gguf());
        Assert.Equal(ModelStore.Ollama, Store());
        _home.Snapshot("openai/gpt-oss-20b");
        Assert.Equal(ModelStore.HuggingFace, Store());
        File.Delete(Path.Join(_home.Finder.Find("gpt-oss-20b").Path, "model.safetensors"));
        Assert.Equal(ModelStore.Ollama, Store());
        File.Delete(blob);
        Assert.Equal(ModelStore.LmStudio, Store());

        ModelStore Store() => _home.Finder.Find("gpt-oss-20b").Store;
    }

    [Fact]
    public void The_list_has_what_is_whole_and_of_this_architecture_each_by_a_name_that_finds_it()
    {
        _home.Snapshot("openai/gpt-oss-20b");
        _home.HuggingFace("a/b", "one-Q4_K_M.gguf", Home.Gguf());
        _home.HuggingFace("a/b", "two/one-Q8_0-00001-of-00002.gguf", Home.Gguf());
        _home.HuggingFace("a/b", "two/one-Q8_0-00002-of-00002.gguf", [.. "GGUF"u8, .. new byte[96]]);
        _home.HuggingFace("a/llama", "llama.gguf", Home.Gguf("llama"));
        _home.HuggingFace("a/bert", "config.json", [.. """{"model_type":"bert"}"""u8]);
        _home.Ollama(OllamaLibrary + "gpt-oss/20b", Home.Gguf());
        _home.Ollama(OllamaLibrary + "llama3/latest", Home.Gguf("llama"));
        _home.Write(".ollama/models/manifests/registry.ollama.ai/library/damaged/latest", "{");
        _home.Write(".docker/models/models.json", "nothing");
        string plain = _home.Write(".cache/llama.cpp/gpt-oss-20b.gguf", Home.Gguf());

        IReadOnlyList<FoundModel> all = _home.Finder.List();

        Assert.Equal(
            [
                ("hf:a/b/one-Q4_K_M.gguf", 200L),
                ("hf:a/b/two/one-Q8_0-00001-of-00002.gguf", 300),
                ("gpt-oss-20b", new FileInfo(Path.Join(TinyGptOss.Folder, "model.safetensors")).Length),
                ("ollama:gpt-oss:20b", 200),
                (plain, 200),
            ],
            all.Select(model => (model.Name, model.Bytes))
        );
        Assert.All(all, model => Assert.Equal(model.Path, _home.Finder.Find(model.Name).Path));
    }

    [Fact]
    public void A_path_wins_and_may_be_a_folder_a_file_a_blob_or_any_part_of_a_split_set()
    {
        Assert.Equal(ModelFormat.Safetensors, Find(TinyGptOss.Folder).Format);
        string blob = _home.Ollama(OllamaLibrary + "gpt-oss/20b", Home.Gguf());
        Assert.Equal((blob, ModelStore.Path), (Find(blob).Path, Find(blob).Store));
        string first = _home.Write("split/m-00001-of-00003.gguf", Home.Gguf()),
            second = _home.Write("split/m-00002-of-00003.gguf", [.. "GGUF"u8, .. new byte[60]]);
        Assert.Equal($"{second}: is one of 3 files, of which 'm-00003-of-00003.gguf' is missing.", Refusal(second));
        _home.Write("split/m-00003-of-00003.gguf", [.. "GGUF"u8, .. new byte[60]]);
        _home.Write("split/README.md", "A model");
        foreach (string path in (string[])[first, second, Path.GetDirectoryName(first)!])
            Assert.Equal((first, 328L), (Find(path).Path, Find(path).Bytes));

        FoundModel Find(string path) => _home.Finder.Find(path);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // a text of which a quick look keeps nothing
    public void A_GGUF_is_known_by_its_architecture_wherever_that_key_stands(bool isLong)
    {
        var file = GgufParts.Read(GgufVectors.PathOf("A-bare.gguf"));
        byte[] two = [.. GgufParts.Number(GgufParts.U8, 4), .. GgufParts.Number(2, 8), 1, 2];
        file.Keys.Insert(
            0,
            isLong
                ? new GgufKey("general.description", GgufParts.String, GgufParts.String8(new string('x', 70_000)))
                : new GgufKey("general.bytes", GgufParts.Array, two)
        );
        _home.Write(".lmstudio/models/someone/odd-GGUF/odd.gguf", file.Bytes());
        FoundModel found = _home.Finder.Find("lmstudio:someone/odd-GGUF");
        Assert.Equal(ModelFormat.Gguf, found.Format);
        Assert.Equal(found, Assert.Single(_home.Finder.List()));
    }

    [Fact]
    public async Task A_ref_that_is_a_pipe_or_a_device_is_none_and_nobody_waits_for_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no FIFOs in the file system.");
        string folder = _home.Snapshot("openai/gpt-oss-20b"),
            reference = Path.GetFullPath(Path.Join(folder, "../../refs/main"));
        foreach (bool isPipe in (bool[])[true, false])
        {
            File.Delete(reference);
            if (isPipe)
                await Process.Start("mkfifo", [reference]).WaitForExitAsync(TestContext.Current.CancellationToken);
            else
                File.CreateSymbolicLink(reference, "/dev/zero");
            // The only snapshot is main where no ref says so.
            FoundModel found = await Task.Run(() => _home.Finder.Find("gpt-oss-20b"))
                .WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            Assert.Equal(folder, found.Path);
        }
    }

    [Fact]
    public void A_folder_with_one_GGUF_may_have_a_config_as_repositories_of_GGUF_do()
    {
        string path = _home.Write("m/m.gguf", Home.Gguf());
        _home.Write("m/config.json", """{"model_type":"gpt_oss"}""");
        Assert.Equal((path, ModelFormat.Gguf), Look());
        _home.Write("m/model.safetensors", "weights");
        Assert.Equal((Path.GetDirectoryName(path), ModelFormat.Safetensors), Look());

        (string, ModelFormat) Look() =>
            _home.Finder.Find(Path.GetDirectoryName(path)!) is var found ? (found.Path, found.Format) : default;
    }

    [Fact]
    public void Snapshots_of_several_commits_are_told_apart()
    {
        const string Other = "0123456789012345678901234567890123456789";
        string first = _home.HuggingFace("a/b", "m.gguf", Home.Gguf());
        string second = _home.HuggingFace("a/b", "m.gguf", Home.Gguf(bytes: 300), Other); // now main
        Assert.Equal(
            [("hf:a/b@" + Home.Commit, first), ("a/b", second)],
            _home.Finder.List().Select(model => (model.Name, model.Path)).Reverse()
        );
        File.Delete(Path.Join(_home.Path, ".cache/huggingface/hub/models--a--b/refs/main"));
        Assert.Equal(["hf:a/b@" + Other, "hf:a/b@" + Home.Commit], _home.Finder.List().Select(model => model.Name));
    }

    private string Refusal(string name) => Assert.Throws<CheckpointException>(() => _home.Finder.Find(name)).Message;
}

using GptOss.Tests.Checkpoint.Gguf;

namespace GptOss.Tests.Hub;

/// <summary>Models of several tools, found by name and loaded: the tokens are those of the files themselves.</summary>
public sealed class StoredModelsTests : IDisposable
{
    private readonly Home _home = new();

    public void Dispose() => _home.Dispose();

    [Theory]
    [InlineData("ollama:gpt-oss:20b", "A-ollama-first")]
    [InlineData("lmstudio:openai/gpt-oss-20b", "A-q8_0")]
    [InlineData("docker:gpt-oss", "A-q4km")]
    [InlineData("hf:unsloth/gpt-oss-20b-GGUF", "A-split")]
    [InlineData("gpt-oss-20b", "A-bare")]
    public async Task A_model_that_is_found_runs(string name, string fixture)
    {
        string[] files = [.. Directory.EnumerateFiles(GgufVectors.PathOf(""), fixture + "*.gguf").Order()];
        Assert.NotEmpty(files);
        files = [.. files.Where(file => fixture == "A-split" || Path.GetFileName(file) == fixture + ".gguf")];
        foreach (string file in files)
            Put(name, Path.GetFileName(file), File.ReadAllBytes(file));

        FoundModel found = _home.Finder.Find(name);

        Assert.Equal(files.Sum(file => new FileInfo(file).Length), found.Bytes);
        Assert.Equal(await TokensAsync(files[0]), await TokensAsync(found.Path));
        Assert.Contains(found.Path, _home.Finder.List().Select(model => model.Path));
    }

    private void Put(string name, string file, byte[] content)
    {
        switch (name.Split(':')[0])
        {
            case "ollama":
                _home.Ollama("registry.ollama.ai/library/gpt-oss/20b", content);
                break;
            case "lmstudio":
                _home.Write($".lmstudio/models/openai/gpt-oss-20b/{file}", content);
                break;
            case "docker":
                _home.Docker("ai/gpt-oss:latest", content);
                break;
            case "hf":
                _home.HuggingFace("unsloth/gpt-oss-20b-GGUF", $"Q8_0/{file}", content);
                break;
            default:
                _home.Write(".cache/llama.cpp/ggml-org_gpt-oss-20b-GGUF_gpt-oss-20b-mxfp4.gguf", content);
                break;
        }
    }

    private static async Task<int[]> TokensAsync(string path)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        await using GptOssModel model = await GptOssModel.LoadAsync(path, cancellationToken: stop);
        return
        [
            .. await model
                .Generate([1, 2, 3], SamplingOptions.Greedy, maxTokens: 6, stopTokens: [], cancellationToken: stop)
                .ToArrayAsync(stop),
        ];
    }
}

// Over 300 lines: one table of the kinds of folders that people have, and what is said of each.
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Checkpoint;

/// <summary>
/// What people give in place of a model's folder: each kind is told by name, with what to do, and never guessed at.
/// </summary>
public sealed class FolderKindsTests
{
    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:16d0f997\nsize 4792272488\n";

    private static readonly TinyShape Shape = new() { Experts = TinyExperts.BFloat16 };
    private static readonly Dictionary<string, TinyTensor> Tensors = WeightBinderOf(Shape);

    private static readonly Dictionary<string, byte[]> Contents = new()
    {
        ["pointer"] = Encoding.UTF8.GetBytes(Pointer),
        ["page"] = "\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"u8.ToArray(),
        ["page without a type"] = "<html><body>Too many requests</body></html>"u8.ToArray(),
        ["xml"] = "\ufeff<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"u8.ToArray(),
        ["gguf"] = [.. "GGUF"u8, 3, 0, 0, 0, .. new byte[40]],
        ["zip"] = [.. "PK"u8, 3, 4, .. new byte[40]],
        ["pickle"] = [0x80, 2, .. "}q"u8, .. new byte[40]],
        ["gzip"] = Gzip(),
        ["zeros"] = new byte[4096],
        ["text"] = "Invalid username or password."u8.ToArray(),
        ["json error"] = """{"error":"Repository not found"}"""u8.ToArray(),
        ["json message"] = """{"message":"Too Many Requests","statusCode":429}"""u8.ToArray(),
        ["json code"] = """{"request_id":"a","error_code":"RepoNotFound"}"""u8.ToArray(),
        ["json success"] = """{"success":false,"reason":"limit"}"""u8.ToArray(),
        ["number"] = "404: Not Found"u8.ToArray(),
        ["quoted"] = "\"Not Found\""u8.ToArray(),
        ["metal"] = [.. "GPT-OSS v1.0"u8, .. new byte[40]],
    };

    private static readonly Dictionary<string, string> Says = new()
    {
        ["pointer"] = "is a Git LFS pointer and not the file itself: run 'git lfs pull'",
        ["page"] = "is a web page and not the file",
        ["page without a type"] = "is a web page and not the file",
        ["xml"] = "is a web page and not the file",
        ["gguf"] = "is a GGUF file under another name",
        ["zip"] = "is a file of PyTorch",
        ["pickle"] = "is a file of PyTorch",
        ["gzip"] = "is a gzip archive",
        ["zeros"] = "begins with zeros only",
        ["text"] = "is text ('Invalid username or password.') where ",
        ["json error"] = "an error that",
        ["json message"] = "an error that",
        ["json code"] = "an error that",
        ["json success"] = "an error that",
        ["number"] = "is text ('404: Not Found') where ",
        ["quoted"] = "is text ('\"Not Found\"') where ",
        ["metal"] = "in OpenAI's own form for Metal",
    };

    public static TheoryData<string, string> Files
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (
                string file in (string[])
                    [
                        "config.json",
                        "generation_config.json",
                        "model.safetensors.index.json",
                        "model.safetensors",
                        "1.safetensors",
                        "tokenizer.json",
                    ]
            )
            foreach (string kind in Says.Keys)
                data.Add(file, kind);
            return data;
        }
    }

    [Theory, MemberData(nameof(Files))]
    public async Task A_file_that_is_something_else_is_told_by_its_first_bytes(string file, string kind)
    {
        using var folder = Sound(
            file == "1.safetensors" || file.EndsWith("index.json", StringComparison.Ordinal)
                ? "1.safetensors"
                : "model.safetensors"
        );
        File.WriteAllBytes(Path.Join(folder.Path, file), Contents[kind]);
        CheckpointException refusal = await Refusal(folder);
        Assert.Equal(Path.Join(folder.Path, file), refusal.FilePath);
        Assert.Contains(Says[kind], refusal.Message);
    }

    [Theory]
    [InlineData(
        "adapter_config.json",
        """{"base_model_name_or_path": "openai/gpt-oss-20b", "peft_type": "LORA"}""",
        "is an adapter (LoRA) without its base, openai/gpt-oss-20b. Give the base as the model"
    )]
    [InlineData("adapter_model.safetensors", "x", "is an adapter (LoRA) without its base. Give the base as the model")]
    [InlineData("gpt-oss-20b-Q4_K_M.gguf", "x", "has the name of a GGUF file and not its beginning")]
    [InlineData("gpt-oss-20b-Q4_K_M.gguf", "GGUF", "gpt-oss-20b-Q4_K_M.gguf: ends after 4 bytes")]
    [InlineData("pytorch_model-00001-of-00002.bin", "x", "is a file of PyTorch")]
    [InlineData("model-00001-of-00002.safetensors.incomplete", "x", "is a download that did not end")]
    [InlineData("model.safetensors.part", "x", "is a download that did not end")]
    [InlineData(
        "checkpoint-500/config.json",
        "{}",
        "its subfolder 'checkpoint-500' holds a model: open that folder instead"
    )]
    [InlineData(
        "original/model--00001-of-00007.safetensors",
        "x",
        "its subfolder 'original' holds weights: open that folder instead"
    )]
    [InlineData("models--openai--gpt-oss-20b/refs/main", "0123", "it is a cache of Hugging Face")]
    [InlineData(
        "hub/models--openai--gpt-oss-20b/refs/main",
        "0123",
        "open a repository in its cache, such as 'hub/models--openai--gpt-oss-20b'"
    )]
    [InlineData("download/gpt-oss-20b/config.json", "{}", "its subfolder 'download/gpt-oss-20b' holds a model")]
    [InlineData("checkpoint-500/adapter_config.json", "{}", "its subfolder 'checkpoint-500' holds an adapter (LoRA)")]
    [InlineData("gpt-oss-20b.tar.gz", "x", "'gpt-oss-20b.tar.gz' is an archive: unpack it")]
    [InlineData("README.md", "# gpt-oss", "'README.md'")]
    public async Task A_folder_that_is_something_else_is_told_by_its_neighbours_with_or_without_a_config(
        string name,
        string content,
        string says
    )
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Join(folder.Path, name))!);
        File.WriteAllText(Path.Join(folder.Path, name), content);
        Assert.Contains(says, (await Refusal(folder)).Message, StringComparison.OrdinalIgnoreCase);
        File.WriteAllText(Path.Join(folder.Path, "config.json"), TinyConfig.HuggingFace(Shape).ToJsonString());
        string message = (await Refusal(folder)).Message;
        Assert.Contains(says, message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("?", message);
    }

    [Fact]
    public async Task Weights_under_unknown_names_and_without_a_config_say_what_is_missing()
    {
        using var folder = Sound("finetune.safetensors");
        Assert.Contains("'finetune.safetensors': rename it to model.safetensors", (await Refusal(folder)).Message);
        File.Copy(Path.Join(folder.Path, "finetune.safetensors"), Path.Join(folder.Path, "more.safetensors"));
        Assert.Contains("model.safetensors.index.json belongs to them", (await Refusal(folder)).Message);
        File.Delete(Path.Join(folder.Path, "config.json"));
        Assert.Contains("config.json: does not exist, though weights lie beside it", (await Refusal(folder)).Message);
        foreach (string file in Directory.GetFiles(folder.Path))
            File.Delete(file);
        Assert.Contains("is empty", (await Refusal(folder)).Message);
    }

    [Theory]
    [InlineData("config (1).json")]
    [InlineData("config.json.txt")]
    [InlineData("Config.JSON")]
    public async Task A_configuration_under_the_name_that_a_browser_or_an_editor_gave_it_is_to_be_renamed(string name)
    {
        using var folder = Sound("model.safetensors");
        File.Move(Path.Join(folder.Path, "config.json"), Path.Join(folder.Path, "x"));
        File.Move(Path.Join(folder.Path, "x"), Path.Join(folder.Path, name));
        if (!File.Exists(Path.Join(folder.Path, "config.json"))) // it is there where names have no case
            Assert.Contains($"'{name}' does: rename that to config.json", (await Refusal(folder)).Message);
    }

    [Theory]
    [InlineData("models--openai--gpt-oss-20b", "without any snapshot")]
    [InlineData("models--openai--gpt-oss-20b/blobs", "open 'models--openai--gpt-oss-20b', the folder above it")]
    public async Task A_part_of_a_cache_says_which_folder_to_open(string path, string says)
    {
        using var folder = new TemporaryFolder();
        string opened = Path.Join(folder.Path, path);
        Directory.CreateDirectory(opened);
        File.WriteAllText(Path.Join(opened, "0123"), "x");
        Assert.Contains(says, (await Assert.ThrowsAsync<CheckpointException>(() => Load(opened))).Message);
    }

    [Theory]
    [InlineData(".q_proj.scales", "MLX")]
    [InlineData(".q_proj.weight.absmax", "bitsandbytes")]
    [InlineData(".q_proj.weight_scale_inv", "an FP8 tool")]
    public async Task A_weight_of_a_type_that_another_tool_made_names_the_tool_by_its_other_tensors(
        string name,
        string tool
    )
    {
        using var folder = new TemporaryFolder();
        var tensors = Tensors.ToDictionary();
        string weight = tensors.Keys.First(key => key.EndsWith(".q_proj.weight", StringComparison.Ordinal));
        tensors[weight] = new TinyTensor("U8", [4], new byte[4]);
        tensors[weight.Replace(".q_proj.weight", name, StringComparison.Ordinal)] = new TinyTensor(
            "U8",
            [4],
            new byte[4]
        );
        Model.WeightBinderTests.Write(folder, Shape, tensors);
        Assert.Contains($"quantised by another tool ({tool})", (await Refusal(folder)).Message);
    }

    [Theory]
    [InlineData(
        """{"quant_method": "bitsandbytes", "load_in_4bit": true}""",
        "'bitsandbytes'",
        "quantization_config.quant_method"
    )]
    [InlineData("""{"quant_method": "gptq", "bits": 4}""", "'gptq'", "quantization_config.quant_method")]
    [InlineData("""{"quant_method": "awq"}""", "'awq'", "quantization_config.quant_method")]
    [InlineData(
        """{"quant_method": "compressed-tensors"}""",
        "'compressed-tensors'",
        "quantization_config.quant_method"
    )]
    [InlineData("""{"quant_method": "fp8"}""", "'fp8'", "quantization_config.quant_method")]
    [InlineData("""{"load_in_8bit": true}""", "bitsandbytes", "quantization_config")]
    [InlineData("""{"quant_algo": "NVFP4"}""", "modelopt", "quantization_config")]
    [InlineData("""{"bits": 4, "group_size": 64}""", "quantised by another tool", "quantization_config")]
    public async Task A_folder_that_another_tool_quantised_is_told_by_its_config(
        string quantization,
        string says,
        string field
    )
    {
        using var folder = Sound("model.safetensors", config =>
            config["quantization_config"] = JsonNode.Parse(quantization)
        );
        CheckpointException refusal = await Refusal(folder);
        Assert.Contains(says, refusal.Message);
        Assert.Contains("quantised by another tool. Use a folder that was saved in bf16", refusal.Message);
        Assert.Equal(field, refusal.FieldName);
    }

    [Theory]
    [InlineData(".q_proj.weight", ".q_proj.qweight", "GPTQ or AWQ")]
    [InlineData(".q_proj.weight", ".q_proj.weight_packed", "compressed-tensors")]
    [InlineData(".q_proj.bias", ".q_proj.weight.absmax", "bitsandbytes")]
    [InlineData(".gate_up_proj", ".gate_up_proj.weight_scale", "FP8")]
    [InlineData(".q_proj.weight", ".q_proj.base_layer.weight", "adapter (LoRA) that was not merged")]
    [InlineData(".q_proj.bias", ".q_proj.lora_A.weight", "adapter (LoRA) that was not merged")]
    [InlineData("lm_head.weight", "lm_head.modules_to_save.default.weight", "adapter (LoRA) that was not merged")]
    [InlineData(".sinks", ".s", "dropped such sinks")]
    [InlineData("model.embed_tokens.weight", "embed_tokens.weight", "without 'model.': the inner model was saved")]
    [InlineData(
        ".experts.gate_up_proj",
        ".experts.0.gate_up_proj.blocks",
        "each expert's MXFP4 lies in tensors of its own"
    )]
    [InlineData("bias", "b", "no biases at all")]
    [InlineData("model.embed_tokens.weight", "embedding.weight", "OpenAI's original layout")]
    [InlineData(
        "self_attn.q_proj.bias",
        "self_attn.q_proj.b",
        "nor in any other layer: the tool that saved the folder dropped such biases"
    )]
    [InlineData("lm_head.weight", "", "set tie_word_embeddings of config.json to true")]
    [InlineData("model.norm.weight", "", "they are not all of this model")]
    public async Task A_missing_tensor_is_explained_by_the_names_that_are_there(string from, string to, string says)
    {
        using var folder = new TemporaryFolder();
        Dictionary<string, TinyTensor> renamed = Tensors
            .Where(pair => to.Length > 0 || pair.Key != from)
            .ToDictionary(
                pair =>
                    to.Length == 0 ? pair.Key
                    : pair.Key.EndsWith(from, StringComparison.Ordinal) ? pair.Key[..^from.Length] + to
                    : pair.Key,
                pair => pair.Value
            );
        Model.WeightBinderTests.Write(folder, Shape, renamed);
        string message = (await Refusal(folder)).Message;
        Assert.Contains(says, message);
        Assert.DoesNotContain("?", message);
    }

    [Theory]
    [InlineData("model.safetensors", "give the folder that it lies in")]
    [InlineData("config.json", "give the folder that it lies in")]
    [InlineData("x.gguf", "should begin with 'GGUF', but begins with 'none'")]
    [InlineData("x.zip", "is an archive, but should be the folder of a model: unpack it")]
    [InlineData("x.bin", "is a file of PyTorch")]
    [InlineData("nothing", "does not exist. It should be the folder of a model.")]
    [InlineData("openai/gpt-oss-20b", "A name of Hugging Face is no path")]
    public async Task A_path_that_is_no_folder_is_told_from_one(string name, string says)
    {
        using var folder = Sound("model.safetensors");
        foreach (string file in (string[])["x.gguf", "x.zip", "x.bin"])
            File.WriteAllText(Path.Join(folder.Path, file), "none");
        var refusal = await Assert.ThrowsAsync<CheckpointException>(() => Load(Path.Join(folder.Path, name)));
        Assert.Contains(says, refusal.Message);
    }

    [Fact]
    public async Task A_tokenizer_without_the_markers_is_an_error_at_load_with_its_name()
    {
        using var folder = new TemporaryFolder();
        foreach (string file in Directory.EnumerateFiles(TinyGptOss.Folder))
            File.Copy(file, Path.Join(folder.Path, Path.GetFileName(file)));
        string path = Path.Join(folder.Path, "tokenizer.json");
        File.WriteAllText(
            path,
            File.ReadAllText(path)
                .Replace("<|channel|>", "<|kanal|>", StringComparison.Ordinal)
                .Replace("<|call|>", "<|ruf|>", StringComparison.Ordinal)
        );
        CheckpointException refusal = await Refusal(folder);
        Assert.Equal(path, refusal.FilePath);
        Assert.Contains("found no <|channel|>, <|call|>. It is the tokenizer of another model", refusal.Message);
    }

    [Theory]
    [InlineData("generation_config.json")]
    [InlineData("config.json")]
    public async Task An_empty_list_of_stop_tokens_is_refused(string file)
    {
        using var folder = Sound("model.safetensors", config =>
            config["eos_token_id"] = file == "config.json" ? new JsonArray() : 1
        );
        if (file == "generation_config.json")
            File.WriteAllText(Path.Join(folder.Path, file), """{"eos_token_id": []}""");
        CheckpointException refusal = await Refusal(folder);
        Assert.Equal("eos_token_id", refusal.FieldName);
        Assert.Equal(Path.Join(folder.Path, file), refusal.FilePath);
    }

    private static Dictionary<string, TinyTensor> WeightBinderOf(TinyShape shape) =>
        Model.WeightBinderTests.Tensors(shape);

    private static TemporaryFolder Sound(string weights, Action<JsonObject>? change = null)
    {
        var folder = new TemporaryFolder();
        JsonObject config = TinyConfig.HuggingFace(Shape);
        change?.Invoke(config);
        File.WriteAllText(Path.Join(folder.Path, "config.json"), config.ToJsonString());
        SafetensorsWriter.Write(Path.Join(folder.Path, weights), [.. Tensors]);
        if (weights == "1.safetensors")
            File.WriteAllText(
                Path.Join(folder.Path, "model.safetensors.index.json"),
                new JsonObject
                {
                    ["weight_map"] = new JsonObject(
                        Tensors.Keys.Select(name => KeyValuePair.Create(name, (JsonNode?)weights))
                    ),
                }.ToJsonString()
            );
        return folder;
    }

    private static async Task<CheckpointException> Refusal(TemporaryFolder folder)
    {
        var refusal = await Assert.ThrowsAsync<CheckpointException>(() => Load(folder.Path));
        Assert.StartsWith(folder.Path, refusal.FilePath);
        Assert.InRange(refusal.Message.Length, 1, 500);
        Assert.False(refusal.Message.EndsWith('…'), $"cut off: {refusal.Message}");
        return refusal;
    }

    private static async Task Load(string path)
    {
        await using GptOssModel model = await GptOssModel.LoadAsync(
            path,
            cancellationToken: TestContext.Current.CancellationToken
        );
    }

    private static byte[] Gzip()
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest))
            gzip.Write("{\"a\": 1, \"b\": 22222}"u8);
        return bytes.ToArray();
    }
}

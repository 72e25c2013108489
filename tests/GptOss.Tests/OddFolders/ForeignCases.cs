// Over 300 lines: one table of folders that are no model of ours with the words that each refusal must hold.
using GptOss.Tests.Oracles;

namespace GptOss.Tests.OddFolders;

/// <summary>Folders of other models, of other tools, of downloads that did not end, and saved prefixes.</summary>
internal static class ForeignCases
{
    private const string Config = "config.json",
        Weights = "model.safetensors",
        Tool = "quantised by another tool";

    private static readonly string[] Architectures =
    [
        "llama",
        "mistral",
        "mixtral",
        "qwen3_moe",
        "gemma3",
        "phi3",
        "deepseek_v3",
        "gpt2",
        "bert",
        "t5",
        "whisper",
        "gpt_neox",
    ];

    public static IEnumerable<OddCase> All =>
        [
            .. Architectures.Select(type =>
                Of(
                    $"a model of {type}",
                    f => f.Write(Config, Json(type)),
                    Config,
                    $"expected 'gpt_oss', found '{type}'",
                    "no other architecture"
                )
            ),
            Of("weights of llama", f => Only(f, "model.layers.0.mlp.gate_proj.weight"), "'model.embed_tokens.weight'"),
            Of("a consolidated.pth", f => Swapped(f, "consolidated.00.pth", "PK\u0003\u0004"), "is a file of PyTorch"),
            Of("params.json of llama", LlamaOriginal, "is a file of PyTorch"),
            Of(
                "a consolidated.safetensors of mistral",
                f => f.Rename(Weights, "consolidated.safetensors"),
                "rename it to"
            ),
            Of("pytorch_model.bin", f => Swapped(f, "pytorch_model.bin", "PK\u0003\u0004"), "is a file of PyTorch"),
            Of("a checkpoint of torch", f => Swapped(f, "last.ckpt", "x"), "is a file of PyTorch"),
            Of(
                "flax",
                f => Swapped(f, "flax_model.msgpack", "x"),
                "'flax_model.msgpack' is of another kind of software"
            ),
            Of("TensorFlow", f => Swapped(f, "tf_model.h5", "x"), "'tf_model.h5' is of another kind of software"),
            Of("ONNX", f => Swapped(f, "model.onnx", "x"), "'model.onnx' is of another kind of software"),
            Of(
                "Metal of OpenAI",
                f => Swapped(f, "model.bin", "GPT-OSS v1.0" + new string('\0', 600)),
                "model.bin",
                "Metal"
            ),
            Of(
                "weights that are PyTorch inside",
                f => f.Write(Weights, "PK\u0003\u0004aaaaaaaaaaaa"),
                Weights,
                "is a file of PyTorch"
            ),
            Of(
                "weights that are a pickle",
                f => f.Write(Weights, [0x80, 2, .. new byte[99]]),
                Weights,
                "is a file of PyTorch"
            ),
            Of(
                "weights that are GGUF inside",
                f => f.Write(Weights, OddBase.Gguf.Files["m.gguf"]),
                Weights,
                "is a GGUF file"
            ),
            Of(
                "weights that are a pointer",
                f => f.Write(Weights, Pointer),
                Weights,
                "Git LFS pointer",
                "git lfs pull"
            ),
            Of("weights that are a page", f => f.Write(Weights, "<!DOCTYPE html><title>Sign in</title>"), "a web page"),
            Of(
                "weights that are an error",
                f => f.Write(Weights, "Access to model is restricted"),
                "is text ('Access to"
            ),
            Of("weights that are JSON", f => f.Write(Weights, "{\"error\":\"gated repo\"}"), "is text ('{\"error\""),
            Of("weights that are zeros", f => f.Write(Weights, new byte[5000]), "begins with zeros only"),
            Of(
                "weights that are gzip",
                f => f.Write(Weights, [0x1F, 0x8B, 8, 0, .. new byte[99]]),
                "is a gzip archive"
            ),
            Of(
                "weights of a download that did not end",
                f => f.Rename(Weights, Weights + ".incomplete"),
                "did not end"
            ),
            Of("weights of a browser's download", f => f.Rename(Weights, Weights + ".crdownload"), "did not end"),
            Of("an archive", f => Swapped(f, "model.tar.gz", "x"), "'model.tar.gz' is an archive"),
            Of("config alone", f => f.Delete(Weights), "holds no weights", "'generation_config.json' and 1 more"),
            Of("weights alone", f => f.Delete(Config), Config, "does not exist, though weights lie beside it"),
            Of("a renamed config", f => f.Rename(Config, "config (1).json"), "rename that to config.json"),
            Of(
                "renamed weights",
                f => f.Rename(Weights, "finetune.safetensors"),
                "'finetune.safetensors': rename it to"
            ),
            Of("capital letters", f => f.Rename(Weights, "MODEL.SAFETENSORS"), "MODEL.SAFETENSORS"),
            Of("the parent of a model", f => f.Model = f.Place, "its subfolder 'model' holds a model"),
            Of("the parent of the parent", Grandparent, "its subfolder 'up/model' holds a model"),
            Of("the repository with its original", Repository, "ubfolder 'original' holds weights: open that folder"),
            Of("a cache without a snapshot", f => Cache(f, "blobs"), "without any snapshot"),
            Of("a ref without its snapshot", f => Cache(f, "refs"), "refs/main names the snapshot 'abc'", "Download"),
            Of(
                "a ref that leads elsewhere",
                f => Cache(f, "../.."),
                "should hold the name of a snapshot but holds '../..'"
            ),
            Of("GPTQ", f => Renamed(f, ".q_proj.weight", ".q_proj.qweight"), "(GPTQ or AWQ)", Tool),
            Of(
                "compressed-tensors",
                f => Renamed(f, ".q_proj.weight", ".q_proj.weight_packed"),
                "(compressed-tensors)",
                Tool
            ),
            Of("FP8", f => Retyped(f, "F8_E4M3"), "should be BF16, F16 or F32 [64, 32] but is F8_E4M3", Tool),
            Of("bitsandbytes", f => Retyped(f, "I8"), "should be BF16, F16 or F32 [64, 32] but is I8", Tool),
            Of(
                "doubles",
                f => Retyped(f, "F64", 8),
                "BF16, F16 or F32 [64, 32] but is F64",
                "Save the model in one of"
            ),
            Of(
                "an adapter that was not merged",
                f => Renamed(f, ".q_proj.weight", ".q_proj.base_layer.weight"),
                "(LoRA)",
                "Merge"
            ),
            Of("no biases", f => Renamed(f, "bias", "b"), "they hold no biases at all"),
            Of("no sinks", f => Renamed(f, ".sinks", ".s"), "dropped such sinks"),
            Of("no head", f => f.Tensors(t => t.Remove("lm_head.weight")), "'lm_head.weight'", "tie_word_embeddings"),
            Of(
                "no last norm",
                f => f.Tensors(t => t.Remove("model.norm.weight")),
                "'model.norm.weight'",
                "not all of this"
            ),
            Of(
                "the config of the original",
                f => f.Write(Config, OddBase.Original.Files[Config]),
                "names of the Hugging Face layout",
                "other one"
            ),
            Of(
                "the weights of the original",
                f => f.Write(Weights, OddBase.Original.Files[Weights]),
                "original layout"
            ),
            Of("experts in bfloat16 turned", Turned, "experts.down_proj", "[3, 96, 32] but is BF16 [3, 32, 96]"),
            Of(
                "a layer too many",
                f => Copied(f, ".layers.1.", ".layers.2."),
                "belongs to layer 2, but num_hidden_layers of config.json is 2"
            ),
            Of(
                "a layer far too many",
                f => Copied(f, ".layers.1.", ".layers.99999999999."),
                "belongs to layer 99999999999"
            ),
            Of("a prefix as the weights", f => f.Write(Weights, Prefix), Weights),
            Of("a prefix in the folder alone", f => Emptied(f, "chat.prefix", Prefix), "'chat.prefix'", "config.json"),
            Of(
                "a prefix as the model",
                f => Given(f, "chat.prefix", Prefix),
                "chat.prefix",
                "should be the folder of a model"
            ),
            Of(
                "a prefix named GGUF",
                f => Given(f, "chat.gguf", Prefix),
                "chat.gguf",
                "a GGUF file, which begins with 'GGUF'"
            ),
            Of("a prefix as config.json", f => f.Write(Config, Prefix), Config),
            Of("a prefix as tokenizer.json", f => f.Write("tokenizer.json", Prefix), "tokenizer.json"),
        ];

    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4792272488\n";

    private static readonly byte[] Prefix = Saved();

    private static OddCase Of(string name, Action<OddFolder> make, params string[] words) =>
        new($"other: {name}", OddBase.HuggingFace, make, words);

    private static string Json(string type) =>
        $$"""{"model_type": "{{type}}", "hidden_size": 4096, "num_hidden_layers": 32, "vocab_size": 32000}""";

    private static byte[] Saved()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Join(folder.Path, "prefix");
        foreach ((string name, byte[] bytes) in OddBase.HuggingFace.Files)
            File.WriteAllBytes(Path.Join(folder.Path, name), bytes);
        using GptOssModel model = GptOssModel.LoadAsync(folder.Path).GetAwaiter().GetResult();
        model.SavePrefixAsync([.. Enumerable.Range(0, 100)], file).GetAwaiter().GetResult();
        return File.ReadAllBytes(file);
    }

    private static void Swapped(OddFolder f, string name, string content)
    {
        f.Delete(Weights);
        f.Write(name, System.Text.Encoding.Latin1.GetBytes(content));
    }

    private static void LlamaOriginal(OddFolder f)
    {
        Emptied(f, "consolidated.00.pth", "PK\u0003\u0004"u8.ToArray());
        f.Write("params.json", """{"dim": 4096, "n_layers": 32}""");
    }

    private static void Emptied(OddFolder f, string name, byte[] bytes)
    {
        foreach (string file in Directory.GetFiles(f.Model))
            File.Delete(file);
        f.Write(name, bytes);
    }

    private static void Given(OddFolder f, string name, byte[] bytes)
    {
        f.Write(name, bytes);
        f.Model = f.At(name);
    }

    private static void Only(OddFolder f, string name) =>
        f.Tensors(t =>
        {
            t.Clear();
            t[name] = OddAdapter.Numbers(4);
        });

    private static void Renamed(OddFolder f, string from, string to) =>
        f.Tensors(t =>
        {
            foreach (string name in t.Keys.Where(name => name.EndsWith(from, StringComparison.Ordinal)).ToArray())
                if (t.Remove(name, out TinyTensor? tensor))
                    t[name[..^from.Length] + to] = tensor;
        });

    private static void Copied(OddFolder f, string from, string to) =>
        f.Tensors(t =>
        {
            foreach (string name in t.Keys.Where(name => name.Contains(from, StringComparison.Ordinal)).ToArray())
                t[name.Replace(from, to, StringComparison.Ordinal)] = t[name];
        });

    private static void Retyped(OddFolder f, string dtype, int bytes = 1) =>
        f.Tensors(t =>
        {
            foreach (
                string name in t.Keys.Where(name => name.EndsWith(".q_proj.weight", StringComparison.Ordinal)).ToArray()
            )
                t[name] = new TinyTensor(dtype, [64, 32], new byte[64 * 32 * bytes]);
        });

    private static void Turned(OddFolder f)
    {
        Dictionary<string, TinyTensor> plain = SafetensorsReader.Read(WriteFineTune(f));
        const string down = "model.layers.0.mlp.experts.down_proj";
        plain[down] = plain[down] with { Shape = [3, 32, 96] };
        SafetensorsWriter.Write(f.At(Weights), [.. plain]);
    }

    private static string WriteFineTune(OddFolder f)
    {
        f.Write(Weights, OddBase.FineTune.Files[Weights]);
        return f.At(Weights);
    }

    private static void Grandparent(OddFolder f)
    {
        f.MoveTo(Path.Join(f.Place, "top", "up", "model"));
        f.Model = Path.Join(f.Place, "top");
    }

    private static void Repository(OddFolder f)
    {
        f.Write("original/model.safetensors", OddBase.Original.Files[Weights]);
        f.Delete(Weights);
    }

    private static void Cache(OddFolder f, string form)
    {
        f.Model = Path.Join(f.Place, "models--openai--gpt-oss-20b");
        Directory.CreateDirectory(Path.Join(f.Model, "snapshots"));
        if (form == "blobs")
            return;
        Directory.CreateDirectory(Path.Join(f.Model, "refs"));
        File.WriteAllText(Path.Join(f.Model, "refs", "main"), form == "refs" ? "abc" : form);
    }
}

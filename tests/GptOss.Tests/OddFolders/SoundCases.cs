using GptOss.Tests.Oracles;

namespace GptOss.Tests.OddFolders;

/// <summary>Folders that look odd and are sound: they load, and the logits are those of the base bit for bit.</summary>
internal static class SoundCases
{
    private const string Config = "config.json",
        Index = "model.safetensors.index.json",
        Generation = "generation_config.json";

    public static IEnumerable<OddCase> All =>
        [
            Of("untouched", _ => { }),
            Shards("untouched", _ => { }),
            Original("untouched", _ => { }),
            new("sound, original series: untouched", OddBase.Series, _ => { }),
            new("sound, fine-tune: untouched", OddBase.FineTune, _ => { }),
            // Headers.
            Of("header padded to an odd address", f => f.Header(h => h.TrimEnd() + Pad(h.TrimEnd().Length, 1))),
            Original("header padded to an odd address", f => f.Header(h => h.TrimEnd() + Pad(h.TrimEnd().Length, 3))),
            Of("header padded by 4,096 blanks", f => f.Header(h => h + new string(' ', 4096))),
            Of("header with blanks in front", f => f.Header(h => "   \n\t" + h)),
            Of("header over many lines", f => f.Header(h => h.Replace(",", ",\n", StringComparison.Ordinal))),
            Of("header without metadata", f => f.Header(h => OddFolder.WithField(h, ["__metadata__"], null))),
            Of("header with metadata null", f => f.Header(h => OddFolder.WithField(h, ["__metadata__"], "null"))),
            Of("header with metadata of 100 kB", f => f.Header(h => OddFolder.WithField(h, ["__metadata__"], Long))),
            Of("header with escapes in the names", f =>
                f.Header(h => h.Replace("_", "\\u005f", StringComparison.Ordinal))
            ),
            Of("header with a field nobody knows", f => f.Entry("x", "{\"y\":[1,null]}")),
            Of("a tensor as an array of three", AsArray),
            Of("tensors in another order", f => Rewritten(f, tensors => tensors.Reverse())),
            Original("tensors in another order", f =>
                Rewritten(f, tensors => tensors.OrderBy(pair => pair.Key.Length))
            ),
            Of("one more tensor", f => f.Tensors(tensors => tensors["x"] = Number())),
            Of("one more tensor without a name", f => f.Tensors(tensors => tensors[""] = Number())),
            Of("one more tensor of no value", f => f.Tensors(t => t["x"] = new("I64", [0, 7], []))),
            Of("one more tensor of a foreign type", f => f.Tensors(t => t["x"] = new("F64", [1], new byte[8]))),
            Of("one more tensor of 8 dimensions", f =>
                f.Tensors(t => t["x"] = new("U8", [1, 1, 1, 1, 1, 1, 1, 1], [7]))
            ),
            Of("rotary tables as old tools save them", f => f.Tensors(t => t["model.rotary_emb.inv_freq"] = Number())),
            // Index.
            Shards("total_size wrong", f => f.Set(Index, "metadata.total_size", "1")),
            Shards("no metadata", f => f.Remove(Index, "metadata")),
            Shards("fields nobody knows", f => f.Set(Index, "x", "[1,{\"y\":null}]")),
            Shards("a tensor of no model in the index", f =>
                f.Set(Index, ["weight_map", "x"], $"\"{OddBase.Shards.Weights}\"")
            ),
            Shards("a file that the index does not name", f => f.Write("stray.safetensors", new byte[3])),
            Shards("byte-order mark", f => f.Text(Index, text => "\uFEFF" + text)),
            Shards("no index but the whole series", f => f.Delete(Index)),
            Of("the index of its shards beside one file", f =>
                f.Write(Index, "{\"weight_map\":{\"x\":\"gone.safetensors\"}}")
            ),
            // config.json.
            Of("config with a byte-order mark", f => f.Text(Config, text => "\uFEFF" + text)),
            Of("config with blanks around", f => f.Text(Config, text => $"\r\n\t {text} \n\n")),
            Of("config with fields nobody knows", f => f.Set(Config, ["x.é"], "{\"deep\":[[[[0]]]]}")),
            Of("config without quantization_config", f => f.Remove(Config, "quantization_config")),
            Of("config without layer_types", f => f.Remove(Config, "layer_types")),
            Of("config without max_position_embeddings", f => f.Remove(Config, "max_position_embeddings")),
            Of("config without architectures", f => f.Remove(Config, "architectures")),
            Of("config without either of two names", f => f.Remove(Config, "experts_per_token")),
            Of("config without the other of two names", f => f.Remove(Config, "num_experts_per_tok")),
            Of("config with a null", f => f.Set(Config, "swiglu_limit", "null")),
            Of("config with whole numbers as fractions", f => f.Set(Config, "hidden_size", "32.0")),
            Of("config with whole numbers as powers", f => f.Set(Config, "vocab_size", "9.6e2")),
            Of("config with NaN where nobody looks", f => f.Set(Config, "router_aux_loss_coef", "NaN")),
            Of("config with MXFP4 in capitals", f => f.Set(Config, "quantization_config.quant_method", "\"MXFP4\"")),
            Of("rope as transformers 5 has it", RopeParameters),
            Of("num_experts beside num_local_experts", f => f.Set(Config, "num_experts", "3")),
            Original("no dtypes.json", f => f.Delete("dtypes.json")),
            Original("dtypes.json that is damaged", f => f.Write("dtypes.json", "{")),
            Of("no generation_config.json", f => f.Delete(Generation)),
            Of("generation config of one stop", f => f.Set(Generation, "eos_token_id", "959")),
            Of("generation config of nothing", f => f.Write(Generation, "{}")),
            Of("tokenizer with a byte-order mark", f => f.Text("tokenizer.json", text => "\uFEFF" + text)),
            Of("tokenizer with fields nobody knows", f => f.Set("tokenizer.json", "x", "[0]")),
            // Names and types that fine-tunes have.
            Of("names behind module.", f => Renamed(f, name => "module." + name)),
            Of("names behind base_model.model.", f => Renamed(f, name => "base_model.model." + name)),
            Of("names with _orig_mod.", f =>
                Renamed(f, name => name.Replace("model.layers", "model._orig_mod.layers"))
            ),
            Of("router.linear", f => Renamed(f, name => name.Replace(".router.", ".router.linear."))),
            Of("norms in F32", f => Wider(f, ".norm.weight"), f => Wider(f, "layernorm.weight")),
            Of("all in F32", f => Wider(f, "")),
            Of("scales as F8_E8M0", Scales),
            new("sound, fine-tune: all in F32", OddBase.FineTune, f => Wider(f, "")),
            // Files.
            Of("a folder of a name with blanks and letters of many scripts", f =>
                f.MoveTo(f.Place + "/ä ö 模型 🙂 %20")
            ),
            Of("a folder with quotes and a dollar", f => f.MoveTo(f.Place + "/it's \"$HOME\" `x` *")),
            Of("a folder with a line feed", f => f.MoveTo(f.Place + "/a\nb")),
            Of("a folder that begins with dots", f => f.MoveTo(f.Place + "/..model")),
            Of("a path of 3,000 characters", f => f.MoveTo(f.Place + string.Concat(Enumerable.Repeat("/" + Part, 15)))),
            Of("a path with a slash at its end", f => f.Model += "/"),
            Of("a path with dots", f => f.Model += "/../model/."),
            Of("hidden files of systems", f => Stray(f, ".DS_Store", "Thumbs.db", ".gitattributes", "._config.json")),
            Of("pages beside it", f => Stray(f, "README.md", "LICENSE", "chat_template.jinja", "USAGE_POLICY")),
            Of("pickles beside it", f => Stray(f, "pytorch_model.bin", "training_args.bin", "optimizer.pt")),
            Of("an original subfolder beside it", f => f.Write("original/config.json", "{")),
            Of("read-only", f => Mode(f, UnixFileMode.UserRead), windows: false),
            Of("links to files outside", Stored, windows: false),
            Of("links by full paths", StoredByPath, windows: false),
            Of("a chain of 20 links", f => Chain(f), windows: false),
            Of("a link to the folder", LinkToFolder, windows: false),
            Of("in the cache of the hub", f => HubCase(f, "refs"), windows: false),
            Of("the snapshot of the hub's cache", f => HubCase(f, "snapshot"), windows: false),
            Of("in the cache of the hub without a ref", f => HubCase(f, "none"), windows: false),
        ];

    private static string Part => new('x', 200);

    private static string Long => $"{{\"x\":\"{new string('y', 100_000)}\"}}";

    private static TinyTensor Number() => TinyTensor.Of("F32", [1f, 2f], 2);

    private static OddCase Of(string name, Action<OddFolder> make, bool windows = true) =>
        new($"sound: {name}", OddBase.HuggingFace, windows || !OperatingSystem.IsWindows() ? make : _ => { });

    private static OddCase Of(string name, Action<OddFolder> make, Action<OddFolder> then) => Of(name, make + then);

    private static OddCase Shards(string name, Action<OddFolder> make) =>
        new($"sound, shards: {name}", OddBase.Shards, make);

    private static OddCase Original(string name, Action<OddFolder> make) =>
        new($"sound, original: {name}", OddBase.Original, make);

    // Blanks behind a header so that its length has this remainder by 8.
    private static string Pad(int length, int remainder) => new(' ', ((remainder - length) & 7) + 8);

    private static void AsArray(OddFolder f) =>
        f.Header(h =>
        {
            using var json = System.Text.Json.JsonDocument.Parse(h);
            var entry = json.RootElement.GetProperty(f.Base.Norm);
            string Raw(string field) => entry.GetProperty(field).GetRawText();
            return OddFolder.WithField(h, [f.Base.Norm], $"[{Raw("dtype")},{Raw("shape")},{Raw("data_offsets")}]");
        });

    private static void Rewritten(
        OddFolder f,
        Func<IEnumerable<KeyValuePair<string, TinyTensor>>, IEnumerable<KeyValuePair<string, TinyTensor>>> order
    ) => SafetensorsWriter.Write(f.At(f.Base.Weights), [.. order(SafetensorsReader.Read(f.At(f.Base.Weights)))]);

    private static void Renamed(OddFolder f, Func<string, string> rename) =>
        Rewritten(f, tensors => tensors.Select(pair => KeyValuePair.Create(rename(pair.Key), pair.Value)));

    private static void Wider(OddFolder f, string end) =>
        Rewritten(f, tensors =>
            tensors.Select(pair =>
                pair.Key.EndsWith(end, StringComparison.Ordinal) && pair.Value.DType == "BF16"
                    ? KeyValuePair.Create(pair.Key, pair.Value.As("F32"))
                    : pair
            )
        );

    private static void Scales(OddFolder f) =>
        Rewritten(f, tensors =>
            tensors.Select(pair =>
                pair.Key.EndsWith("_scales", StringComparison.Ordinal)
                    ? KeyValuePair.Create(pair.Key, pair.Value with { DType = "F8_E8M0" })
                    : pair
            )
        );

    private static void RopeParameters(OddFolder f)
    {
        using var json = System.Text.Json.JsonDocument.Parse(File.ReadAllText(f.At(Config)));
        string rope = json.RootElement.GetProperty("rope_scaling").GetRawText();
        f.Set(Config, "rope_parameters", rope[..^1] + ",\"rope_theta\":150000}");
        f.Remove(Config, "rope_scaling");
        f.Remove(Config, "rope_theta");
    }

    private static void Stray(OddFolder f, params string[] names)
    {
        foreach (string name in names)
            f.Write(name, new byte[5]);
    }

    private static void Mode(OddFolder f, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
            return;
        foreach (string file in Directory.GetFiles(f.Model))
            File.SetUnixFileMode(file, mode);
        File.SetUnixFileMode(f.Model, mode | UnixFileMode.UserExecute);
    }

    private static void Stored(OddFolder f)
    {
        foreach (string file in Directory.GetFiles(f.Model).Select(Path.GetFileName).ToArray()!)
            f.Link(file, Path.Join(f.Place, "store"), "../store/" + file);
    }

    private static void StoredByPath(OddFolder f)
    {
        foreach (string file in Directory.GetFiles(f.Model).Select(Path.GetFileName).ToArray()!)
            f.Link(file, Path.Join(f.Place, "store"), Path.Join(f.Place, "store", file));
    }

    private static void Chain(OddFolder f)
    {
        f.Rename("model.safetensors", "link0");
        for (int i = 1; i < 20; i++)
            File.CreateSymbolicLink(f.At($"link{i}"), $"./link{i - 1}");
        File.CreateSymbolicLink(f.At("model.safetensors"), "link19");
    }

    private static void LinkToFolder(OddFolder f)
    {
        string link = Path.Join(f.Place, "link");
        Stored(f); // whose links are relative to where the folder is, and not to where the link is
        Directory.CreateSymbolicLink(link, "model");
        f.Model = link;
    }

    private static void HubCase(OddFolder f, string form)
    {
        const string commit = "6cee5e81ee83917806bbde320786a8fb61efebee";
        string repository = Path.Join(f.Place, "models--openai--gpt-oss-20b");
        f.MoveTo(Path.Join(repository, "snapshots", commit));
        foreach (string file in Directory.GetFiles(f.Model).Select(Path.GetFileName).ToArray()!)
            f.Link(file, Path.Join(repository, "blobs"), "../../blobs/" + file);
        if (form == "refs")
        {
            Directory.CreateDirectory(Path.Join(repository, "refs"));
            File.WriteAllText(Path.Join(repository, "refs", "main"), commit);
        }
        if (form != "snapshot")
            f.Model = repository;
    }
}

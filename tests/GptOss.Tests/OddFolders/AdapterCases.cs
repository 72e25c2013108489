using GptOss.Tests.Oracles;

namespace GptOss.Tests.OddFolders;

/// <summary>Adapters that are damaged, of another kind, or of another base; and sound ones that look odd.</summary>
internal static class AdapterCases
{
    private const string Config = OddAdapter.Config,
        Weights = OddAdapter.Weights,
        A = OddAdapter.Query + "lora_A.weight",
        B = OddAdapter.Query + "lora_B.weight";

    private static readonly (string Field, string Value, string[] Words)[] Fields =
    [
        ("peft_type", "\"IA3\"", ["expected 'LORA', found 'IA3'"]),
        ("peft_type", "null", ["a string, found null"]),
        ("peft_type", "7", ["a string, found 7"]),
        ("r", "0", ["a whole number from 1", "found 0"]),
        ("r", "-2", ["a whole number from 1", "found -2"]),
        ("r", "2.5", ["a whole number from 1", "found 2.5"]),
        ("r", "\"2\"", ["a whole number from 1", "found '2'"]),
        ("r", "4294967298", ["a whole number from 1", "found 4294967298"]),
        ("r", "4", ["expected 2, the rank of tensor", "found 4", "not of one adapter"]),
        ("lora_alpha", "null", ["a number, found null"]),
        ("lora_alpha", "NaN", ["a finite number, found NaN"]),
        ("lora_alpha", "Infinity", ["a finite number, found Infinity"]),
        ("lora_alpha", "\"4\"", ["a number, found '4'"]),
        ("lora_alpha", "1e300", ["a number that float32 has, found 1E+300"]),
        ("bias", "\"all\"", ["expected 'none', found 'all'"]),
        ("use_dora", "true", ["expected null, found true", "plain LoRA"]),
        ("use_rslora", "\"yes\"", ["true or false, found 'yes'"]),
        ("fan_in_fan_out", "true", ["expected null, found true", "plain LoRA"]),
        ("layer_replication", "[[0,2]]", ["expected null, found an array", "plain LoRA"]),
        ("lora_bias", "1", ["expected null, found 1", "plain LoRA"]),
        ("alora_invocation_tokens", "[1]", ["expected null, found an array", "plain LoRA"]),
        ("init_lora_weights", "\"pissa_niter_4\"", ["leaves the base as it is, found 'pissa_niter_4'"]),
        ("modules_to_save", "[\"lm_head\"]", ["tensors of 'lm_head' beside the configuration, found none"]),
        ("modules_to_save", "\"lm_head\"", ["an array of strings, found 'lm_head'"]),
        ("rank_pattern", "[]", ["an object, found an array"]),
        ("rank_pattern", "{\"q_proj\": 8}", ["rank_pattern.q_proj", "expected 2", "found 8"]),
        ("rank_pattern", "{\"q_proj\": 0}", ["rank_pattern.q_proj", "a whole number from 1", "found 0"]),
        ("alpha_pattern", "{\"(\": 8}", ["alpha_pattern.(", "a regular expression without look-around"]),
        ("alpha_pattern", Expressions, ["at most 500 regular expressions, found 501"]),
        ("alpha_pattern", "{\"q_proj\": \"8\"}", ["alpha_pattern.q_proj", "a number, found '8'"]),
    ];

    public static IEnumerable<OddCase> All =>
        [
            .. Fields.Select(one =>
                Of(
                    $"{one.Field} {one.Value}",
                    f => f.Set(f.InAdapter(Config), one.Field, one.Value),
                    Config,
                    $"field '{(one.Words[0].Contains("_pattern.", StringComparison.Ordinal) ? one.Words[0] : one.Field)}'",
                    one.Words
                )
            ),
            // The folder.
            Of("no folder", f => f.Adapter += "-gone", "does not exist. It should be the folder of an adapter"),
            Of("a file of it", f => f.Adapter = f.InAdapter(Config), "give the folder that it lies in"),
            Of("the base itself", f => f.Adapter = f.Model, "holds no adapter_config.json"),
            Of("a GGUF", GgufAdapter, "is an adapter in GGUF, which is not read"),
            Of("a folder with a GGUF", GgufFolder, "is an adapter in GGUF, which is not read"),
            Of("no config", f => File.Delete(f.InAdapter(Config)), "holds no adapter_config.json"),
            Of("no weights", f => File.Delete(f.InAdapter(Weights)), Weights, "does not exist"),
            Of("weights of PyTorch", Pickle, "holds adapter_model.bin", "safe_serialization"),
            Of("config empty", f => File.WriteAllText(f.InAdapter(Config), ""), Config, "has 0 bytes"),
            Of("config cut off", f => f.Text(f.InAdapter(Config), text => text[..60]), Config, "expected JSON"),
            Of("config an array", f => File.WriteAllText(f.InAdapter(Config), "[]"), Config, "found an array"),
            Of("config a page", f => File.WriteAllText(f.InAdapter(Config), "<html>"), Config, "a web page"),
            Of(
                "config of the base",
                f => f.Text(f.InAdapter(Config), _ => "{\"r\": 2}"),
                "'peft_type'",
                "found nothing"
            ),
            Of("weights empty", f => File.WriteAllText(f.InAdapter(Weights), ""), Weights, "has 0 bytes"),
            Of(
                "weights cut off",
                f => f.Bytes(f.InAdapter(Weights), file => file[..^9]),
                Weights,
                "the file is cut off"
            ),
            Of("weights a pointer", Pointer, Weights, "Git LFS pointer"),
            Of("weights with no tensor", f => f.AdapterTensors(t => t.Clear()), Weights, "holds no tensor"),
            Of("no adapter of the folder given as a model", f => (f.Model, f.Adapter) = (f.Adapter!, null), "(LoRA)"),
            // Tensors.
            Changed("A without B", t => t.Remove(B), A, "has no lora_B beside it"),
            Changed("B without A", t => t.Remove(A), B, "has no lora_A beside it"),
            Changed(
                "A of another width",
                t => t[A] = OddAdapter.Numbers(2, 33),
                A,
                "[rank, 32] for this base",
                "[2, 33]"
            ),
            Changed(
                "A of one dimension",
                t => t[A] = OddAdapter.Numbers(64),
                A,
                "[rank, 32] for this base",
                "F32 [64]"
            ),
            Changed("A of no rank", t => t[A] = new("F32", [0, 32], []), A, "[rank, 32] for this base", "[0, 32]"),
            Changed(
                "B of another height",
                t => t[B] = OddAdapter.Numbers(63, 2),
                B,
                "[64, 2] for this base",
                "[63, 2]"
            ),
            Changed("B of another rank", t => t[B] = OddAdapter.Numbers(64, 3), B, "[64, 2] for this base", "[64, 3]"),
            Changed("B turned", t => t[B] = OddAdapter.Numbers(2, 64), B, "[64, 2] for this base", "[2, 64]"),
            Changed("both of another rank", Rank3, "field 'r'", "expected 3, the rank of tensor", "found 2"),
            Changed("A of integers", t => t[A] = t[A] with { DType = "I32" }, A, "BF16, F16 or F32 but is I32"),
            Changed("A of doubles", t => t[A] = new("F64", [2, 32], new byte[512]), A, "BF16, F16 or F32 but is F64"),
            Changed("a layer too many", t => Move(t, "layers.1.", "layers.2."), "the base has 2 layers"),
            Changed("a layer far too many", t => Move(t, "layers.1.", "layers.99999999999."), "layers.99999999999"),
            Changed("a layer below zero", t => Move(t, "layers.1.", "layers.-1."), "matches no matrix"),
            Changed("a layer in digits of another script", t => Move(t, "layers.1.", "layers.١."), "matches no matrix"),
            Changed("a matrix of llama", t => Move(t, "self_attn.q_proj", "mlp.gate_proj"), "matches no matrix"),
            Changed(
                "an expert too many",
                t => Move(t, "self_attn.q_proj", "mlp.experts.3.gate_proj"),
                "the base has 3 experts"
            ),
            Changed("of the embedding", t => Move(t, "layers.1.self_attn.q_proj", "embed_tokens"), "matches no matrix"),
            Changed("of the vision part", t => Move(t, "model.layers", "vision.layers"), "matches no matrix"),
            Changed(
                "DoRA",
                t => t[OddAdapter.Query + "lora_magnitude_vector"] = OddAdapter.Numbers(64),
                "belongs to DoRA"
            ),
            Changed(
                "a tensor nobody knows",
                t => t["x"] = OddAdapter.Numbers(4),
                "'x'",
                "matches nothing of the model"
            ),
            Changed("a pair twice", Doubled, "is there twice, with and without the name of the adapter"),
            Changed("a pair under two names", t => Copy(t, "self_attn", "attn"), "holds another pair, too"),
            Changed("a saved head of another size", Head(959), "BF16 [960, 32]", "[959, 32]", "another model"),
            Changed(
                "a saved bias of nothing",
                t => t["base_model.model.lm_head.bias"] = OddAdapter.Numbers(960),
                "lm_head.bias"
            ),
            Changed("stacked experts of another base", Stacked(35), "[3 · rank, 32, 96 or 192]", "[6, 35]"),
            Changed("stacked experts of another count", Stacked(32, 7), "[3 · rank, 32]", "[7, 32]"),
            Valued("NaN in A", A, float.NaN),
            Valued("∞ in B", B, float.PositiveInfinity),
            // Sound ones.
            Sound("untouched", _ => { }),
            Sound("fields nobody knows", f => f.Set(f.InAdapter(Config), "x", "{\"y\": [1]}")),
            Sound("fields that say nothing", f => f.Set(f.InAdapter(Config), "layer_replication", "[]")),
            Sound("a byte-order mark", f => f.Text(f.InAdapter(Config), text => "\uFEFF" + text)),
            Sound("its own name in the tensors", f => f.AdapterTensors(t => Move(t, ".weight", ".default.weight"))),
            Sound("no prefix", f => f.AdapterTensors(t => Move(t, "base_model.model.", ""))),
            Sound("rank by a pattern", f => Patterned(f)),
            Sound("stray files", f => File.WriteAllText(f.InAdapter("README.md"), "x")),
        ];

    private static OddCase Of(string name, Action<OddFolder> make, string word, string other, string[] words) =>
        new($"adapter: {name}", OddBase.Adapter, make, [word, other, .. words]);

    private static OddCase Of(string name, Action<OddFolder> make, params string[] words) =>
        new($"adapter: {name}", OddBase.Adapter, make, words);

    private static OddCase Changed(string name, Action<Dictionary<string, TinyTensor>> change, params string[] words) =>
        Of(name, f => f.AdapterTensors(change), words);

    private static OddCase Sound(string name, Action<OddFolder> make) => Of($"sound, {name}", make);

    private static OddCase Valued(string name, string tensor, float value) =>
        Changed(
            name,
            t => t[tensor] = TinyTensor.Of("F32", [.. t[tensor].Values.Select(_ => value)], t[tensor].Shape),
            Weights,
            $"tensor '{tensor}' holds a value that is not finite at element 0"
        );

    private static string Expressions =>
        $"{{{string.Join(',', Enumerable.Range(0, 501).Select(i => $"\"[a]{i}\": 8"))}}}";

    private static void GgufAdapter(OddFolder f) => f.Adapter = WriteGguf(f);

    private static void GgufFolder(OddFolder f)
    {
        File.Delete(f.InAdapter(Config));
        WriteGguf(f);
    }

    private static string WriteGguf(OddFolder f)
    {
        string path = f.InAdapter("lora.gguf");
        File.WriteAllBytes(path, OddBase.Gguf.Files["m.gguf"]);
        return path;
    }

    private static void Pickle(OddFolder f) => File.Move(f.InAdapter(Weights), f.InAdapter("adapter_model.bin"));

    private static void Pointer(OddFolder f) =>
        File.WriteAllText(f.InAdapter(Weights), "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");

    private static void Rank3(Dictionary<string, TinyTensor> t) =>
        (t[A], t[B]) = (OddAdapter.Numbers(3, OddBase.Hidden), OddAdapter.Numbers(64, 3));

    private static void Doubled(Dictionary<string, TinyTensor> t) =>
        t[OddAdapter.Query + "lora_A.default.weight"] = t[A];

    private static Action<Dictionary<string, TinyTensor>> Head(int rows) =>
        t => t["base_model.model.lm_head.weight"] = OddAdapter.Numbers(rows, OddBase.Hidden).As("BF16");

    private static Action<Dictionary<string, TinyTensor>> Stacked(int width, int rows = 6) =>
        t =>
        {
            const string experts = "base_model.model.model.layers.1.mlp.experts.";
            t[experts + "lora_A.weight"] = OddAdapter.Numbers(rows, width);
            t[experts + "lora_B.weight"] = OddAdapter.Numbers(2 * OddBase.Inner, rows);
        };

    private static void Patterned(OddFolder f)
    {
        f.Set(f.InAdapter(Config), "r", "64");
        f.Set(f.InAdapter(Config), "rank_pattern", "{\"[qo]_proj\": 2}");
    }

    private static void Move(Dictionary<string, TinyTensor> t, string from, string to)
    {
        foreach (string name in t.Keys.Where(name => name.Contains(from, StringComparison.Ordinal)).ToArray())
            if (t.Remove(name, out TinyTensor? tensor))
                t[name.Replace(from, to, StringComparison.Ordinal)] = tensor;
    }

    private static void Copy(Dictionary<string, TinyTensor> t, string from, string to)
    {
        foreach (string name in t.Keys.ToArray())
            t[name.Replace(from, to, StringComparison.Ordinal)] = t[name];
    }
}

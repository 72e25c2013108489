using GptOss.Tests.Checkpoint.Gguf;
using GptOss.Tests.Oracles;
using GptOss.Tokenization;

namespace GptOss.Tests.OddFolders;

/// <summary>A small sound model of which odd and damaged ones are made, each by one change.</summary>
/// <param name="Name">How the table calls the base.</param>
/// <param name="Files">The content of its files by their names.</param>
/// <param name="Weights">The file of weights that is changed as a rule.</param>
/// <param name="Norm">The name of the tensor that is changed as a rule: the last norm.</param>
internal sealed record OddBase(string Name, IReadOnlyDictionary<string, byte[]> Files, string Weights, string Norm)
{
    private const string Single = "model.safetensors",
        HuggingFaceNorm = "model.norm.weight";

    private static readonly TinyShape Shape = new()
    {
        HiddenSize = Hidden,
        IntermediateSize = Inner,
        HeadDim = 16,
        NumLocalExperts = Experts,
        ExpertsPerToken = 2,
        VocabSize = Vocabulary,
        WithIndex = false,
    };

    /// <summary>Width of the residual stream, unlike every other width.</summary>
    public const int Hidden = 32;

    /// <summary>Width within an expert, unlike every other width.</summary>
    public const int Inner = 96;

    /// <summary>Experts of each layer.</summary>
    public const int Experts = 3;

    /// <summary>Tokens of the tiny model's tokenizer.json.</summary>
    public const int Vocabulary = 960;

    /// <summary>config.json, one file of weights, tokenizer.json.</summary>
    public static OddBase HuggingFace { get; } = Written("one file", Shape, Single, HuggingFaceNorm);

    /// <summary>Three files of weights with an index.</summary>
    public static OddBase Shards { get; } =
        Written(
            "shards",
            Shape with
            {
                Shards = 3,
                WithIndex = true,
            },
            "model-00001-of-00002.safetensors",
            HuggingFaceNorm
        );

    /// <summary>OpenAI's original layout in one file.</summary>
    public static OddBase Original { get; } =
        Written("original", Shape with { Layout = TinyLayout.Original, WithIndex = true }, Single, "norm.scale");

    /// <summary>OpenAI's original layout in three files without an index.</summary>
    public static OddBase Series { get; } =
        Written(
            "original series",
            Shape with
            {
                Layout = TinyLayout.Original,
                WithIndex = true,
                Shards = 3,
            },
            "model--00002-of-00003.safetensors",
            "norm.scale"
        );

    /// <summary>The experts in bfloat16, as fine-tunes have them.</summary>
    public static OddBase FineTune { get; } =
        Written("fine-tune", Shape with { Experts = TinyExperts.BFloat16 }, Single, HuggingFaceNorm);

    /// <summary>One GGUF file of llama.cpp's names, with a tokenizer.</summary>
    public static OddBase Gguf { get; } =
        new(
            "GGUF",
            new Dictionary<string, byte[]> { ["m.gguf"] = WithTokenizer("A-bare.gguf") },
            "m.gguf",
            "output_norm.weight"
        );

    /// <summary>A set of three GGUF files.</summary>
    public static OddBase GgufSet { get; } =
        new(
            "GGUF set",
            Enumerable
                .Range(1, 3)
                .Select(part => $"A-split-{part:D5}-of-00003.gguf")
                .ToDictionary(
                    name => name,
                    name =>
                        name.Contains("00001", StringComparison.Ordinal)
                            ? WithTokenizer(name)
                            : File.ReadAllBytes(GgufVectors.PathOf(name))
                ),
            "A-split-00002-of-00003.gguf",
            "output_norm.weight"
        );

    /// <summary>The base of a LoRA adapter of the attention, the adapter in the folder beside.</summary>
    public static OddBase Adapter { get; } = HuggingFace with { Name = "adapter" };

    /// <summary>The files of a sound adapter of <see cref="Adapter"/>.</summary>
    public static IReadOnlyDictionary<string, byte[]> AdapterFiles { get; } = OddAdapter.Files();

    private static string[] Markers =>
        ["start", "end", "message", "channel", "constrain", "call", "return", "endoftext"];

    // 256 tokens for the bytes, and the rest of 512 special.
    private static byte[] WithTokenizer(string name)
    {
        var parts = GgufParts.Read(GgufVectors.PathOf(name));
        parts.Keys.RemoveAll(key => key.Name.StartsWith("tokenizer.", StringComparison.Ordinal));
        string[] tokens =
        [
            .. Enumerable
                .Range(0, 512)
                .Select(id =>
                    id < 256 ? ByteAlphabet.Letter((byte)id).ToString()
                    : id - 256 < Markers.Length ? $"<|{Markers[id - 256]}|>"
                    : $"<|{id}|>"
                ),
        ];
        Add("model", GgufParts.String, GgufParts.String8("gpt2"));
        Add("pre", GgufParts.String, GgufParts.String8("gpt-4o"));
        Add("tokens", GgufParts.Array, [.. Head(GgufParts.String, 512), .. tokens.SelectMany(GgufParts.String8)]);
        Add("merges", GgufParts.Array, Head(GgufParts.String, 0));
        Add(
            "token_type",
            GgufParts.Array,
            [.. Head(GgufParts.I32, 512), .. tokens.SelectMany((_, id) => GgufParts.Number(id < 256 ? 1u : 3u, 4))]
        );
        return parts.Bytes();

        void Add(string key, uint type, byte[] value) => parts.Keys.Add(new($"tokenizer.ggml.{key}", type, value));
        static byte[] Head(uint inner, ulong count) => [.. GgufParts.Number(inner, 4), .. GgufParts.Number(count, 8)];
    }

    private static OddBase Written(string name, TinyShape shape, string weights, string norm)
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, shape, seed: 1);
        File.Copy(Path.Join(TinyGptOss.Folder, "tokenizer.json"), Path.Join(folder.Path, "tokenizer.json"));
        return new(
            name,
            Directory.EnumerateFiles(folder.Path).ToDictionary(path => Path.GetFileName(path), File.ReadAllBytes),
            weights,
            norm
        );
    }
}

namespace GptOss.Peers;

/// <summary>
/// gpt-oss-20b, or its first layers, as the commonly published GGUF files store it: experts in MXFP4, dense weights in
/// Q8_0.
/// </summary>
internal static class Shape
{
    /// <summary>Layers of the whole model.</summary>
    public const int AllLayers = 24;

    private const int Hidden = 2880,
        Intermediate = 2880,
        HeadDim = 64,
        Heads = 64,
        KeyValueHeads = 8,
        Vocabulary = 201088;
    private const int Experts = 32,
        ExpertsPerToken = 4;

    public static List<GgufTensor> Tensors(int layers) =>
        [
            new("token_embd.weight", GgufType.Q8Block, Hidden, Vocabulary),
            new("output_norm.weight", GgufType.Float32, Hidden),
            new("output.weight", GgufType.Q8Block, Hidden, Vocabulary),
            .. Enumerable.Range(0, layers).SelectMany(layer => Layer($"blk.{layer}.")),
        ];

    /// <summary>
    /// Weights that a decoded token reads, in bytes: of the experts those it is routed to, of the embedding one row.
    /// </summary>
    public static long BytesPerToken(int layers) =>
        Tensors(layers)
            .Sum(tensor =>
                tensor switch
                {
                    { Name: "token_embd.weight" } => tensor.Bytes / Vocabulary,
                    _ when tensor.Name.Contains("_exps.", StringComparison.Ordinal) => tensor.Bytes
                        / Experts
                        * ExpertsPerToken,
                    _ => tensor.Bytes,
                }
            );

    public static GgufHeader Header(int layers)
    {
        const string Prefix = "gpt-oss.";
        var header = new GgufHeader();
        header.Add("general.architecture", "gpt-oss");
        header.Add("general.name", $"random 20b, {layers} layers");
        header.Add("general.alignment", GgufHeader.Alignment);
        header.Add("general.file_type", 38); // "mostly MXFP4, experts only"
        header.Add(Prefix + "block_count", layers);
        header.Add(Prefix + "context_length", 131072);
        header.Add(Prefix + "embedding_length", Hidden);
        header.Add(Prefix + "feed_forward_length", Intermediate);
        header.Add(Prefix + "expert_feed_forward_length", Intermediate);
        header.Add(Prefix + "attention.head_count", Heads);
        header.Add(Prefix + "attention.head_count_kv", KeyValueHeads);
        header.Add(Prefix + "attention.key_length", HeadDim);
        header.Add(Prefix + "attention.value_length", HeadDim);
        header.Add(Prefix + "attention.layer_norm_rms_epsilon", 1e-5f);
        header.Add(Prefix + "attention.sliding_window", 128);
        header.Add(Prefix + "expert_count", Experts);
        header.Add(Prefix + "expert_used_count", ExpertsPerToken);
        header.Add(Prefix + "rope.freq_base", 150000f);
        header.Add(Prefix + "rope.scaling.type", "yarn");
        header.Add(Prefix + "rope.scaling.factor", 32f);
        header.Add(Prefix + "rope.scaling.original_context_length", 4096);
        header.Add(Prefix + "vocab_size", Vocabulary);
        AddVocabulary(header);
        return header;
    }

    private static IEnumerable<GgufTensor> Layer(string prefix) =>
        [
            new(prefix + "attn_norm.weight", GgufType.Float32, Hidden),
            new(prefix + "attn_q.weight", GgufType.Q8Block, Hidden, Heads * HeadDim),
            new(prefix + "attn_q.bias", GgufType.Float32, Heads * HeadDim),
            new(prefix + "attn_k.weight", GgufType.Q8Block, Hidden, KeyValueHeads * HeadDim),
            new(prefix + "attn_k.bias", GgufType.Float32, KeyValueHeads * HeadDim),
            new(prefix + "attn_v.weight", GgufType.Q8Block, Hidden, KeyValueHeads * HeadDim),
            new(prefix + "attn_v.bias", GgufType.Float32, KeyValueHeads * HeadDim),
            new(prefix + "attn_output.weight", GgufType.Q8Block, Heads * HeadDim, Hidden),
            new(prefix + "attn_output.bias", GgufType.Float32, Hidden),
            new(prefix + "attn_sinks.weight", GgufType.Float32, Heads),
            new(prefix + "post_attention_norm.weight", GgufType.Float32, Hidden),
            new(prefix + "ffn_gate_inp.weight", GgufType.Float32, Hidden, Experts),
            new(prefix + "ffn_gate_inp.bias", GgufType.Float32, Experts),
            new(prefix + "ffn_gate_exps.weight", GgufType.Mxfp4, Hidden, Intermediate, Experts),
            new(prefix + "ffn_gate_exps.bias", GgufType.Float32, Intermediate, Experts),
            new(prefix + "ffn_up_exps.weight", GgufType.Mxfp4, Hidden, Intermediate, Experts),
            new(prefix + "ffn_up_exps.bias", GgufType.Float32, Intermediate, Experts),
            new(prefix + "ffn_down_exps.weight", GgufType.Mxfp4, Intermediate, Hidden, Experts),
            new(prefix + "ffn_down_exps.bias", GgufType.Float32, Hidden, Experts),
        ];

    /// <summary>
    /// A loader insists on a vocabulary, the measurement uses ids only: 256 bytes, then numbered tokens.
    /// </summary>
    private static void AddVocabulary(GgufHeader header)
    {
        const int NormalToken = 1;
        // The bytes' printable stand-ins of GPT-2's byte-level BPE: those that print are themselves, the rest follow
        // U+0100.
        var tokens = new List<string>(Vocabulary);
        int moved = 0;
        for (int value = 0; value < 256; value++)
            tokens.Add(
                (value is >= 33 and <= 126 or >= 161 and not 173 ? (char)value : (char)(256 + moved++)).ToString()
            );
        while (tokens.Count < Vocabulary)
            tokens.Add($"<t{tokens.Count}>");

        header.Add("tokenizer.ggml.model", "gpt2");
        header.Add("tokenizer.ggml.pre", "gpt-4o");
        header.Add("tokenizer.ggml.tokens", tokens);
        header.Add("tokenizer.ggml.token_type", Enumerable.Repeat(NormalToken, Vocabulary).ToArray());
        header.Add("tokenizer.ggml.merges", ["t h"]);
        header.Add("tokenizer.ggml.bos_token_id", Vocabulary - 1);
        header.Add("tokenizer.ggml.eos_token_id", Vocabulary - 2);
        header.Add("tokenizer.ggml.padding_token_id", Vocabulary - 3);
    }
}

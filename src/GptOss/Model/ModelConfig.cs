using GptOss.Checkpoint;

namespace GptOss.Model;

/// <summary>Which of the two published forms a folder has: names, shapes and config differ between them.</summary>
internal enum CheckpointLayout
{
    /// <summary>The form of Hugging Face's transformers, such as <c>model.layers.0.self_attn.q_proj</c>.</summary>
    HuggingFace,

    /// <summary>The form of OpenAI's own code, such as <c>block.0.attn.qkv</c>.</summary>
    Original,

    /// <summary>The forms of llama.cpp and of Ollama, such as <c>blk.0.attn_q</c>.</summary>
    Gguf,
}

/// <summary>
/// Every size and constant of a model, read from its config.json and checked. Nothing comes from a table of known
/// models.
/// </summary>
/// <remarks>
/// A config is refused if a single matrix, such as one expert's or the head's, would have more than 2³¹ − 1 values. So
/// no later computation of a size overflows 64 bits.
/// </remarks>
internal sealed partial record ModelConfig
{
    public required CheckpointLayout Layout { get; init; }
    public required int NumHiddenLayers { get; init; }
    public required int HiddenSize { get; init; }
    public required int IntermediateSize { get; init; }
    public required int NumAttentionHeads { get; init; }
    public required int NumKeyValueHeads { get; init; }
    public required int HeadDim { get; init; }
    public required int NumLocalExperts { get; init; }
    public required int ExpertsPerToken { get; init; }
    public required int VocabSize { get; init; }
    public required int SlidingWindow { get; init; }

    /// <summary>For each layer whether it sees the window only, or everything before it.</summary>
    public required bool[] IsSliding { get; init; }
    public required float RmsNormEps { get; init; }
    public required float SwiGluLimit { get; init; }
    public required float SwiGluAlpha { get; init; }
    public required bool TieWordEmbeddings { get; init; }

    /// <summary>Whether query, key, value and output of the attention have a bias; the published models have.</summary>
    public bool AttentionBias { get; init; } = true;
    public required RopeConfig Rope { get; init; }

    /// <summary>Positions the model was made for, 131,072 for the published ones.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Query heads that share one key/value head.</summary>
    public int HeadsPerKeyValueHead => NumAttentionHeads / NumKeyValueHeads;

    public int QueryWidth => NumAttentionHeads * HeadDim;

    public int KeyValueWidth => NumKeyValueHeads * HeadDim;

    private const int MaxDimension = 1 << 20,
        MaxLayers = 1024,
        MaxExperts = 4096,
        MaxExpertsPerToken = 128,
        MaxVocabulary = 1 << 24,
        MaxPosition = 1 << 27;

    /// <summary>Reads either form of config.json.</summary>
    /// <exception cref="CheckpointException">Names the field, what it should be and what it is.</exception>
    public static ModelConfig From(JsonFields json)
    {
        bool huggingFace = json.Has("model_type") || !json.Has("num_experts");
        if (huggingFace && !json.Has("model_type"))
            throw json.Missing(
                "model_type",
                "'gpt_oss'",
                "Put the config.json beside the weights that they came with."
            );
        if (huggingFace && json.Text("model_type") is var type && type != "gpt_oss")
            throw json.Wrong(
                "model_type",
                "'gpt_oss'",
                JsonFields.Quoted(type),
                "This engine runs no other architecture."
            );
        if (json.OptionalText("hidden_act") is { } activation && activation != "silu")
            throw json.Wrong("hidden_act", "'silu'", JsonFields.Quoted(activation));

        ConfigQuantization.RefuseForeign(json);

        int layers = json.Int32("num_hidden_layers", 1, MaxLayers);
        int experts = json.Int32(huggingFace ? "num_local_experts" : "num_experts", 1, MaxExperts);
        if (huggingFace && json.OptionalInt32("num_experts", 1, MaxExperts) is { } also && also != experts)
            throw json.Wrong(
                "num_experts",
                $"{experts}, since num_local_experts is {experts}",
                $"{also}",
                "They mean the same."
            );
        RopeConfig rope = huggingFace ? RopeConfig.FromHuggingFace(json) : RopeConfig.FromOriginal(json);
        var config = new ModelConfig
        {
            Layout = huggingFace ? CheckpointLayout.HuggingFace : CheckpointLayout.Original,
            NumHiddenLayers = layers,
            HiddenSize = json.Int32("hidden_size", 1, MaxDimension),
            IntermediateSize = json.Int32("intermediate_size", 1, MaxDimension),
            NumAttentionHeads = json.Int32("num_attention_heads", 1, MaxDimension),
            NumKeyValueHeads = json.Int32("num_key_value_heads", 1, MaxDimension),
            HeadDim = json.Int32("head_dim", 2, MaxDimension),
            NumLocalExperts = experts,
            ExpertsPerToken = ReadExpertsPerToken(json, Math.Min(experts, MaxExpertsPerToken)),
            VocabSize = json.Int32("vocab_size", 1, MaxVocabulary),
            SlidingWindow = json.Int32("sliding_window", 1, MaxPosition),
            IsSliding = ReadLayerTypes(json, layers),
            RmsNormEps = (float)json.Positive("rms_norm_eps", 1e-5),
            SwiGluLimit = (float)json.Positive("swiglu_limit", 7.0),
            SwiGluAlpha = (float)json.Positive("swiglu_alpha", 1.702),
            TieWordEmbeddings = json.OptionalBoolean("tie_word_embeddings") ?? false,
            AttentionBias = !huggingFace || (json.OptionalBoolean("attention_bias") ?? true),
            Rope = rope,
            MaxPositions = json.OptionalInt32("max_position_embeddings", 1, MaxPosition)
                ?? (int)Math.Min(MaxPosition, rope.OriginalContext * Math.Max(1, rope.Factor)),
        };
        if (json.IsEmptyArray("eos_token_id"))
            throw json.Wrong("eos_token_id", "at least one token", "none", "No answer would ever end.");
        config.Check((field, expected, found) => json.Wrong(field, expected, found));
        return config;
    }

    /// <summary>Refuses sizes that do not fit each other.</summary>
    /// <param name="wrong">Makes the error from the name of a field of config.json, what is expected and what is
    /// found.</param>
    private void Check(Func<string, string, string, CheckpointException> wrong)
    {
        if (HeadDim % 2 != 0)
            throw wrong("head_dim", "an even number, for rotary pairs", $"{HeadDim}");
        if (NumAttentionHeads % NumKeyValueHeads != 0)
            throw wrong(
                "num_attention_heads",
                $"a multiple of num_key_value_heads {NumKeyValueHeads}",
                $"{NumAttentionHeads}"
            );
        if ((long)NumAttentionHeads * HeadDim is var width && width > MaxDimension)
            throw wrong("num_attention_heads", $"at most {MaxDimension} together with head_dim", $"{width}");
        Fits("intermediate_size", 2L * IntermediateSize * HiddenSize, int.MaxValue);
        Fits("hidden_size", (long)HiddenSize * NumAttentionHeads * HeadDim, int.MaxValue);
        Fits("vocab_size", (long)VocabSize * HiddenSize, int.MaxValue);
        Fits("num_local_experts", (long)NumLocalExperts * HiddenSize, int.MaxValue);

        void Fits(string field, long product, long limit)
        {
            if (product > limit)
                throw wrong(
                    field,
                    $"a matrix of at most {limit} values",
                    $"one of {product} together with the other sizes"
                );
        }
    }

    // Two names of the field mean the same. There is no default: where both are missing, nothing tells the right
    // number.
    private static int ReadExpertsPerToken(JsonFields json, int most)
    {
        const string name = "num_experts_per_tok",
            older = "experts_per_token";
        int? first = json.OptionalInt32(name, 1, most),
            second = json.OptionalInt32(older, 1, most);
        if (first is { } a && second is { } b && a != b)
            throw json.Wrong(older, $"{a}, since {name} is {a}", $"{b}", "They mean the same.");
        return first
            ?? second
            ?? throw json.Missing(name, $"a whole number here or in {older}", "gpt-oss-20b and gpt-oss-120b have 4.");
    }

    private static bool[] ReadLayerTypes(JsonFields json, int layers)
    {
        if (json.OptionalTexts("layer_types") is not { } types)
            return [.. Enumerable.Range(0, layers).Select(layer => layer % 2 == 0)]; // OpenAI's code: even layers slide
        if (types.Length != layers)
            throw json.Wrong("layer_types", $"one entry for each of {layers} layers", $"{types.Length}");
        return
        [
            .. types.Select(type =>
                type switch
                {
                    "sliding_attention" => true,
                    "full_attention" => false,
                    _ => throw json.Wrong(
                        "layer_types",
                        "'sliding_attention' or 'full_attention'",
                        JsonFields.Quoted(type)
                    ),
                }
            ),
        ];
    }
}

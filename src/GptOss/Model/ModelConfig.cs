using GptOss.Checkpoint;

namespace GptOss.Model;

/// <summary>Which of the two published forms a folder has: its names, its shapes and its config differ.</summary>
internal enum CheckpointLayout
{
    HuggingFace,
    Original,
}

/// <summary>Every shape and constant of a model, as its config.json gives them. Nothing comes from a table of known models.</summary>
/// <remarks>Validated: every matrix, one expert's or the head's, has at most 2³¹ − 1 values, so that no later computation of a size overflows 64 bits.</remarks>
internal sealed record ModelConfig
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
    public required RopeConfig Rope { get; init; }

    /// <summary>Positions the model was made for, 131,072 for the published ones.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Query heads that share one key/value head.</summary>
    public int HeadsPerKeyValueHead => NumAttentionHeads / NumKeyValueHeads;

    public int QueryWidth => NumAttentionHeads * HeadDim;

    public int KeyValueWidth => NumKeyValueHeads * HeadDim;

    private const int MaxDimension = 1 << 20, MaxLayers = 1024, MaxExperts = 4096, MaxExpertsPerToken = 128, MaxVocabulary = 1 << 24, MaxPosition = 1 << 27;

    /// <summary>Reads either form of config.json.</summary>
    /// <exception cref="CheckpointException">Names the field, what it should be and what it is.</exception>
    public static ModelConfig From(ConfigJson json)
    {
        bool huggingFace = json.Has("model_type") || !json.Has("num_experts");
        if (huggingFace && json.Text("model_type") is var type && type != "gpt_oss")
            throw json.Fault("model_type", $"should be 'gpt_oss' but is '{Printable.Name(type)}'; this engine runs no other architecture.");
        if (json.OptionalText("hidden_act") is { } activation && activation != "silu")
            throw json.Fault("hidden_act", $"should be 'silu' but is '{Printable.Name(activation)}'.");

        int layers = json.Int32("num_hidden_layers", 1, MaxLayers);
        int experts = json.Int32(huggingFace ? "num_local_experts" : "num_experts", 1, MaxExperts);
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
            ExpertsPerToken = json.OptionalInt32("num_experts_per_tok", 1, Math.Min(experts, MaxExpertsPerToken))
                ?? json.OptionalInt32("experts_per_token", 1, Math.Min(experts, MaxExpertsPerToken)) ?? Math.Min(4, experts),
            VocabSize = json.Int32("vocab_size", 1, MaxVocabulary),
            SlidingWindow = json.Int32("sliding_window", 1, MaxPosition),
            IsSliding = ReadLayerTypes(json, layers),
            RmsNormEps = (float)Positive(json, "rms_norm_eps", 1e-5),
            SwiGluLimit = (float)Positive(json, "swiglu_limit", 7.0),
            SwiGluAlpha = (float)Positive(json, "swiglu_alpha", 1.702),
            TieWordEmbeddings = json.OptionalBoolean("tie_word_embeddings") ?? false,
            Rope = rope,
            MaxPositions = json.OptionalInt32("max_position_embeddings", 1, MaxPosition)
                ?? (int)Math.Min(MaxPosition, rope.OriginalContext * Math.Max(1, rope.Factor)),
        };
        config.Check(json);
        return config;
    }

    private void Check(ConfigJson json)
    {
        if (HeadDim % 2 != 0)
            throw json.Fault("head_dim", $"should be even, for rotary pairs, but is {HeadDim}.");
        if (NumAttentionHeads % NumKeyValueHeads != 0)
            throw json.Fault("num_attention_heads",
                $"should be a multiple of num_key_value_heads {NumKeyValueHeads} but is {NumAttentionHeads}.");
        Fits("num_attention_heads", (long)NumAttentionHeads * HeadDim, MaxDimension);
        Fits("intermediate_size", 2L * IntermediateSize * HiddenSize, int.MaxValue);
        Fits("hidden_size", (long)HiddenSize * NumAttentionHeads * HeadDim, int.MaxValue);
        Fits("vocab_size", (long)VocabSize * HiddenSize, int.MaxValue);
        Fits("num_local_experts", (long)NumLocalExperts * HiddenSize, int.MaxValue);

        void Fits(string field, long product, long limit)
        {
            if (product > limit)
                throw json.Fault(field, $"makes a matrix of {product} values together with the other sizes; at most {limit} are supported.");
        }
    }

    private static bool[] ReadLayerTypes(ConfigJson json, int layers)
    {
        if (json.OptionalTexts("layer_types") is not { } types)
            return [.. Enumerable.Range(0, layers).Select(layer => layer % 2 == 0)];   // OpenAI's code: even layers slide
        if (types.Length != layers)
            throw json.Fault("layer_types", $"should have one entry for each of {layers} layers but has {types.Length}.");
        return [.. types.Select(type => type switch
        {
            "sliding_attention" => true,
            "full_attention" => false,
            _ => throw json.Fault("layer_types",
                $"should hold 'sliding_attention' and 'full_attention' but holds '{Printable.Name(type)}'."),
        })];
    }

    internal static double Positive(ConfigJson json, string field, double fallback)
    {
        double value = json.OptionalNumber(field) ?? fallback;
        return (float)value is > 0 and <= float.MaxValue ? value   // a tiny one may be zero in float32
            : throw json.Fault(field, $"should be a positive number but is {value}.");
    }
}

/// <summary>The constants of rotary positions with YaRN scaling.</summary>
internal sealed record RopeConfig
{
    public required double Theta { get; init; }

    /// <summary>How many times the original context was extended; 1 or less turns the scaling off.</summary>
    public required double Factor { get; init; }
    public required double BetaFast { get; init; }
    public required double BetaSlow { get; init; }
    public required int OriginalContext { get; init; }

    /// <summary>Whether the ends of the blend are rounded to whole pairs: the default of Hugging Face, false in the published files.</summary>
    public required bool Truncate { get; init; }

    /// <summary>Overrides the concentration 0.1 ln(factor) + 1 where the file gives it.</summary>
    public double? AttentionFactor { get; init; }

    private const int MaxContext = 1 << 27;

    // The frequencies fall from 1 by powers of theta: with 1 or less they do not, and YaRN divides by its logarithm.
    private static double ReadTheta(ConfigJson json, double fallback)
    {
        double theta = ModelConfig.Positive(json, "rope_theta", fallback);
        return theta > 1 ? theta : throw json.Fault("rope_theta", $"should be above 1 but is {theta}.");
    }

    public static RopeConfig FromHuggingFace(ConfigJson json)
    {
        ConfigJson rope = json.Object("rope_parameters") ?? json.Object("rope_scaling")
            ?? throw json.Fault("rope_scaling", "should be an object with the YaRN parameters but is missing or null.");
        string type = rope.OptionalText("rope_type") ?? rope.OptionalText("type") ?? "yarn";
        if (type is not ("yarn" or "default"))
            throw rope.Fault("rope_type", $"should be 'yarn' but is '{Printable.Name(type)}'.");
        return new RopeConfig
        {
            Theta = ReadTheta(rope, ReadTheta(json, 150_000)),
            Factor = type == "default" ? 1 : rope.OptionalNumber("factor") is null
                ? throw rope.Fault("factor", "is missing or null, and YaRN has no default for it.")
                : ModelConfig.Positive(rope, "factor", 1),
            BetaFast = ModelConfig.Positive(rope, "beta_fast", 32),
            BetaSlow = ModelConfig.Positive(rope, "beta_slow", 1),
            OriginalContext = rope.OptionalInt32("original_max_position_embeddings", 1, MaxContext)
                ?? json.OptionalInt32("initial_context_length", 1, MaxContext) ?? 4096,
            Truncate = rope.OptionalBoolean("truncate") ?? true,
            AttentionFactor = rope.OptionalNumber("attention_factor") is null ? null : ModelConfig.Positive(rope, "attention_factor", 1),
        };
    }

    public static RopeConfig FromOriginal(ConfigJson json) => new()
    {
        Theta = ReadTheta(json, 150_000),
        Factor = ModelConfig.Positive(json, "rope_scaling_factor", 1),
        BetaFast = ModelConfig.Positive(json, "rope_ntk_beta", 32),
        BetaSlow = ModelConfig.Positive(json, "rope_ntk_alpha", 1),
        OriginalContext = json.OptionalInt32("initial_context_length", 1, MaxContext) ?? 4096,
        Truncate = false,
    };
}

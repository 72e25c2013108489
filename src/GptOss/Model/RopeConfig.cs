using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;

namespace GptOss.Model;

/// <summary>The constants of rotary position embedding with YaRN scaling, as config.json gives them.</summary>
internal sealed record RopeConfig
{
    public required double Theta { get; init; }

    /// <summary>How many times the original context was extended; 1 or less turns the scaling off.</summary>
    public required double Factor { get; init; }
    public required double BetaFast { get; init; }
    public required double BetaSlow { get; init; }
    public required int OriginalContext { get; init; }

    /// <summary>
    /// Whether the ends of the blend are rounded to whole pairs: the default of Hugging Face, false in the published
    /// files.
    /// </summary>
    public required bool Truncate { get; init; }

    /// <summary>Overrides the concentration 0.1 ln(factor) + 1 where the file gives it.</summary>
    public double? AttentionFactor { get; init; }

    private const int MaxContext = 1 << 27;

    // The numbers of the rope object, old or new.
    private static readonly string[] Numbers =
    [
        "factor",
        "beta_fast",
        "beta_slow",
        "original_max_position_embeddings",
        "rope_theta",
        "attention_factor",
    ];

    // Frequencies are powers of 1 / theta, which fall only if theta is above 1. YaRN divides by the logarithm of theta,
    // which is zero for 1.
    private static double ReadTheta(JsonFields json, double fallback)
    {
        double theta = json.Positive("rope_theta", fallback);
        return theta > 1 ? theta : throw json.Wrong("rope_theta", "a number above 1", $"{theta}");
    }

    public static RopeConfig FromHuggingFace(JsonFields json)
    {
        JsonFields rope = json.OptionalObject("rope_parameters")
            ?? json.OptionalObject("rope_scaling")
            ?? throw json.Missing("rope_scaling", "an object with the YaRN parameters");
        string type = rope.OptionalText("rope_type") ?? rope.OptionalText("type") ?? "yarn";
        bool plain = type is "default" or "none";
        if (!plain && type != "yarn")
            throw rope.Wrong(rope.Has("rope_type") ? "rope_type" : "type", "'yarn'", JsonFields.Quoted(type));
        double theta = ReadTheta(rope, ReadTheta(json, 150_000));
        RefuseContradictions(json, rope);
        // transformers reckons the attention's factor from it, where both are there; no gpt-oss has it.
        rope.RequireNothing("mscale_all_dim", "It belongs to models of another architecture.");
        // Read even where the rope object has its own, so that a damaged value is noticed.
        int? initial = json.OptionalInt32("initial_context_length", 1, MaxContext);
        double? factor = rope.OptionalNumber("factor") is null ? null : rope.Positive("factor", 1);
        if (plain && factor is { } scaled && scaled != 1)
            throw rope.Wrong(
                "factor",
                $"1, since rope_type '{type}' means that nothing is scaled",
                $"{scaled}",
                "One of the two is wrong."
            );
        return new RopeConfig
        {
            Theta = theta,
            Factor = plain ? 1 : factor ?? throw rope.Missing("factor", "a number", "YaRN has no default for it."),
            BetaFast = rope.Positive("beta_fast", 32),
            BetaSlow = rope.Positive("beta_slow", 1),
            OriginalContext = rope.OptionalInt32("original_max_position_embeddings", 1, MaxContext) ?? initial ?? 4096,
            Truncate = rope.OptionalBoolean("truncate") ?? true,
            AttentionFactor = rope.OptionalNumber("attention_factor") is null
                ? null
                : rope.Positive("attention_factor", 1),
        };
    }

    // A field may stand in the rope object and beside it, or in an old and a new object: the values must be equal.
    private static void RefuseContradictions(JsonFields json, JsonFields rope)
    {
        Same(rope, "rope_theta", json, "rope_theta");
        if (json.OptionalObject("rope_scaling") is { } older)
        {
            foreach (string field in Numbers)
                Same(rope, field, older, field);
            Equal("rope_type", TypeOf(rope), TypeOf(older));
            Equal("truncate", Word(rope.OptionalBoolean("truncate")), Word(older.OptionalBoolean("truncate")));

            void Equal(string field, string? value, string? also)
            {
                if (value is not null && also is not null && value != also)
                    throw older.Wrong(
                        field,
                        $"{value}, since {rope.Full(field)} is {value}",
                        also,
                        "They mean the same."
                    );
            }
        }
        if (rope.OptionalText("rope_type") is { } type && rope.OptionalText("type") is { } other && type != other)
            throw rope.Wrong(
                "type",
                $"{JsonFields.Quoted(type)}, since rope_type is {JsonFields.Quoted(type)}",
                JsonFields.Quoted(other),
                "They mean the same."
            );

        static string? TypeOf(JsonFields rope) =>
            (rope.OptionalText("rope_type") ?? rope.OptionalText("type")) is { } type ? JsonFields.Quoted(type) : null;

        static string? Word(bool? value) =>
            value switch
            {
                true => "true",
                false => "false",
                null => null,
            };

        static void Same(JsonFields a, string field, JsonFields b, string other)
        {
            if (a.OptionalNumber(field) is { } inside && b.OptionalNumber(other) is { } beside && inside != beside)
                throw b.Wrong(
                    other,
                    $"{inside}, since {a.Full(field)} is {inside}",
                    $"{beside}",
                    "They mean the same."
                );
        }
    }

    /// <summary>Reads the keys of a GGUF file, which say nothing of <see cref="Truncate"/>.</summary>
    /// <param name="keys">The keys of the file.</param>
    /// <param name="start">What stands before every key of the architecture.</param>
    public static RopeConfig From(GgufKeys keys, string start)
    {
        string scaling = start + "rope.scaling.";
        double theta = keys.Positive(start + "rope.freq_base", 150_000),
            factor = keys.Positive(scaling + "factor", 1);
        if (theta <= 1)
            throw keys.Wrong(start + "rope.freq_base", "a number above 1", $"{theta}");
        string type = keys.OptionalText(scaling + "type") ?? "yarn";
        if (type != "yarn" && (type is not ("none" or "linear") || factor != 1))
            throw keys.Wrong(scaling + "type", "'yarn', or 'none' with a factor of 1", JsonFields.Quoted(type));
        // Nothing is known of models that have these.
        foreach (string key in (string[])["yarn_ext_factor", "yarn_attn_factor", "attn_factor"])
        {
            double value = keys.OptionalNumber(scaling + key) ?? 1;
            if (value != 1 && (value != -1 || key != "yarn_ext_factor"))
                throw keys.Wrong(scaling + key, "1", $"{value}");
        }
        return new RopeConfig
        {
            Theta = theta,
            Factor = factor,
            BetaFast = keys.Positive(scaling + "yarn_beta_fast", 32),
            BetaSlow = keys.Positive(scaling + "yarn_beta_slow", 1),
            OriginalContext = keys.OptionalInt32(scaling + "original_context_length", 1, MaxContext) ?? 4096,
            Truncate = false,
        };
    }

    public static RopeConfig FromOriginal(JsonFields json) =>
        new()
        {
            Theta = ReadTheta(json, 150_000),
            Factor = json.Positive("rope_scaling_factor", 1),
            BetaFast = json.Positive("rope_ntk_beta", 32),
            BetaSlow = json.Positive("rope_ntk_alpha", 1),
            OriginalContext = json.OptionalInt32("initial_context_length", 1, MaxContext) ?? 4096,
            Truncate = false,
        };
}

using System.Text.Json;

namespace GptOss.Tests.Oracles;

/// <summary>What <see cref="ReferenceTransformer"/> needs of config.json, from either form of it.</summary>
internal sealed record ReferenceConfig
{
    public ReferenceConfig(ReferenceFolder folder)
    {
        JsonElement c = folder.Config;
        int Count(string name) => c.GetProperty(name).GetInt32();
        (Layers, Hidden, Inner, Vocab) = (
            Count("num_hidden_layers"),
            Count("hidden_size"),
            Count("intermediate_size"),
            Count("vocab_size")
        );
        (Heads, KvHeads, HeadDim) = (Count("num_attention_heads"), Count("num_key_value_heads"), Count("head_dim"));
        Experts = Count(folder.IsHuggingFace ? "num_local_experts" : "num_experts");
        ExpertsPerToken = (int)(ReferenceFolder.Number(c, "num_experts_per_tok") ?? Count("experts_per_token"));
        Eps = ReferenceFolder.Number(c, "rms_norm_eps") ?? 1e-5;
        Limit = ReferenceFolder.Number(c, "swiglu_limit") ?? 7;
        Window = new int[Layers];
        for (int layer = 0; layer < Layers; layer++)
        {
            bool sliding = c.TryGetProperty("layer_types", out JsonElement types)
                ? types[layer].GetString() == "sliding_attention"
                : layer % 2 == 0;
            Window[layer] = sliding ? Count("sliding_window") : int.MaxValue;
        }

        (Frequencies, Concentration) = Yarn(folder);
    }

    public int Layers { get; }
    public int Hidden { get; }
    public int Inner { get; }
    public int Vocab { get; }
    public int Heads { get; }
    public int KvHeads { get; }
    public int HeadDim { get; }
    public int Experts { get; }
    public int ExpertsPerToken { get; }
    public double Eps { get; }
    public double Limit { get; }

    /// <summary>Keys a query of each layer sees, its own counted.</summary>
    public int[] Window { get; }

    /// <summary>Radians a position, [headDim / 2].</summary>
    public double[] Frequencies { get; }

    /// <summary>YaRN's factor on the cosines and sines, the same for queries and for keys.</summary>
    public double Concentration { get; }

    private (double[] Frequencies, double Concentration) Yarn(ReferenceFolder folder)
    {
        JsonElement c = folder.Config;
        JsonElement rope =
            c.TryGetProperty("rope_parameters", out JsonElement newer) ? newer
            : c.TryGetProperty("rope_scaling", out JsonElement older) ? older
            : c;
        double theta = ReferenceFolder.Number(rope, "rope_theta") ?? c.GetProperty("rope_theta").GetDouble();
        double factor = ReferenceFolder.Number(rope, folder.IsHuggingFace ? "factor" : "rope_scaling_factor") ?? 1;
        double fast = ReferenceFolder.Number(rope, folder.IsHuggingFace ? "beta_fast" : "rope_ntk_beta") ?? 32;
        double slow = ReferenceFolder.Number(rope, folder.IsHuggingFace ? "beta_slow" : "rope_ntk_alpha") ?? 1;
        double context = ReferenceFolder.Number(rope, "original_max_position_embeddings")
            ?? c.GetProperty("initial_context_length").GetDouble();

        // A Hugging Face config without the key means true; OpenAI's code never rounds.
        bool truncate =
            folder.IsHuggingFace && (!rope.TryGetProperty("truncate", out JsonElement stated) || stated.GetBoolean());

        int half = HeadDim / 2;
        double PairThatTurns(double times) => half * Math.Log(context / (times * 2 * Math.PI)) / Math.Log(theta);
        double low = PairThatTurns(fast),
            high = PairThatTurns(slow);
        if (truncate)
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, HeadDim - 1));

        double[] frequencies = new double[half];
        for (int i = 0; i < half; i++)
        {
            double kept = Math.Pow(theta, -(double)i / half);
            double ramp = Math.Clamp((i - low) / Math.Max(high - low, 0.001), 0, 1);
            frequencies[i] = factor <= 1 ? kept : (kept * (1 - ramp)) + (kept / factor * ramp);
        }

        return (frequencies, factor <= 1 ? 1 : (0.1 * Math.Log(factor)) + 1);
    }
}

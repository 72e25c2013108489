using System.Text.Json;
using GptOss.Model;

namespace GptOss.Cli.Convert;

/// <summary>Writes config.json as transformers has it, from the sizes and constants that were read.</summary>
internal static class ConfigWriter
{
    /// <param name="path">The file that is written.</param>
    /// <param name="c">The sizes and constants of the model.</param>
    /// <param name="experts">The form in which the experts are written.</param>
    /// <param name="ends">The tokens that end an answer; null where the files name none.</param>
    public static void Write(string path, ModelConfig c, ExpertForm experts, int[]? ends)
    {
        using FileStream file = File.Create(path);
        using var writer = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true });
        writer.WriteStartObject();
        WriteTexts(writer, "architectures", ["GptOssForCausalLM"]);
        writer.WriteString("model_type", "gpt_oss");
        writer.WriteString("torch_dtype", "bfloat16");
        writer.WriteBoolean("attention_bias", c.AttentionBias);
        if (ends is [int one])
            writer.WriteNumber("eos_token_id", one);
        else if (ends is not null)
        {
            writer.WriteStartArray("eos_token_id");
            foreach (int end in ends)
                writer.WriteNumberValue(end);
            writer.WriteEndArray();
        }
        WriteSizes(writer, c);
        WriteRope(writer, c.Rope);
        if (experts == ExpertForm.Mxfp4)
        {
            writer.WriteStartObject("quantization_config");
            WriteTexts(
                writer,
                "modules_to_not_convert",
                ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
            );
            writer.WriteString("quant_method", "mxfp4");
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static void WriteSizes(Utf8JsonWriter writer, ModelConfig c)
    {
        writer.WriteNumber("num_hidden_layers", c.NumHiddenLayers);
        writer.WriteNumber("hidden_size", c.HiddenSize);
        writer.WriteNumber("intermediate_size", c.IntermediateSize);
        writer.WriteNumber("num_attention_heads", c.NumAttentionHeads);
        writer.WriteNumber("num_key_value_heads", c.NumKeyValueHeads);
        writer.WriteNumber("head_dim", c.HeadDim);
        writer.WriteNumber("num_local_experts", c.NumLocalExperts);
        writer.WriteNumber("num_experts_per_tok", c.ExpertsPerToken);
        writer.WriteNumber("experts_per_token", c.ExpertsPerToken);
        writer.WriteNumber("vocab_size", c.VocabSize);
        writer.WriteNumber("sliding_window", c.SlidingWindow);
        WriteTexts(
            writer,
            "layer_types",
            [.. c.IsSliding.Select(slides => slides ? "sliding_attention" : "full_attention")]
        );
        writer.WriteString("hidden_act", "silu");
        writer.WriteNumber("rms_norm_eps", c.RmsNormEps);
        writer.WriteNumber("swiglu_limit", c.SwiGluLimit);
        if (c.SwiGluAlpha != 1.702f)
            writer.WriteNumber("swiglu_alpha", c.SwiGluAlpha);
        writer.WriteBoolean("tie_word_embeddings", c.TieWordEmbeddings);
        writer.WriteNumber("max_position_embeddings", c.MaxPositions);
        writer.WriteNumber("initial_context_length", c.Rope.OriginalContext);
    }

    private static void WriteRope(Utf8JsonWriter writer, RopeConfig rope)
    {
        writer.WriteNumber("rope_theta", rope.Theta);
        writer.WriteStartObject("rope_scaling");
        writer.WriteString("rope_type", "yarn");
        writer.WriteNumber("factor", rope.Factor);
        writer.WriteNumber("beta_fast", rope.BetaFast);
        writer.WriteNumber("beta_slow", rope.BetaSlow);
        writer.WriteNumber("original_max_position_embeddings", rope.OriginalContext);
        writer.WriteBoolean("truncate", rope.Truncate);
        if (rope.AttentionFactor is { } factor)
            writer.WriteNumber("attention_factor", factor);
        writer.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter writer, string name, string[] texts)
    {
        writer.WriteStartArray(name);
        foreach (string text in texts)
            writer.WriteStringValue(text);
        writer.WriteEndArray();
    }
}

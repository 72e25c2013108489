using System.Text.Json.Nodes;

namespace GptOss.Tests.Oracles;

/// <summary>The configuration files of a tiny model, with the fields that the published ones have.</summary>
internal static class TinyConfig
{
    public static JsonObject HuggingFace(TinyShape shape)
    {
        var layerTypes = new JsonArray();
        for (int layer = 0; layer < shape.NumHiddenLayers; layer++)
            layerTypes.Add(shape.IsSliding(layer) ? "sliding_attention" : "full_attention");

        var config = new JsonObject
        {
            ["architectures"] = new JsonArray("GptOssForCausalLM"),
            ["attention_bias"] = true,
            ["attention_dropout"] = 0.0,
            ["eos_token_id"] = shape.EosTokenIds[0],
            ["experts_per_token"] = shape.ExpertsPerToken,
            ["head_dim"] = shape.HeadDim,
            ["hidden_act"] = "silu",
            ["hidden_size"] = shape.HiddenSize,
            ["initial_context_length"] = shape.OriginalContext,
            ["initializer_range"] = 0.02,
            ["intermediate_size"] = shape.IntermediateSize,
            ["layer_types"] = layerTypes,
            ["max_position_embeddings"] = shape.MaxPositionEmbeddings,
            ["model_type"] = "gpt_oss",
            ["num_attention_heads"] = shape.NumAttentionHeads,
            ["num_experts_per_tok"] = shape.ExpertsPerToken,
            ["num_hidden_layers"] = shape.NumHiddenLayers,
            ["num_key_value_heads"] = shape.NumKeyValueHeads,
            ["num_local_experts"] = shape.NumLocalExperts,
            ["output_router_logits"] = false,
            ["pad_token_id"] = shape.EosTokenIds[1],
            ["rms_norm_eps"] = shape.RmsNormEps,
            ["router_aux_loss_coef"] = 0.9,
            ["sliding_window"] = shape.SlidingWindow,
            ["swiglu_limit"] = shape.SwiGluLimit,
            ["tie_word_embeddings"] = false,
            ["transformers_version"] = shape.RopeParameters ? "5.0.0" : "4.55.0",
            ["use_cache"] = true,
            ["vocab_size"] = shape.VocabSize,
        };
        if (shape.Experts == TinyExperts.Mxfp4)
        {
            config["quantization_config"] = new JsonObject
            {
                ["modules_to_not_convert"] = new JsonArray(
                    "model.layers.*.self_attn",
                    "model.layers.*.mlp.router",
                    "model.embed_tokens",
                    "lm_head"
                ),
                ["quant_method"] = "mxfp4",
            };
        }

        AddRope(config, shape);
        return config;
    }

    public static JsonObject Original(TinyShape shape) =>
        new()
        {
            ["num_hidden_layers"] = shape.NumHiddenLayers,
            ["num_experts"] = shape.NumLocalExperts,
            ["experts_per_token"] = shape.ExpertsPerToken,
            ["vocab_size"] = shape.VocabSize,
            ["hidden_size"] = shape.HiddenSize,
            ["intermediate_size"] = shape.IntermediateSize,
            ["swiglu_limit"] = shape.SwiGluLimit,
            ["head_dim"] = shape.HeadDim,
            ["num_attention_heads"] = shape.NumAttentionHeads,
            ["num_key_value_heads"] = shape.NumKeyValueHeads,
            ["sliding_window"] = shape.SlidingWindow,
            ["initial_context_length"] = shape.OriginalContext,
            ["rope_theta"] = shape.RopeTheta,
            ["rope_scaling_factor"] = shape.RopeFactor,
            ["rope_ntk_alpha"] = 1,
            ["rope_ntk_beta"] = 32,
        };

    public static JsonObject Generation(TinyShape shape) =>
        new()
        {
            ["bos_token_id"] = shape.VocabSize - 4,
            ["do_sample"] = true,
            ["eos_token_id"] = new JsonArray([.. shape.EosTokenIds.Select(id => JsonValue.Create(id))]),
            ["pad_token_id"] = shape.EosTokenIds[1],
            ["transformers_version"] = "4.55.0",
        };

    private static void AddRope(JsonObject config, TinyShape shape)
    {
        var rope = new JsonObject
        {
            ["beta_fast"] = 32.0,
            ["beta_slow"] = 1.0,
            ["factor"] = shape.RopeFactor,
            ["original_max_position_embeddings"] = shape.OriginalContext,
            ["rope_type"] = "yarn",
        };
        if (shape.RopeTruncate is bool truncate)
            rope["truncate"] = truncate;
        if (shape.RopeParameters)
        {
            rope["rope_theta"] = shape.RopeTheta;
            config["rope_parameters"] = rope;
        }
        else
        {
            config["rope_scaling"] = rope;
            config["rope_theta"] = shape.RopeTheta;
        }
    }
}

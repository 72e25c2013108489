using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace GptOss.Tests.Cli;

/// <summary>
/// A folder with the names, types and shapes of a published gpt-oss, and a hole in the file where its weights would be.
/// </summary>
internal static class PublishedCheckpoint
{
    private const int Hidden = 2880,
        Query = 4096,
        KeyValue = 512,
        Vocabulary = 201_088,
        ScaledValues = 32;

    public static void Write(string folder, int layers, int experts)
    {
        File.WriteAllText(
            Path.Combine(folder, "config.json"),
            JsonSerializer.Serialize(
                new
                {
                    model_type = "gpt_oss",
                    num_hidden_layers = layers,
                    num_local_experts = experts,
                    num_experts_per_tok = 4,
                    hidden_size = Hidden,
                    intermediate_size = Hidden,
                    num_attention_heads = 64,
                    num_key_value_heads = 8,
                    head_dim = 64,
                    vocab_size = Vocabulary,
                    sliding_window = 128,
                    max_position_embeddings = 131_072,
                    rope_scaling = new
                    {
                        rope_type = "yarn",
                        factor = 32.0,
                        original_max_position_embeddings = 4096,
                        truncate = false,
                    },
                }
            )
        );

        var header = new Dictionary<string, object>();
        long offset = 0;
        foreach ((string name, string type, long[] shape) in Tensors(layers, experts))
        {
            long end = offset + shape.Aggregate(type == "BF16" ? 2L : 1, (bytes, size) => bytes * size);
            header[name] = new
            {
                dtype = type,
                shape,
                data_offsets = new[] { offset, end },
            };
            offset = end;
        }

        byte[] json = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(header));
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        using FileStream file = File.Create(Path.Combine(folder, "model.safetensors"));
        file.Write(length);
        file.Write(json);
        file.SetLength(file.Position + offset);
    }

    private static IEnumerable<(string Name, string Type, long[] Shape)> Tensors(int layers, int experts)
    {
        yield return ("model.embed_tokens.weight", "BF16", [Vocabulary, Hidden]);
        for (int layer = 0; layer < layers; layer++)
        {
            string attention = $"model.layers.{layer}.self_attn",
                mlp = $"model.layers.{layer}.mlp";
            yield return ($"model.layers.{layer}.input_layernorm.weight", "BF16", [Hidden]);
            yield return ($"model.layers.{layer}.post_attention_layernorm.weight", "BF16", [Hidden]);
            foreach (
                (string part, long outputs, long inputs) in new[]
                {
                    ("q", Query, Hidden),
                    ("k", KeyValue, Hidden),
                    ("v", KeyValue, Hidden),
                    ("o", Hidden, Query),
                }
            )
            {
                yield return ($"{attention}.{part}_proj.weight", "BF16", [outputs, inputs]);
                yield return ($"{attention}.{part}_proj.bias", "BF16", [outputs]);
            }

            yield return ($"{attention}.sinks", "BF16", [64]);
            yield return ($"{mlp}.router.weight", "BF16", [experts, Hidden]);
            yield return ($"{mlp}.router.bias", "BF16", [experts]);
            foreach ((string part, long outputs) in new[] { ("gate_up", 2L * Hidden), ("down", Hidden) })
            {
                yield return (
                    $"{mlp}.experts.{part}_proj_blocks",
                    "U8",
                    [experts, outputs, Hidden / ScaledValues, ScaledValues / 2]
                );
                yield return ($"{mlp}.experts.{part}_proj_scales", "U8", [experts, outputs, Hidden / ScaledValues]);
                yield return ($"{mlp}.experts.{part}_proj_bias", "BF16", [experts, outputs]);
            }
        }

        yield return ("model.norm.weight", "BF16", [Hidden]);
        yield return ("lm_head.weight", "BF16", [Vocabulary, Hidden]);
    }
}

using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>Writes a model of 360 MB in a second or two: its weights are small numbers without a meaning.</summary>
internal static class LargeCheckpoint
{
    private static readonly TinyShape Shape = new()
    {
        HiddenSize = 512,
        IntermediateSize = 512,
        NumAttentionHeads = 16,
        NumKeyValueHeads = 8,
        HeadDim = 64,
        NumHiddenLayers = 8,
        SlidingWindow = 128,
        NumLocalExperts = 64,
        ExpertsPerToken = 4,
        VocabSize = 65_536,
        OriginalContext = 4096,
    };

    public static void Write(string folder)
    {
        var tensors = new List<KeyValuePair<string, TinyTensor>>();
        var random = new Random(1);
        int hidden = Shape.HiddenSize,
            queries = Shape.NumAttentionHeads * Shape.HeadDim,
            keys = Shape.NumKeyValueHeads * Shape.HeadDim;
        for (int layer = 0; layer < Shape.NumHiddenLayers; layer++)
        {
            string at = $"model.layers.{layer}.";
            Numbers(at + "input_layernorm.weight", hidden);
            Projection(at + "self_attn.q_proj", queries, hidden);
            Projection(at + "self_attn.k_proj", keys, hidden);
            Projection(at + "self_attn.v_proj", keys, hidden);
            Projection(at + "self_attn.o_proj", hidden, queries);
            Numbers(at + "self_attn.sinks", Shape.NumAttentionHeads);
            Numbers(at + "post_attention_layernorm.weight", hidden);
            Projection(at + "mlp.router", Shape.NumLocalExperts, hidden);
            Experts(at + "mlp.experts.gate_up_proj", 2 * Shape.IntermediateSize, hidden);
            Experts(at + "mlp.experts.down_proj", hidden, Shape.IntermediateSize);
        }
        Numbers("model.norm.weight", hidden);
        Numbers("model.embed_tokens.weight", Shape.VocabSize, hidden);
        Numbers("lm_head.weight", Shape.VocabSize, hidden);
        SafetensorsWriter.Write(Path.Join(folder, "model.safetensors"), tensors);
        JsonObject config = TinyConfig.HuggingFace(Shape);
        File.WriteAllText(Path.Join(folder, "config.json"), config.ToJsonString());

        void Projection(string name, int outputs, int inputs)
        {
            Numbers(name + ".weight", outputs, inputs);
            Numbers(name + ".bias", outputs);
        }

        void Experts(string name, int outputs, int inputs)
        {
            int experts = Shape.NumLocalExperts;
            byte[] codes = new byte[(long)experts * outputs * inputs / 2],
                scales = new byte[(long)experts * outputs * inputs / 32];
            random.NextBytes(codes);
            Array.Fill(scales, (byte)120); // 2⁻⁷
            Add(name + "_blocks", new("U8", [experts, outputs, inputs / 32, 16], codes));
            Add(name + "_scales", new("U8", [experts, outputs, inputs / 32], scales));
            Numbers(name + "_bias", experts, outputs);
        }

        // Between 0.016 and 0.031, of either sign.
        void Numbers(string name, params int[] dimensions)
        {
            byte[] data = new byte[2 * dimensions.Aggregate(1, (product, length) => product * length)];
            random.NextBytes(data);
            foreach (ref ushort value in MemoryMarshal.Cast<byte, ushort>(data.AsSpan()))
                value = (ushort)(0x3C80 | (value & 0x807F));
            Add(name, new("BF16", dimensions, data));
        }

        void Add(string name, TinyTensor tensor) => tensors.Add(new(name, tensor));
    }
}

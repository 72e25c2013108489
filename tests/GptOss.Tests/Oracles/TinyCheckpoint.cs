using System.Text.Json.Nodes;

namespace GptOss.Tests.Oracles;

/// <summary>Writes a real gpt-oss folder of a few hundred kilobytes with random weights.</summary>
/// <remarks>
/// The same seed and shape give the same weights in every layout; <see cref="TinyExperts.BFloat16OfMxfp4"/> holds the
/// values
/// of <see cref="TinyExperts.Mxfp4"/> exactly. Layers are stored in the string order of their numbers, as in the
/// published files.
/// </remarks>
internal static class TinyCheckpoint
{
    public static void Write(string folder, int seed) => Write(folder, new TinyShape(), seed);

    public static void Write(string folder, TinyShape shape, int seed)
    {
        shape.Validate();
        Directory.CreateDirectory(folder);
        Dictionary<string, TinyTensor> weights = TinyWeights.Make(shape, seed);
        if (shape.Layout == TinyLayout.Original)
            WriteOriginal(folder, shape, weights);
        else
            WriteHuggingFace(folder, shape, weights);
    }

    private static void WriteOriginal(string folder, TinyShape shape, Dictionary<string, TinyTensor> weights)
    {
        WriteJson(folder, "config.json", TinyConfig.Original(shape));
        var dtypes = new JsonObject();
        foreach ((string name, TinyTensor tensor) in weights)
        {
            string packed = name.EndsWith(".blocks", StringComparison.Ordinal) ? "FP4" : "UE8";
            dtypes[name] = tensor.DType == "U8" ? packed : tensor.DType;
        }

        WriteJson(folder, "dtypes.json", dtypes);

        var shards = Cut([.. weights], shape.Shards);
        for (int i = 0; i < shards.Count; i++)
        {
            string name =
                shards.Count == 1 ? "model.safetensors" : $"model--{i + 1:00000}-of-{shards.Count:00000}.safetensors";
            SafetensorsWriter.Write(Path.Combine(folder, name), shards[i]);
        }
    }

    private static void WriteHuggingFace(string folder, TinyShape shape, Dictionary<string, TinyTensor> weights)
    {
        WriteJson(folder, "config.json", TinyConfig.HuggingFace(shape));
        if (shape.WithGenerationConfig)
            WriteJson(folder, "generation_config.json", TinyConfig.Generation(shape));

        Dictionary<string, TinyTensor> tensors = Rename(shape, weights);
        if (!shape.WithIndex)
        {
            SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), [.. tensors]);
            return;
        }

        var weightMap = new JsonObject();
        var shards = Cut([.. tensors], shape.Shards);
        for (int i = 0; i < shards.Count; i++)
        {
            // The published repositories count from 0 and put the last index, not the count, after "of".
            string name = $"model-{i:00000}-of-{shards.Count - 1:00000}.safetensors";
            SafetensorsWriter.Write(Path.Combine(folder, name), shards[i]);
            foreach ((string tensor, _) in shards[i])
                weightMap[tensor] = name;
        }

        var metadata = new JsonObject { ["total_size"] = tensors.Values.Sum(tensor => (long)tensor.Data.Length) };
        var index = new JsonObject { ["metadata"] = metadata, ["weight_map"] = weightMap };
        WriteJson(folder, "model.safetensors.index.json", index);
    }

    private static Dictionary<string, TinyTensor> Rename(TinyShape shape, Dictionary<string, TinyTensor> from)
    {
        var to = new Dictionary<string, TinyTensor>();
        var order = Enumerable.Range(0, shape.NumHiddenLayers).OrderBy(layer => $"{layer}", StringComparer.Ordinal);
        foreach (int layer in order)
        {
            string old = $"block.{layer}.",
                name = $"model.layers.{layer}.";
            to[name + "input_layernorm.weight"] = from[old + "attn.norm.scale"];
            to[name + "self_attn.o_proj.bias"] = from[old + "attn.out.bias"];
            to[name + "self_attn.o_proj.weight"] = from[old + "attn.out.weight"];
            SplitQueryKeyValue(shape, from, old + "attn.qkv.", to, name + "self_attn.");
            to[name + "self_attn.sinks"] = from[old + "attn.sinks"];
            to[name + "mlp.router.bias"] = from[old + "mlp.gate.bias"];
            to[name + "mlp.router.weight"] = from[old + "mlp.gate.weight"];
            RenameExperts(from, old + "mlp.mlp1_", to, name + "mlp.experts.gate_up_proj");
            RenameExperts(from, old + "mlp.mlp2_", to, name + "mlp.experts.down_proj");
            to[name + "post_attention_layernorm.weight"] = from[old + "mlp.norm.scale"];
        }

        to["model.norm.weight"] = from["norm.scale"];
        to["model.embed_tokens.weight"] = from["embedding.weight"];
        to["lm_head.weight"] = from["unembedding.weight"];
        return to;
    }

    private static void SplitQueryKeyValue(
        TinyShape shape,
        Dictionary<string, TinyTensor> from,
        string old,
        Dictionary<string, TinyTensor> to,
        string name
    )
    {
        int queries = shape.NumAttentionHeads * shape.HeadDim,
            keys = shape.NumKeyValueHeads * shape.HeadDim;
        foreach (string part in (string[])["weight", "bias"])
        {
            TinyTensor fused = from[old + part];
            to[$"{name}q_proj.{part}"] = fused.Rows(0, queries);
            to[$"{name}k_proj.{part}"] = fused.Rows(queries, queries + keys);
            to[$"{name}v_proj.{part}"] = fused.Rows(queries + keys, queries + keys + keys);
        }
    }

    private static void RenameExperts(
        Dictionary<string, TinyTensor> from,
        string old,
        Dictionary<string, TinyTensor> to,
        string name
    )
    {
        to[name + "_bias"] = from[old + "bias"];
        if (from.TryGetValue(old + "weight", out TinyTensor? wide))
        {
            to[name] = wide.SwapLastTwo();
            return;
        }

        to[name + "_blocks"] = from[old + "weight.blocks"];
        to[name + "_scales"] = from[old + "weight.scales"];
    }

    /// <summary>Cuts the ordered tensors into runs of about equal bytes, none of them empty.</summary>
    private static List<List<KeyValuePair<string, TinyTensor>>> Cut(
        List<KeyValuePair<string, TinyTensor>> tensors,
        int shards
    )
    {
        var runs = new List<List<KeyValuePair<string, TinyTensor>>> { new() };
        long total = tensors.Sum(tensor => (long)tensor.Value.Data.Length),
            done = 0;
        for (int i = 0; i < tensors.Count; i++)
        {
            bool full = done >= total * runs.Count / shards,
                mustCut = tensors.Count - i <= shards - runs.Count;
            if (runs[^1].Count > 0 && runs.Count < shards && (full || mustCut))
                runs.Add([]);
            runs[^1].Add(tensors[i]);
            done += tensors[i].Value.Data.Length;
        }

        return runs;
    }

    private static void WriteJson(string folder, string name, JsonObject content) =>
        File.WriteAllText(Path.Combine(folder, name), content.ToJsonString());
}

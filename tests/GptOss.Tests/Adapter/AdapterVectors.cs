using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Adapter;

/// <summary>The adapters of fixture C: Adapter/vectors/lora, whose README says how they were made.</summary>
internal static class AdapterVectors
{
    public static readonly string[] Names =
    [
        "attention",
        "patterns",
        "experts-fused",
        "experts-fused-swapped",
        "experts-down-only",
        "experts-unsloth",
        "experts-split",
        "tinker-raw",
    ];

    /// <summary>The folder of an adapter.</summary>
    public static string PathOf(string name) =>
        Path.Combine(Repository.Root, "tests", "GptOss.Tests", "Adapter", "vectors", "lora", name);

    /// <summary>The float64 logits and the greedy answer of the base with an adapter.</summary>
    public static JsonDocument Expected(string name) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(PathOf(name), "expected.json")));

    /// <summary>The tensors of an adapter by their names.</summary>
    public static unsafe Dictionary<string, TinyTensor> Tensors(string name)
    {
        using var file = GptOss.Checkpoint.Safetensors.SafetensorsFile.Open(
            Path.Combine(PathOf(name), "adapter_model.safetensors")
        );
        return file.Tensors.ToDictionary(
            tensor => tensor.Name,
            tensor => new TinyTensor(
                GptOss.Checkpoint.DTypes.Spelling(tensor.DType),
                [.. tensor.Shape.ToArray().Select(length => (int)length)],
                new ReadOnlySpan<byte>(tensor.Data, (int)tensor.ByteLength).ToArray()
            )
        );
    }

    /// <summary>
    /// Writes a model and an adapter of which nothing tells the order of the axes: hidden and intermediate are equal,
    /// and there is no gate_up. Loading it gives a note.
    /// </summary>
    public static void WriteOfEitherOrder(TemporaryFolder model, TemporaryFolder adapter)
    {
        const int Side = 64;
        const string Experts = "base_model.model.model.layers.1.mlp.experts.";
        TinyShape shape = new()
        {
            HiddenSize = Side,
            IntermediateSize = Side,
            Experts = TinyExperts.BFloat16,
        };
        TinyCheckpoint.Write(model.Path, shape, seed: 5);
        int rows = 2 * shape.NumLocalExperts;
        Write(adapter, "experts-down-only", tensors: _ =>
            new()
            {
                [Experts + "lora_A.weight"] = TinyTensor.Of("F32", new float[rows * Side], rows, Side),
                [Experts + "lora_B.weight"] = TinyTensor.Of("F32", new float[rows * Side], Side, rows),
            }
        );
    }

    /// <summary>Writes a changed copy of an adapter.</summary>
    public static void Write(
        TemporaryFolder folder,
        string name,
        Action<JsonObject>? config = null,
        Func<Dictionary<string, TinyTensor>, Dictionary<string, TinyTensor>>? tensors = null
    )
    {
        JsonObject fields = JsonNode
            .Parse(File.ReadAllText(Path.Combine(PathOf(name), "adapter_config.json")))!
            .AsObject();
        config?.Invoke(fields);
        File.WriteAllText(Path.Combine(folder.Path, "adapter_config.json"), fields.ToJsonString());
        Dictionary<string, TinyTensor> changed = Tensors(name);
        changed = tensors?.Invoke(changed) ?? changed;
        SafetensorsWriter.Write(Path.Combine(folder.Path, "adapter_model.safetensors"), [.. changed]);
    }
}

using System.Text;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.OddFolders;

/// <summary>A sound LoRA adapter of the attention of layer 1, of rank 2, and parts to change it with.</summary>
internal static class OddAdapter
{
    public const string Config = "adapter_config.json",
        Weights = "adapter_model.safetensors",
        Start = "base_model.model.model.layers.1.self_attn.",
        Query = Start + "q_proj.";

    private const int Rank = 2;

    /// <summary>The tensors of the sound adapter.</summary>
    public static Dictionary<string, TinyTensor> Tensors() =>
        new()
        {
            [Query + "lora_A.weight"] = Numbers(Rank, OddBase.Hidden),
            [Query + "lora_B.weight"] = Numbers(64, Rank),
            [Start + "o_proj.lora_A.weight"] = Numbers(Rank, 64),
            [Start + "o_proj.lora_B.weight"] = Numbers(OddBase.Hidden, Rank),
        };

    /// <summary>Numbers between −0.1 and 0.1 that no two tensors share.</summary>
    public static TinyTensor Numbers(params int[] shape)
    {
        int count = shape.Aggregate(1, (product, length) => product * length);
        return TinyTensor.Of(
            "F32",
            [.. Enumerable.Range(0, count).Select(i => 0.1f * MathF.Sin(i * 0.7f + shape[0]))],
            shape
        );
    }

    public static Dictionary<string, byte[]> Files()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Join(folder.Path, Weights);
        SafetensorsWriter.Write(path, [.. Tensors()]);
        const string config = """
            {"base_model_name_or_path": "openai/gpt-oss-20b", "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2,
             "lora_alpha": 4, "lora_dropout": 0.05, "bias": "none", "use_dora": false, "fan_in_fan_out": false,
             "target_modules": ["q_proj", "o_proj"], "modules_to_save": null, "init_lora_weights": true}
            """;
        return new() { [Config] = Encoding.UTF8.GetBytes(config), [Weights] = File.ReadAllBytes(path) };
    }
}

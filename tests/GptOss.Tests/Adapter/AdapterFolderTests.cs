using System.Text.Json.Nodes;
using GptOss.Tests.Checkpoint.Gguf;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Adapter;

/// <summary>What is no adapter of this base, or asks for more than LoRA, is refused by the name of it.</summary>
[Promise(1)]
public sealed class AdapterFolderTests
{
    private const string Start = "base_model.model.model.layers.1.self_attn.q_proj.";
    private static readonly string Base = Repository.Vector("oracle", "C");

    [Theory]
    [InlineData("peft_type", "\"IA3\"")]
    [InlineData("use_dora", "true")]
    [InlineData("bias", "\"all\"")]
    [InlineData("lora_bias", "true")]
    [InlineData("fan_in_fan_out", "true")]
    [InlineData("layer_replication", "[[0, 4], [2, 5]]")]
    [InlineData("alora_invocation_tokens", "[1, 2]")]
    [InlineData("trainable_token_indices", "[7]")]
    [InlineData("use_qalora", "true")]
    [InlineData("use_bdlora", """{"a": 1}""")]
    [InlineData("arrow_config", """{"top_k": 3}""")]
    [InlineData("velora_config", """{"a": 1}""")]
    [InlineData("kasa_config", """{"a": 1}""")]
    [InlineData("monteclora_config", """{"a": 1}""")]
    [InlineData("init_lora_weights", "\"pissa\"")]
    [InlineData("init_lora_weights", "\"pissa_niter_16\"")]
    [InlineData("init_lora_weights", "\"olora\"")]
    [InlineData("init_lora_weights", "\"corda\"")]
    [InlineData("init_lora_weights", "\"loftq\"")]
    [InlineData("init_lora_weights", "\"lora_ga\"")]
    [InlineData("r", "0")]
    [InlineData("lora_alpha", "null")]
    [InlineData("lora_alpha", "1e39")] // infinite in float32
    [InlineData("r", "9")] // the tensors have 8
    [InlineData("modules_to_save", """["lm_head"]""")] // and no tensor of it
    public void A_field_that_asks_for_something_else_is_refused_by_its_name(string field, string value)
    {
        CheckpointException refusal = Refusal(config => config[field] = JsonNode.Parse(value));
        Assert.Equal(field, refusal.FieldName);
        Assert.EndsWith("adapter_config.json", refusal.FilePath);
    }

    [Theory]
    [InlineData("rank_pattern", "rank_pattern.q_proj", 4)]
    [InlineData("alpha_pattern", "alpha_pattern.(?=q)_proj", 4)] // look-around
    [InlineData("alpha_pattern", "alpha_pattern.(q_proj", 4)]
    public void A_pattern_is_refused_by_its_key(string field, string full, int value) =>
        Assert.Equal(
            full,
            Refusal(config => config[field] = new JsonObject { [full[(field.Length + 1)..]] = value }).FieldName
        );

    [Theory]
    [InlineData("use_dora", "null")]
    [InlineData("use_dora", "false")]
    [InlineData("layer_replication", "[ ]")]
    [InlineData("arrow_config", "{ }")]
    [InlineData("init_lora_weights", "false")]
    [InlineData("init_lora_weights", "\"gaussian\"")]
    [InlineData("lora_dropout", "0.1")]
    [InlineData("modules_to_save", "[]")]
    public void A_field_that_says_nothing_is_read_over(string field, string value)
    {
        using var folder = new TemporaryFolder();
        AdapterVectors.Write(folder, "attention", config => config[field] = JsonNode.Parse(value));
        using var model = new LoadedModel(Base, adapter: folder.Path);
    }

    [Theory]
    [InlineData("lora_A.weight", "lora_magnitude_vector.weight", "belongs to DoRA (use_dora)")]
    [InlineData("lora_A.weight", "lora_C.weight", "matches nothing of the model that can be replaced")]
    [InlineData("lora_A.weight", "lora_embedding_A", "matches nothing of the model that can be replaced")]
    [InlineData("q_proj.lora_A.weight", "q_projection.lora_A.weight", "has no lora_B beside it")]
    public void A_tensor_that_matches_nothing_is_refused_by_its_name(string part, string other, string says)
    {
        string name = (Start + "lora_A.weight").Replace(part, other, StringComparison.Ordinal);
        CheckpointException refusal = Refusal(tensors: tensors =>
        {
            tensors.Remove(Start + "lora_A.weight", out TinyTensor? tensor);
            if (other == "lora_C.weight" || other == "lora_embedding_A")
                tensors.Remove(Start + "lora_B.weight");
            tensors.Add(name, tensor!);
            return tensors;
        });
        Assert.Equal(name, refusal.TensorName);
        Assert.Contains(says, refusal.Message);
    }

    [Theory]
    [InlineData("model.layers.1.self_attn.q_proj", "model.layers.1.self_attn.r_proj", "matches no matrix")]
    [InlineData("model.layers.1.self_attn.q_proj", "model.layers.4.self_attn.q_proj", "the base has 4 layers")]
    [InlineData("model.layers.1.self_attn.q_proj", "model.layers.1.mlp.gate_proj", "matches no matrix")]
    [InlineData("model.layers.1.self_attn.q_proj", "model.layers.1.mlp.experts.6.gate_proj", "the base has 6 experts")]
    [InlineData("model.layers.1.self_attn.q_proj", "model.layers.1.attn.q_proj", null)] // another name of the same
    [InlineData("model.layers.1.self_attn.q_proj", "layers.2.self_attn.q_proj", "another pair, too")]
    public void A_pair_of_a_module_that_the_base_does_not_have_is_refused(string module, string other, string? says)
    {
        Dictionary<string, TinyTensor> Renamed(Dictionary<string, TinyTensor> tensors) =>
            tensors.ToDictionary(pair => pair.Key.Replace(module, other, StringComparison.Ordinal), pair => pair.Value);
        if (says is not null)
            Assert.Contains(says, Refusal(tensors: Renamed).Message);
        else
        {
            using var folder = new TemporaryFolder();
            AdapterVectors.Write(folder, "attention", tensors: Renamed);
            using var model = new LoadedModel(Base, adapter: folder.Path);
        }
    }

    [Theory]
    [InlineData("attention", Start + "lora_A.weight", new[] { 8, 63 }, "[rank, 64]")]
    [InlineData("attention", Start + "lora_B.weight", new[] { 255, 8 }, "[256, 8]")]
    [InlineData("attention", Start + "lora_B.weight", new[] { 256, 7 }, "[256, 8]")]
    [InlineData("experts-fused", Experts + "lora_A.weight", new[] { 12, 95 }, "[6 · rank, 64, 96 or 192]")]
    [InlineData("experts-fused", Experts + "lora_B.weight", new[] { 65, 12 }, "[64, rank · 6]")]
    [InlineData("experts-fused", Experts + "lora_A.weight", new[] { 13, 96 }, "[6 · rank, 96]")]
    [InlineData("experts-fused", Experts + "lora_B.weight", new[] { 64, 11 }, "[64, 2 · 6]")]
    [InlineData("tinker-raw", Experts + "w1.lora_A.weight", new[] { 2, 2, 64 }, "[6 or 1, rank, 64]")]
    [InlineData("tinker-raw", Experts + "w1.lora_B.weight", new[] { 6, 95, 2 }, "[6 or 1, 96, 2]")]
    [InlineData("patterns", "base_model.model.lm_head.weight", new[] { 511, 64 }, "BF16 [512, 64]")]
    public void A_shape_of_another_base_is_told_beside_the_one_that_is_needed(
        string adapter,
        string name,
        int[] shape,
        string expected
    )
    {
        CheckpointException refusal = Refusal(
            tensors: tensors =>
            {
                tensors[name] = TinyTensor.Of(
                    tensors[name].DType,
                    new float[shape.Aggregate(1, (a, b) => a * b)],
                    shape
                );
                return tensors;
            },
            adapter: adapter
        );
        Assert.Equal(name, refusal.TensorName);
        Assert.Contains($"should be {expected} for this base", refusal.Message);
        string type = adapter is "attention" or "experts-fused" ? "F32" : "BF16";
        Assert.Contains($"is {type} [{string.Join(", ", shape)}]", refusal.Message);
    }

    private const string Experts = "base_model.model.model.layers.1.mlp.experts.";

    [Fact]
    public void A_type_of_quantised_tools_is_refused()
    {
        CheckpointException refusal = Refusal(tensors: tensors =>
        {
            TinyTensor old = tensors[Start + "lora_A.weight"];
            tensors[Start + "lora_A.weight"] = new TinyTensor("U8", old.Shape, new byte[old.Shape[0] * old.Shape[1]]);
            return tensors;
        });
        Assert.Contains("should be BF16, F16 or F32 but is U8 [8, 64].", refusal.Message);
    }

    [Fact]
    public void What_is_no_folder_of_an_adapter_is_told()
    {
        using var folder = new TemporaryFolder();
        string inside = Path.Combine(folder.Path, "adapter");
        Assert.Contains("does not exist", Of(inside).Message);
        Directory.CreateDirectory(inside);
        Assert.Contains("holds no adapter_config.json", Of(inside).Message);
        File.Copy(
            Path.Combine(AdapterVectors.PathOf("attention"), "adapter_config.json"),
            inside + "/adapter_config.json"
        );
        Assert.Contains("does not exist", Of(inside).Message);
        Assert.Contains("give the folder that it lies in", Of(inside + "/adapter_config.json").Message);
        File.WriteAllText(inside + "/adapter_model.bin", "x");
        Assert.Contains("safe_serialization", Of(inside).Message);
        Assert.Contains("adapter in GGUF", Of(GgufVectors.PathOf("C-bf16.gguf")).Message);
        Assert.Throws<ArgumentException>(() => new ModelOptions { Adapter = "" });

        static CheckpointException Of(string path) =>
            Assert.Throws<CheckpointException>(() => new LoadedModel(Base, adapter: path).Dispose());
    }

    [Fact]
    public void An_order_that_nothing_tells_is_taken_as_documented_and_noted()
    {
        using TemporaryFolder model = new(),
            folder = new();
        AdapterVectors.WriteOfEitherOrder(model, folder);
        using var loaded = new LoadedModel(model.Path, adapter: folder.Path);
        string note = Assert.Single(loaded.Model.Notes);
        Assert.Contains("'model.layers.1.mlp.experts' of down_proj may be stored in either order", note);
    }

    private static CheckpointException Refusal(
        Action<JsonObject>? config = null,
        Func<Dictionary<string, TinyTensor>, Dictionary<string, TinyTensor>>? tensors = null,
        string adapter = "attention"
    )
    {
        using var folder = new TemporaryFolder();
        AdapterVectors.Write(folder, adapter, config, tensors);
        return Assert.Throws<CheckpointException>(() => new LoadedModel(Base, adapter: folder.Path).Dispose());
    }
}

using System.Text.Json.Nodes;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>Folders whose files are sound but not the model of their config.</summary>
public sealed class WeightBinderTests
{
    private static readonly TinyShape Original = new() { Layout = TinyLayout.Original };
    private static readonly TinyShape Wide = new() { Experts = TinyExperts.BFloat16, IntermediateSize = 40 };

    public static TheoryData<string> HuggingFaceNames => [.. Names(new TinyShape())];

    public static TheoryData<string> OriginalNames => [.. Names(Original)];

    public static TheoryData<string> WideNames =>
        [.. Names(Wide).Where(name => name.EndsWith("_proj", StringComparison.Ordinal))];

    [Theory, MemberData(nameof(HuggingFaceNames))]
    public Task A_tensor_of_the_hugging_face_layout_must_be_there_with_its_shape_and_type(string name) =>
        AssertNeeded(new TinyShape(), name);

    [Theory, MemberData(nameof(OriginalNames))]
    public Task A_tensor_of_the_original_layout_must_be_there_with_its_shape_and_type(string name) =>
        AssertNeeded(Original, name);

    [Theory, MemberData(nameof(WideNames))]
    public Task A_bf16_expert_tensor_must_be_there_with_its_shape_and_type(string name) => AssertNeeded(Wide, name);

    [Fact]
    public async Task Layers_beyond_those_of_the_config_are_refused()
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, new TinyShape { NumHiddenLayers = 3 }, seed: 1);
        Edit(folder, config =>
        {
            config["num_hidden_layers"] = 2;
            config["layer_types"]!.AsArray().RemoveAt(2);
        });
        CheckpointException refusal = await Refusal(folder);
        Assert.StartsWith("model.layers.2.", refusal.TensorName);
        Assert.Contains("num_hidden_layers", refusal.Message);
    }

    [Fact]
    public async Task Fewer_layers_than_the_config_asks_for_are_refused()
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, new TinyShape(), seed: 1);
        Edit(folder, config =>
        {
            config["num_hidden_layers"] = 3;
            config["layer_types"]!.AsArray().Add("full_attention");
        });
        Assert.StartsWith("model.layers.2.", (await Refusal(folder)).TensorName);
    }

    [Fact]
    public async Task Mxfp4_rows_of_a_config_that_makes_no_whole_blocks_are_refused()
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, new TinyShape { HiddenSize = 64, IntermediateSize = 96 }, seed: 1);
        Edit(folder, config => config["intermediate_size"] = 95);
        Assert.Contains("[6, 190", (await Refusal(folder)).Message);

        using var other = new TemporaryFolder();
        Dictionary<string, TinyTensor> tensors = Tensors(Wide);
        Dictionary<string, TinyTensor> packed = Tensors(new TinyShape());
        foreach (string end in (string[])["_blocks", "_scales"])
            for (int layer = 0; layer < 2; layer++)
            {
                string name = $"model.layers.{layer}.mlp.experts.down_proj";
                tensors.Remove(name);
                tensors[name + end] = packed[name + end];
            }
        Write(other, Wide, tensors);
        CheckpointException refusal = await Refusal(other);
        Assert.Contains("32", refusal.Message);
        Assert.Contains("40", refusal.Message);
    }

    [Fact]
    public void Tensors_of_unknown_names_are_fine()
    {
        using var folder = new TemporaryFolder();
        Dictionary<string, TinyTensor> tensors = Tensors(new TinyShape());
        tensors["model.extra"] = new TinyTensor("F64", [2], new byte[16]);
        Write(folder, new TinyShape(), tensors);
        using var model = new LoadedModel(folder.Path);
        Assert.Equal(512, model.Model.VocabularySize);
    }

    [Theory]
    [InlineData(Precision.Checkpoint)]
    [InlineData(Precision.Fast)] // the head is packed, and the embedding must still be there
    public async Task Tied_embeddings_need_no_head(Precision precision)
    {
        using var folder = new TemporaryFolder();
        Dictionary<string, TinyTensor> tensors = Tensors(new TinyShape());
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"];
        Write(folder, new TinyShape(), tensors);
        int[] prompt = LoadedModel.Prompt(5, 512);
        float[][] expected;
        using (var model = new LoadedModel(folder.Path, precision: precision))
            expected = model.Logits(prompt);

        tensors.Remove("lm_head.weight");
        Write(folder, new TinyShape(), tensors);
        Assert.Equal("lm_head.weight", (await Refusal(folder)).TensorName);
        Edit(folder, config => config["tie_word_embeddings"] = true);
        using var tied = new LoadedModel(folder.Path, precision: precision);
        Assert.Equal(expected, tied.Logits(prompt));
    }

    private static async Task AssertNeeded(TinyShape shape, string name)
    {
        using var folder = new TemporaryFolder();
        Dictionary<string, TinyTensor> tensors = Tensors(shape);
        TinyTensor sound = tensors[name];
        string types = sound.DType == "U8" ? "U8" : "BF16, F16 or F32";

        tensors.Remove(name);
        Write(folder, shape, tensors);
        CheckpointException missing = await Refusal(folder);
        // A missing bf16 tensor could as well have been blocks and scales: the message names those of the published
        // form.
        Assert.StartsWith(name, missing.TensorName);

        tensors[name] = sound with { Shape = [.. sound.Shape, 1] };
        Write(folder, shape, tensors);
        Assert.Contains($"{types} [{string.Join(", ", sound.Shape)}] but is", (await Refusal(folder, name)).Message);

        string half = sound.DType == "U8" ? "I8" : "I16";
        tensors[name] = sound with { DType = half };
        Write(folder, shape, tensors);
        CheckpointException kind = await Refusal(folder, name);
        Assert.Contains(half, kind.Message);
        Assert.Contains(types, kind.Message);
    }

    private static async Task<CheckpointException> Refusal(TemporaryFolder folder, string? tensor = null)
    {
        var refusal = await Assert.ThrowsAsync<CheckpointException>(() => GptOssModel.LoadAsync(folder.Path));
        Assert.StartsWith(folder.Path, refusal.FilePath);
        Assert.InRange(refusal.Message.Length, 1, 500);
        if (tensor is not null)
            Assert.Equal(tensor, refusal.TensorName);
        return refusal;
    }

    private static IEnumerable<string> Names(TinyShape shape) =>
        Tensors(shape).Keys.Where(name => !name.Contains("layers.1.") && !name.Contains("block.1."));

    /// <summary>The tensors as a folder of the shape holds them.</summary>
    internal static Dictionary<string, TinyTensor> Tensors(TinyShape shape)
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, shape, seed: 1);
        using var files = GptOss.Checkpoint.Safetensors.SafetensorsFolder.Open(folder.Path);
        return files.Tensors.ToDictionary(tensor => tensor.Name, Copy);
    }

    /// <summary>One file with these tensors beside the shape's config.</summary>
    internal static void Write(TemporaryFolder folder, TinyShape shape, Dictionary<string, TinyTensor> tensors)
    {
        JsonObject config =
            shape.Layout == TinyLayout.Original ? TinyConfig.Original(shape) : TinyConfig.HuggingFace(shape);
        File.WriteAllText(Path.Combine(folder.Path, "config.json"), config.ToJsonString());
        SafetensorsWriter.Write(Path.Combine(folder.Path, "model.safetensors"), [.. tensors]);
    }

    private static unsafe TinyTensor Copy(GptOss.Checkpoint.Tensor tensor) =>
        new(
            $"{tensor.DType}",
            [.. tensor.Shape.ToArray().Select(length => (int)length)],
            new ReadOnlySpan<byte>(tensor.Data, (int)tensor.ByteLength).ToArray()
        );

    private static void Edit(TemporaryFolder folder, Action<JsonObject> change)
    {
        string path = Path.Combine(folder.Path, "config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(config);
        File.WriteAllText(path, config.ToJsonString());
    }
}

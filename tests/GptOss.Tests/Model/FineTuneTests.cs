// Over 300 lines: one table of the forms in which tools save experts, and their float64 answers.
using System.Text.Json;
using System.Text.Json.Nodes;
using GptOss.Tests.Kernels;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>
/// The same values give the same bits, whatever tool saved them, under whatever names and in whatever types.
/// </summary>
public sealed class FineTuneTests
{
    // No width is a multiple of a register, a tile or a unit.
    private static readonly TinyShape Shape = new()
    {
        NumHiddenLayers = 3,
        LayerTypes = "sfs",
        HiddenSize = 50,
        IntermediateSize = 33,
        HeadDim = 10,
        NumLocalExperts = 5,
        VocabSize = 96,
    };
    private static readonly Dictionary<string, TinyTensor> Base = FineTunes.Base(Shape, seed: 8);
    private static readonly int[] Prompt = LoadedModel.Prompt(40, Shape.VocabSize);
    private static readonly Lazy<float[][]> Expected = new(() => Logits(Base));

    public static TheoryData<string> Forms => [.. FineTunes.Forms.Keys];

    [Theory, MemberData(nameof(Forms))]
    public void Every_form_in_every_mixture_of_types_is_the_same_model(string form)
    {
        Dictionary<string, TinyTensor> tensors = FineTunes.Forms[form](Base);
        AssertSame(Expected.Value, Logits(tensors), "BF16");
        foreach (string type in FineTunes.Types[1..])
            AssertSame(
                Expected.Value,
                Logits(tensors.ToDictionary(pair => pair.Key, pair => pair.Value.As(type))),
                type
            );
        for (int seed = 0; seed < 4; seed++)
            AssertSame(Expected.Value, Logits(FineTunes.Typed(tensors, seed)), $"types of seed {seed}");
    }

    [Fact]
    public void The_model_that_all_forms_are_is_that_of_the_reference()
    {
        using var folder = new TemporaryFolder();
        WeightBinderTests.Write(folder, Wide(Shape), Base);
        AssertNear(new ReferenceTransformer(folder.Path).Logits(Prompt), Expected.Value);
    }

    [Theory]
    [InlineData("F16")]
    [InlineData("F32")]
    public void Numbers_that_bfloat16_does_not_have_are_used_as_they_are(string type)
    {
        // Noise below the last digit of bfloat16, and subnormal numbers of binary16: rounded anywhere, they would show.
        var random = new Random(3);
        Dictionary<string, TinyTensor> tensors = Base.ToDictionary(
            pair => pair.Key,
            pair =>
                TinyTensor.Of(
                    type,
                    Array.ConvertAll(pair.Value.Values, value =>
                        value == 0 ? 3e-6f : value * (1 + (random.NextSingle() - 0.5f) / 100)
                    ),
                    pair.Value.Shape
                )
        );
        using var folder = new TemporaryFolder();
        WeightBinderTests.Write(folder, Wide(Shape), tensors);
        double[][] reference = new ReferenceTransformer(folder.Path).Logits(Prompt);

        using var model = new LoadedModel(folder.Path);
        AssertNear(reference, model.Logits(Prompt));

        Dictionary<string, TinyTensor> rounded = tensors.ToDictionary(pair => pair.Key, pair => pair.Value.As("BF16"));
        float[][] others = Logits(rounded);
        Assert.True(
            reference.Zip(others, Distance).Max() > 10 * FixtureTests.Tolerance,
            "rounded weights give the same logits"
        );
    }

    [Theory]
    [InlineData(Precision.Checkpoint)]
    [InlineData(Precision.Fast)]
    public void Chunks_threads_and_neighbours_do_not_show_in_any_mixture(Precision precision)
    {
        using var folder = new TemporaryFolder();
        TinyShape wide = Shape with { HiddenSize = 96, IntermediateSize = 160 };
        Dictionary<string, TinyTensor> tensors = FineTunes.Base(wide, seed: 9);
        WeightBinderTests.Write(
            folder,
            Wide(wide),
            FineTunes.Typed(FineTunes.Forms["by expert, gate and up apart"](tensors), seed: 2)
        );
        using var one = new LoadedModel(folder.Path, precision: precision);
        float[][] whole = one.Logits(Prompt);
        foreach (int chunk in (int[])[1, 7, 39])
            AssertSame(whole, one.Logits(Prompt, chunk), $"chunk {chunk}");
        using var three = new LoadedModel(folder.Path, threads: 3, precision: precision);
        AssertSame(whole, three.Logits(Prompt), "three threads");
        foreach (float[][] copy in three.Interleaved([Prompt, Prompt], [7, 3]))
            AssertSame(whole, copy, "beside itself");
    }

    [Fact]
    public void Fast_makes_the_same_copies_of_the_same_values_in_any_type()
    {
        using var folder = new TemporaryFolder();
        WeightBinderTests.Write(folder, Wide(Shape), Base);
        float[][] expected;
        using (var bf16 = new LoadedModel(folder.Path, precision: Precision.Fast))
            expected = bf16.Logits(Prompt);
        Assert.NotEqual(Expected.Value[^1], expected[^1]);
        foreach (string type in (string[])["F32", "F16"])
        {
            WeightBinderTests.Write(
                folder,
                Wide(Shape),
                Base.ToDictionary(pair => pair.Key, pair => pair.Value.As(type))
            );
            using var fast = new LoadedModel(folder.Path, precision: Precision.Fast);
            AssertSame(expected, fast.Logits(Prompt), $"{type}, fast");
        }
    }

    [Theory]
    [InlineData(nameof(TinyLayout.HuggingFace))]
    [InlineData(nameof(TinyLayout.Original))]
    public void Mxfp4_experts_stand_beside_any_types_and_their_scales_may_be_called_e8m0(string layout)
    {
        var shape = new TinyShape { Layout = Enum.Parse<TinyLayout>(layout) };
        Dictionary<string, TinyTensor> tensors = WeightBinderTests
            .Tensors(shape)
            .ToDictionary(
                pair => pair.Key,
                pair => pair.Value.DType == "U8" ? pair.Value : pair.Value.As("F16").As("BF16")
            );
        int[] prompt = LoadedModel.Prompt(20, shape.VocabSize);
        float[][] expected = Logits(tensors, shape, prompt);
        foreach ((string name, TinyTensor tensor) in tensors.ToArray())
            if (name.EndsWith("scales", StringComparison.Ordinal))
                tensors[name] = tensor with { DType = "F8_E8M0" };
        AssertSame(expected, Logits(tensors, shape, prompt), "F8_E8M0");
        for (int seed = 0; seed < 3; seed++)
            AssertSame(
                expected,
                Logits(
                    FineTunes.Typed(
                        tensors.ToDictionary(
                            pair => pair.Key,
                            pair => pair.Value.DType == "F8_E8M0" ? pair.Value with { DType = "U8" } : pair.Value
                        ),
                        seed
                    ),
                    shape,
                    prompt
                ),
                $"types of seed {seed}"
            );
    }

    [Theory]
    [InlineData("BF16")]
    [InlineData("F16")]
    [InlineData("F32")]
    public void Plain_experts_of_the_original_layout_may_have_any_type(string type)
    {
        TinyShape shape = new() { Layout = TinyLayout.Original, Experts = TinyExperts.BFloat16OfMxfp4 };
        Dictionary<string, TinyTensor> tensors = WeightBinderTests
            .Tensors(shape)
            .ToDictionary(pair => pair.Key, pair => pair.Value.As("F16").As("BF16").As("F16"));
        int[] prompt = LoadedModel.Prompt(20, shape.VocabSize);
        using var folder = new TemporaryFolder();
        Dictionary<string, TinyTensor> typed = tensors.ToDictionary(pair => pair.Key, pair => pair.Value.As(type));
        WeightBinderTests.Write(folder, shape, typed);
        using var model = new LoadedModel(folder.Path);
        AssertNear(new ReferenceTransformer(folder.Path).Logits(prompt), model.Logits(prompt));
        AssertSame(Logits(tensors, shape, prompt), model.Logits(prompt), type);
    }

    [Theory]
    [InlineData("fused", "F32")]
    [InlineData("fused", "F16")]
    [InlineData("fused", "mixed")] // norms, router and sinks F32, as mixed precision leaves them
    [InlineData("fused", "BF16")] // without a generation_config.json, as all of these
    [InlineData("lists, router.linear", "BF16")]
    [InlineData("by expert, gate and up apart", "BF16")]
    [InlineData("base_model.model.", "BF16")]
    [InlineData("tied", "BF16")]
    public void The_fixture_as_training_tools_save_it_meets_the_stored_logits(string form, string type)
    {
        bool tied = form == "tied";
        using JsonDocument expected = tied
            ? JsonDocument.Parse(File.ReadAllBytes(Repository.Vector("finetunes", "tied-expected.json")))
            : FixtureTests.Expected("C");
        Dictionary<string, TinyTensor> fixture = FineTunes.Read(Repository.Vector("oracle", "C"));
        if (tied)
            fixture.Remove("lm_head.weight");
        else
            fixture = FineTunes.Forms[form](fixture);
        fixture = fixture.ToDictionary(
            pair => pair.Key,
            pair =>
                pair.Value.As(
                    type != "mixed" ? type
                    : pair.Key.Contains("norm") || pair.Key.Contains("router") || pair.Key.Contains("sinks") ? "F32"
                    : "BF16"
                )
        );
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(Path.Combine(folder.Path, "model.safetensors"), [.. fixture]);
        File.Copy(Repository.Vector("oracle", "C", "config.json"), Path.Combine(folder.Path, "config.json"));
        Edit(folder, config => config["tie_word_embeddings"] = tied);
        using var model = new LoadedModel(folder.Path, threads: 2);

        float[][] logits = model.Logits(FixtureTests.Ints(expected, "prompt"));

        foreach (int position in FixtureTests.Ints(expected, "positions"))
        {
            double[] stored =
            [
                .. expected
                    .RootElement.GetProperty("logits")
                    .GetProperty($"{position}")
                    .EnumerateArray()
                    .Select(value => value.GetDouble()),
            ];
            Assert.InRange(Distance(stored, logits[position]), 0, FixtureTests.Tolerance);
        }
        Assert.Equal(FixtureTests.Ints(expected, "prompt_argmax"), logits.Select(row => Array.IndexOf(row, row.Max())));
        int[] greedy = FixtureTests.Ints(expected, "greedy");
        Assert.Equal(greedy, model.Greedy(FixtureTests.Ints(expected, "prompt"), greedy.Length));
    }

    [Theory]
    [InlineData("F64", "")]
    [InlineData("I32", "quantised by another tool")]
    [InlineData("F8_E4M3", "quantised by another tool")]
    public async Task Another_type_is_refused_with_those_that_are_read(string type, string says)
    {
        const string name = "model.layers.1.self_attn.q_proj.weight";
        int width = type switch
        {
            "F64" => 8,
            "I32" => 4,
            _ => 1,
        };
        Dictionary<string, TinyTensor> tensors = new(Base)
        {
            [name] = new TinyTensor(
                type,
                Base[name].Shape,
                new byte[Base[name].Shape[0] * Base[name].Shape[1] * width]
            ),
        };
        using var folder = new TemporaryFolder();
        WeightBinderTests.Write(folder, Wide(Shape), tensors);
        var refusal = await Assert.ThrowsAsync<CheckpointException>(() =>
            GptOssModel.LoadAsync(folder.Path, cancellationToken: TestContext.Current.CancellationToken)
        );
        Assert.Equal(name, refusal.TensorName);
        Assert.Contains($"should be BF16, F16 or F32 [40, 50] but is {type} [40, 50].", refusal.Message);
        Assert.Contains(says, refusal.Message);
    }

    [Theory]
    [InlineData(".weight_packed", "compressed-tensors")]
    [InlineData(".weight_scale", "compressed-tensors, modelopt or an FP8 tool")]
    [InlineData(".weight.absmax", "bitsandbytes")]
    [InlineData(".weight.quant_state.bitsandbytes__nf4", "bitsandbytes")]
    [InlineData(".qweight", "GPTQ or AWQ")]
    [InlineData(".g_idx", "GPTQ")]
    public async Task A_tensor_of_another_quantiser_in_place_of_a_weight_names_the_tool(string ending, string tool)
    {
        const string name = "model.layers.1.self_attn.q_proj";
        Dictionary<string, TinyTensor> tensors = new(Base) { [name + ending] = Base[name + ".bias"] };
        tensors.Remove(name + ".weight");
        using var folder = new TemporaryFolder();
        WeightBinderTests.Write(folder, Wide(Shape), tensors);
        var refusal = await Assert.ThrowsAsync<CheckpointException>(() =>
            GptOssModel.LoadAsync(folder.Path, cancellationToken: TestContext.Current.CancellationToken)
        );
        Assert.Equal(name + ".weight", refusal.TensorName);
        Assert.Contains(
            $"was saved quantised by another tool ({tool}). Use one that was saved in bf16",
            refusal.Message
        );
    }

    [Fact]
    public void Without_attention_biases_the_config_must_say_so()
    {
        Dictionary<string, TinyTensor> tensors = Base.ToDictionary(
            pair => pair.Key,
            pair =>
                IsAttentionBias(pair.Key)
                    ? TinyTensor.Of("BF16", new float[pair.Value.Shape[0]], pair.Value.Shape)
                    : pair.Value
        );
        float[][] zeros = Logits(tensors);
        foreach (string name in tensors.Keys.Where(IsAttentionBias).ToArray())
            tensors.Remove(name);
        using var folder = new TemporaryFolder();
        WeightBinderTests.Write(folder, Wide(Shape), tensors);
        Assert.ThrowsAny<CheckpointException>(() => new LoadedModel(folder.Path).Dispose());
        Edit(folder, config => config["attention_bias"] = false);
        using (var model = new LoadedModel(folder.Path))
            AssertSame(zeros, model.Logits(Prompt), "no attention biases");

        WeightBinderTests.Write(folder, Wide(Shape), Base);
        Edit(folder, config => config["attention_bias"] = false);
        var refusal = Assert.Throws<CheckpointException>(() => new LoadedModel(folder.Path).Dispose());
        Assert.Equal("attention_bias", refusal.FieldName);

        static bool IsAttentionBias(string name) =>
            name.Contains("self_attn", StringComparison.Ordinal) && name.EndsWith("bias", StringComparison.Ordinal);
    }

    [Fact]
    public void A_tied_head_is_the_embedding_and_no_other()
    {
        Dictionary<string, TinyTensor> tied = new(Base) { ["lm_head.weight"] = Base["model.embed_tokens.weight"] };
        float[][] expected = Logits(tied);
        using var folder = new TemporaryFolder();
        WeightBinderTests.Write(folder, Wide(Shape), tied);
        Edit(folder, config => config["tie_word_embeddings"] = true);
        using (var model = new LoadedModel(folder.Path))
            AssertSame(expected, model.Logits(Prompt), "both are there and equal");

        WeightBinderTests.Write(folder, Wide(Shape), Base);
        Edit(folder, config => config["tie_word_embeddings"] = true);
        var refusal = Assert.Throws<CheckpointException>(() => new LoadedModel(folder.Path).Dispose());
        Assert.Equal("tie_word_embeddings", refusal.FieldName);
        Assert.Contains("lm_head.weight", refusal.Message);
    }

    private static TinyShape Wide(TinyShape shape) => shape with { Experts = TinyExperts.BFloat16 };

    private static float[][] Logits(Dictionary<string, TinyTensor> tensors) => Logits(tensors, Wide(Shape), Prompt);

    private static float[][] Logits(Dictionary<string, TinyTensor> tensors, TinyShape shape, int[] prompt)
    {
        using var folder = new TemporaryFolder();
        WeightBinderTests.Write(folder, shape, tensors);
        using var model = new LoadedModel(folder.Path);
        return model.Logits(prompt);
    }

    private static void Edit(TemporaryFolder folder, Action<JsonObject> change)
    {
        string path = Path.Combine(folder.Path, "config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(config);
        File.WriteAllText(path, config.ToJsonString());
    }

    private static double Distance(double[] expected, float[] actual) =>
        expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();

    private static void AssertNear(double[][] expected, float[][] actual) =>
        Assert.InRange(expected.Zip(actual, Distance).Max(), 0, FixtureTests.Tolerance);

    private static void AssertSame(float[][] expected, float[][] actual, string what)
    {
        for (int position = 0; position < expected.Length; position++)
            Sample.AssertSameBits(expected[position], actual[position], $"{what}, position {position}");
    }
}

using System.Text.Json;
using GptOss.Tests.Checkpoint.Gguf;
using GptOss.Tests.Kernels;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Adapter;

/// <summary>Adapters in all their forms give the answers of float64, over every base and in every batch.</summary>
public sealed class AdapterTests
{
    private static readonly string Base = Repository.Vector("oracle", "C");

    public static TheoryData<string> Names => [.. AdapterVectors.Names];

    [Theory, MemberData(nameof(Names))]
    public void Every_stored_logit_is_met_and_the_greedy_answer_is_the_same(string name)
    {
        using JsonDocument expected = AdapterVectors.Expected(name);
        using var model = new LoadedModel(Base, threads: 2, adapter: AdapterVectors.PathOf(name));
        int[] prompt = FixtureTests.Ints(expected, "prompt"),
            greedy = FixtureTests.Ints(expected, "greedy");

        float[][] logits = model.Logits(prompt);

        double worst = Worst(expected, logits);
        Figure.Tell($"{name}: worst {worst:e2}");
        Assert.InRange(worst, 0, FixtureTests.Tolerance);
        Assert.Equal(FixtureTests.Ints(expected, "prompt_argmax"), logits.Select(row => Array.IndexOf(row, row.Max())));
        Assert.Equal(16, greedy.Length);
        Assert.Equal(greedy, model.Greedy(prompt, greedy.Length));
        Assert.Empty(model.Model.Notes);
    }

    [Theory, MemberData(nameof(Names))]
    public void The_same_base_in_gguf_has_the_same_bits(string name)
    {
        string adapter = AdapterVectors.PathOf(name);
        using var safetensors = new LoadedModel(Base, adapter: adapter);
        using var gguf = new LoadedModel(GgufVectors.PathOf("C-bf16.gguf"), threads: 3, adapter: adapter);
        int[] prompt = Prompt(name);
        float[][] whole = safetensors.Logits(prompt);
        AssertSame(whole, gguf.Logits(prompt), "GGUF");
        AssertSame(whole, gguf.Logits(prompt, chunk: 1), "one token at a time");
    }

    [Theory]
    [InlineData("experts-fused", Precision.Checkpoint)]
    [InlineData("tinker-raw", Precision.Checkpoint)]
    [InlineData("experts-split", Precision.Fast)]
    [InlineData("patterns", Precision.Fast)] // with a head of its own, which is packed
    public void Chunks_threads_and_neighbours_do_not_show(string name, Precision precision)
    {
        string adapter = AdapterVectors.PathOf(name),
            gguf = GgufVectors.PathOf("C-mxfp4.gguf");
        int[] prompt = Prompt(name);
        using var one = new LoadedModel(gguf, precision: precision, adapter: adapter);
        float[][] whole = one.Logits(prompt);
        foreach (int chunk in (int[])[1, 7, 70])
            AssertSame(whole, one.Logits(prompt, chunk), $"chunk {chunk}");
        using var three = new LoadedModel(gguf, threads: 3, precision: precision, adapter: adapter);
        foreach (float[][] copy in three.Interleaved([prompt, prompt], [7, 3]))
            AssertSame(whole, copy, "beside itself");

        using var without = new LoadedModel(gguf, precision: precision);
        Assert.True(Distance(without.Logits(prompt), whole) > 0.1, "the adapter changes nothing");
    }

    [Theory]
    [InlineData("attention", Precision.Checkpoint)]
    [InlineData("experts-fused", Precision.Checkpoint)]
    [InlineData("tinker-raw", Precision.Fast)]
    public void An_adapter_of_zeros_is_the_base(string name, Precision precision)
    {
        using var folder = new TemporaryFolder();
        AdapterVectors.Write(folder, name, tensors: tensors =>
            tensors.ToDictionary(
                pair => pair.Key,
                pair =>
                    pair.Key.Contains("lora_B", StringComparison.Ordinal)
                        ? pair.Value with
                        {
                            Data = new byte[pair.Value.Data.Length],
                        }
                        : pair.Value
            )
        );
        int[] prompt = Prompt(name);
        foreach (string path in (string[])[Base, GgufVectors.PathOf("C-mxfp4.gguf")])
        {
            using var zeros = new LoadedModel(path, threads: 2, precision: precision, adapter: folder.Path);
            using var alone = new LoadedModel(path, precision: precision);
            AssertSame(alone.Logits(prompt), zeros.Logits(prompt), path);
        }
    }

    [Fact]
    public void Fast_is_near_the_checkpoint_and_its_delta_is_not_rounded()
    {
        int[] prompt = Prompt("experts-fused");
        string adapter = AdapterVectors.PathOf("experts-fused");
        double alone = Loss(null),
            adapted = Loss(adapter);
        // A delta in 8 bits would add errors of its own size, a tenth of the weights'.
        Assert.InRange(adapted, 0, 1.5 * alone);

        double Loss(string? adapter)
        {
            using var exact = new LoadedModel(Base, adapter: adapter);
            using var fast = new LoadedModel(Base, precision: Precision.Fast, adapter: adapter);
            float[] a = exact.Logits(prompt)[^1],
                b = fast.Logits(prompt)[^1];
            return Math.Sqrt(a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Average())
                / Math.Sqrt(a.Select(x => (double)x * x).Average());
        }
    }

    [Theory]
    [InlineData("lora_A.default.weight")] // the adapter's own name, as older tools leave it
    [InlineData("lora_A")] // a parameter and no module
    public void Names_of_the_factors_may_differ(string name)
    {
        using var folder = new TemporaryFolder();
        AdapterVectors.Write(folder, "attention", tensors: tensors =>
            tensors.ToDictionary(
                pair =>
                    pair.Key.Replace("lora_A.weight", name, StringComparison.Ordinal)
                        .Replace("base_model.model.", "", StringComparison.Ordinal),
                pair => pair.Value
            )
        );
        using JsonDocument expected = AdapterVectors.Expected("attention");
        using var model = new LoadedModel(Base, adapter: folder.Path);
        Assert.InRange(Worst(expected, model.Logits(Prompt("attention"))), 0, FixtureTests.Tolerance);
    }

    [Fact]
    public void Factors_of_several_types_and_ranks_that_differ_between_experts_meet_the_same_logits()
    {
        using var folder = new TemporaryFolder();
        const string expert = "base_model.model.model.layers.1.mlp.experts.3.gate_proj.";
        AdapterVectors.Write(
            folder,
            "experts-split",
            config =>
                config["rank_pattern"] = new System.Text.Json.Nodes.JsonObject { [@"1.*experts\.3\.gate_proj"] = 5 },
            tensors =>
            {
                // Three more of the rank, which are zero, and a scale that stays α / r: 4 / 5 instead of 4 / 2.
                TinyTensor a = tensors[expert + "lora_A.weight"],
                    b = tensors[expert + "lora_B.weight"];
                float[] wide = new float[5 * a.Shape[1]],
                    tall = new float[b.Shape[0] * 5];
                a.Values.CopyTo(wide, 0);
                for (int i = 0; i < b.Values.Length; i++)
                    tall[i / 2 * 5 + i % 2] = b.Values[i] * 2.5f;
                tensors[expert + "lora_A.weight"] = TinyTensor.Of("F32", wide, 5, a.Shape[1]);
                tensors[expert + "lora_B.weight"] = TinyTensor.Of("F32", tall, b.Shape[0], 5);
                return tensors;
            }
        );
        using JsonDocument expected = AdapterVectors.Expected("experts-split");
        foreach (string path in (string[])[Base, GgufVectors.PathOf("C-bf16.gguf")])
        {
            using var model = new LoadedModel(path, threads: 2, adapter: folder.Path);
            Assert.InRange(Worst(expected, model.Logits(Prompt("experts-split"))), 0, FixtureTests.Tolerance);
        }
    }

    [Fact]
    public void A_saved_prefix_belongs_to_the_adapter_and_its_scale()
    {
        ulong none = Fingerprint(null),
            own = Fingerprint(AdapterVectors.PathOf("attention"));
        using var folder = new TemporaryFolder();
        AdapterVectors.Write(folder, "attention", config => config["lora_alpha"] = 17);
        Assert.Equal(3, new HashSet<ulong> { none, own, Fingerprint(folder.Path) }.Count);
        Assert.Equal(own, Fingerprint(AdapterVectors.PathOf("attention")));

        static ulong Fingerprint(string? adapter)
        {
            using var model = new LoadedModel(Base, adapter: adapter);
            return model.Model.Source.Folder.Fingerprint();
        }
    }

    [Fact]
    public void A_value_that_is_not_finite_is_searched_in_the_adapter_too()
    {
        using var folder = new TemporaryFolder();
        const string name = "base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight";
        AdapterVectors.Write(folder, "attention", tensors: tensors =>
        {
            float[] values = tensors[name].Values;
            values[3] = float.NaN;
            tensors[name] = TinyTensor.Of("F32", values, tensors[name].Shape);
            return tensors;
        });
        using var model = new LoadedModel(Base, adapter: folder.Path);
        NumericFaultException fault = model.Model.Source.Folder.ExplainFault(CancellationToken.None);
        Assert.Equal(name, fault.TensorName);
    }

    private static int[] Prompt(string name)
    {
        using JsonDocument expected = AdapterVectors.Expected(name);
        return FixtureTests.Ints(expected, "prompt")[..80];
    }

    // The logits of the stored positions, as far as the prompt was computed.
    private static double Worst(JsonDocument expected, float[][] logits)
    {
        double worst = 0;
        int compared = 0;
        foreach (int position in FixtureTests.Ints(expected, "positions").Where(position => position < logits.Length))
        {
            int token = 0;
            foreach (
                JsonElement value in expected
                    .RootElement.GetProperty("logits")
                    .GetProperty($"{position}")
                    .EnumerateArray()
            )
                worst = Math.Max(worst, Math.Abs(value.GetDouble() - logits[position][token++]));
            compared++;
        }
        Assert.True(compared > 1);
        return worst;
    }

    private static double Distance(float[][] a, float[][] b) =>
        a.Zip(b, (x, y) => x.Zip(y, (p, q) => (double)Math.Abs(p - q)).Max()).Max();

    private static void AssertSame(float[][] expected, float[][] actual, string what)
    {
        for (int position = 0; position < expected.Length; position++)
            Sample.AssertSameBits(expected[position], actual[position], $"{what}, position {position}");
    }
}

using System.Text.Json;
using GptOss.Tests.Checkpoint.Gguf;
using GptOss.Tests.Kernels;

namespace GptOss.Tests.Model;

/// <summary>The oracle's fixtures in every form that GGUF files of gpt-oss have.</summary>
public sealed class GgufFixtureTests
{
    [Theory]
    [InlineData("A-f32", "A-bf16")]
    [InlineData("A-bf16", "A-bf16")]
    [InlineData("A-f16", "A-f16")]
    [InlineData("A-q8_0", "A-q8_0")]
    [InlineData("A-q4km", "A-q4km")] // Q5_0, Q5_1, Q4_1, Q4_K, Q6_K, Q8_0
    [InlineData("A-q3k", "A-q3k")] // Q4_0, Q5_0, Q3_K, Q5_K, Q8_0
    [InlineData("A-iq4", "A-iq4")] // IQ4_NL, IQ4_XS, Q2_K, Q8_0
    [InlineData("A-mixed-experts", "A-mixed-experts")] // gate and up of different formats
    [InlineData("A-bare", "A-q8_0")]
    [InlineData("A-aligned64", "A-q8_0")]
    [InlineData("A-split-00001-of-00003", "A-q8_0")]
    [InlineData("A-ollama", "A-bf16")]
    [InlineData("A-ollama-fused", "A-bf16")]
    [InlineData("A-ollama-first", "A-bf16")]
    [InlineData("C-bf16", "C-bf16")] // bf16 experts, two matrices for gate and up
    [InlineData("C-f16", "C-f16")]
    [InlineData("C-q8_0", "C-q8_0")]
    [InlineData("C-mxfp4", "C-mxfp4")]
    public void Every_stored_logit_is_met_and_the_greedy_answer_is_the_same(string file, string fixture)
    {
        using JsonDocument expected = GgufVectors.Expected(fixture);
        using var model = new LoadedModel(GgufVectors.PathOf(file + ".gguf"), threads: 2);
        int[] prompt = FixtureTests.Ints(expected, "prompt"),
            greedy = FixtureTests.Ints(expected, "greedy");

        float[][] logits = model.Logits(prompt);

        double worst = 0;
        foreach (int position in FixtureTests.Ints(expected, "positions"))
        {
            int token = 0;
            JsonElement stored = expected.RootElement.GetProperty("logits").GetProperty($"{position}");
            foreach (JsonElement value in stored.EnumerateArray())
                worst = Math.Max(worst, Math.Abs(value.GetDouble() - logits[position][token++]));
            Assert.Equal(model.Model.VocabularySize, token);
        }
        Figure.Tell($"{file}: worst {worst:e2}");
        Assert.InRange(worst, 0, FixtureTests.Tolerance);
        Assert.Equal(32, greedy.Length);
        Assert.Equal(greedy, model.Greedy(prompt, greedy.Length));
    }

    [Theory]
    [InlineData("A-f32", Precision.Checkpoint)]
    [InlineData("A-bf16", Precision.Checkpoint)]
    [InlineData("A-ollama", Precision.Checkpoint)]
    [InlineData("A-ollama-fused", Precision.Checkpoint)]
    [InlineData("A-ollama-first", Precision.Checkpoint)]
    [InlineData("A-f32", Precision.Fast)]
    [InlineData("A-bf16", Precision.Fast)]
    [InlineData("A-ollama", Precision.Fast)]
    [InlineData("A-ollama-fused", Precision.Fast)]
    [InlineData("A-ollama-first", Precision.Fast)]
    public void The_same_values_give_the_bits_of_safetensors(string file, Precision precision)
    {
        using var safetensors = new LoadedModel(Repository.Vector("oracle", "A"), precision: precision);
        AssertSameBits(safetensors, file, precision);
    }

    [Theory]
    [InlineData("A-bare", Precision.Checkpoint)]
    [InlineData("A-aligned64", Precision.Checkpoint)]
    [InlineData("A-split-00001-of-00003", Precision.Checkpoint)]
    [InlineData("A-split-00003-of-00003", Precision.Checkpoint)] // a set is opened by any of its files
    [InlineData("A-split-00002-of-00003", Precision.Fast)]
    public void The_container_of_the_same_weights_does_not_matter(string file, Precision precision)
    {
        using var whole = new LoadedModel(GgufVectors.PathOf("A-q8_0.gguf"), precision: precision);
        AssertSameBits(whole, file, precision);
    }

    [Fact]
    public void Transposed_experts_give_the_bits_of_two_matrices()
    {
        using JsonDocument expected = GgufVectors.Expected("C-bf16");
        int[] prompt = FixtureTests.Ints(expected, "prompt");
        using var safetensors = new LoadedModel(Repository.Vector("oracle", "C"));
        using var gguf = new LoadedModel(GgufVectors.PathOf("C-bf16.gguf"), threads: 2);
        AssertSameBits(safetensors.Logits(prompt), gguf.Logits(prompt));
    }

    [Theory]
    [InlineData("A-q8_0")]
    [InlineData("A-q4km")]
    [InlineData("A-iq4")]
    [InlineData("A-mixed-experts")]
    public void Fast_is_near_the_checkpoint_for_every_dense_format(string file)
    {
        int[] prompt = GgufVectors.PromptOfA();
        using var exact = new LoadedModel(GgufVectors.PathOf(file + ".gguf"));
        using var fast = new LoadedModel(GgufVectors.PathOf(file + ".gguf"), precision: Precision.Fast);
        float[] a = exact.Logits(prompt)[^1],
            b = fast.Logits(prompt)[^1];
        Assert.NotEqual(a, b); // the dense matrices really are 8 bits
        double error = Math.Sqrt(a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Average()),
            spread = Math.Sqrt(a.Select(x => (double)x * x).Average());
        Assert.InRange(error / spread, 0, 0.05);
    }

    private static void AssertSameBits(LoadedModel expected, string file, Precision precision)
    {
        int[] prompt = GgufVectors.PromptOfA();
        foreach (int threads in (int[])[1, 3])
        {
            using var gguf = new LoadedModel(
                GgufVectors.PathOf(file + ".gguf"),
                threads: threads,
                precision: precision
            );
            float[][] logits = expected.Logits(prompt);
            AssertSameBits(logits, gguf.Logits(prompt));
            AssertSameBits(logits, gguf.Logits(prompt, chunk: 1)); // the products of few tokens
        }
    }

    private static void AssertSameBits(float[][] expected, float[][] actual)
    {
        for (int position = 0; position < expected.Length; position++)
            Sample.AssertSameBits(expected[position], actual[position], $"position {position}");
    }
}

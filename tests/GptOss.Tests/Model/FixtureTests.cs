using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using GptOss.Model;

namespace GptOss.Tests.Model;

/// <summary>The oracle's models: float64 logits of OpenAI's own code, seven digits of them.</summary>
public class FixtureTests
{
    /// <summary>OpenAI's code in float32 is up to 3.8e-4 away from its own float64 run on such models; ours must be no worse.</summary>
    private const double Tolerance = 5e-4;

    [Theory]
    [InlineData("A")]   // Hugging Face, two shards, MXFP4
    [InlineData("B")]   // the same in the original layout
    [InlineData("C")]   // bf16 experts, beyond the window and the original context
    public void Every_stored_logit_is_met_and_the_greedy_answer_is_the_same(string fixture)
    {
        using JsonDocument expected = Expected(fixture);
        using GptOssModel model = Logits.Load(Repository.Vector("oracle", fixture));
        int[] prompt = Ids(expected, "prompt");

        float[][] logits = Logits.Of(model, prompt);
        foreach (JsonProperty position in expected.RootElement.GetProperty("logits").EnumerateObject())
        {
            float[] row = logits[int.Parse(position.Name, System.Globalization.CultureInfo.InvariantCulture)];
            double[] stored = [.. position.Value.EnumerateArray().Select(value => value.GetDouble())];
            Assert.Equal(stored.Length, row.Length);
            Assert.InRange(row.Zip(stored, (x, y) => Math.Abs(x - y)).Max(), 0, Tolerance);
        }

        using KvSequence sequence = model.Engine.Cache.NewSequence();
        var greedy = new List<int> { model.Engine.Next(sequence, prompt, SamplingOptions.Greedy, 0, CancellationToken.None) };
        while (greedy.Count < 32)
            greedy.Add(model.Engine.Next(sequence, [greedy[^1]], SamplingOptions.Greedy, 0, CancellationToken.None));
        Assert.Equal(Ids(expected, "greedy"), greedy);
    }

    [Fact]
    public void Both_layouts_of_a_model_give_the_same_bits()
    {
        using JsonDocument expected = Expected("A");
        using GptOssModel huggingFace = Logits.Load(Repository.Vector("oracle", "A"));
        using GptOssModel original = Logits.Load(Repository.Vector("oracle", "B"));
        int[] prompt = Ids(expected, "prompt");
        Logits.AssertSameBits(Logits.Of(huggingFace, prompt), Logits.Of(original, prompt));
    }

    /// <summary><c>./build.sh widths</c> compares this hash between 512, 256, 128 bits and scalar code.</summary>
    [Fact]
    public void The_logits_have_a_hash_that_every_width_shares()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string folder in new[] { Repository.Vector("oracle", "A"), Repository.Vector("oracle", "C"), TinyGptOss.Folder })
        {
            using GptOssModel model = Logits.Load(folder);
            foreach (float[] row in Logits.Of(model, Logits.RandomPrompt(7, 150, model.VocabularySize), chunk: 64))
                hash.AppendData(MemoryMarshal.AsBytes(row.AsSpan()));
            using KvSequence sequence = model.Engine.Cache.NewSequence();
            foreach (float[] row in Logits.Of(model.Engine, sequence, [1, 2, 3], chunk: 1))
                hash.AppendData(MemoryMarshal.AsBytes(row.AsSpan()));
        }
        string text = Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
        WidthTests.Report(text);
        Assert.Equal(16, text.Length);
    }

    private static JsonDocument Expected(string fixture) =>
        JsonDocument.Parse(File.ReadAllBytes(Repository.Vector("oracle", fixture, "expected.json")));

    private static int[] Ids(JsonDocument document, string name) =>
        [.. document.RootElement.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}

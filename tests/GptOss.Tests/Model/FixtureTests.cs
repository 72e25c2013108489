using System.Text.Json;
using GptOss.Tests.Kernels;

namespace GptOss.Tests.Model;

/// <summary>The three models whose logits a float64 reference has computed (vectors/oracle).</summary>
public sealed class FixtureTests
{
    /// <summary>
    /// OpenAI's own code in float32 is 1.5e-4 away from the float64 reference, by its order of summation and its
    /// float32 angles; an engine in float32 may be as far off to the other side, and a little more at another rounding.
    /// </summary>
    internal const double Tolerance = 5e-4;

    [Theory]
    [InlineData("A")] // Hugging Face layout in two shards, MXFP4
    [InlineData("B")] // the original layout, fused query, key and value
    [InlineData("C")] // transposed bf16 experts, prompt beyond window and original context
    public void Every_stored_logit_is_met_and_the_greedy_answer_is_the_same(string fixture)
    {
        using JsonDocument expected = Expected(fixture);
        using var model = new LoadedModel(Repository.Vector("oracle", fixture), threads: 2);
        int[] prompt = Ints(expected, "prompt"),
            greedy = Ints(expected, "greedy");

        float[][] logits = model.Logits(prompt);

        double worst = 0;
        foreach (int position in Ints(expected, "positions"))
        {
            double[] stored =
            [
                .. expected
                    .RootElement.GetProperty("logits")
                    .GetProperty($"{position}")
                    .EnumerateArray()
                    .Select(value => value.GetDouble()),
            ];
            Assert.Equal(model.Model.VocabularySize, stored.Length);
            for (int token = 0; token < stored.Length; token++)
                worst = Math.Max(worst, Math.Abs(stored[token] - logits[position][token]));
        }
        Figure.Tell($"{fixture}: worst {worst:e2}");
        Assert.InRange(worst, 0, Tolerance);
        Assert.Equal(Ints(expected, "prompt_argmax"), logits.Select(row => Array.IndexOf(row, row.Max())));
        Assert.Equal(32, greedy.Length);
        Assert.Equal(greedy, model.Greedy(prompt, greedy.Length));
    }

    [Fact]
    public void Both_layouts_of_the_same_weights_give_the_same_bits()
    {
        int[] prompt;
        using (JsonDocument expected = Expected("A"))
            prompt = Ints(expected, "prompt");
        using var huggingFace = new LoadedModel(Repository.Vector("oracle", "A"));
        using var original = new LoadedModel(Repository.Vector("oracle", "B"));

        float[][] a = huggingFace.Logits(prompt),
            b = original.Logits(prompt);

        for (int position = 0; position < prompt.Length; position++)
            Sample.AssertSameBits(a[position], b[position], $"position {position}");
    }

    internal static JsonDocument Expected(string fixture) =>
        JsonDocument.Parse(File.ReadAllBytes(Repository.Vector("oracle", fixture, "expected.json")));

    internal static int[] Ints(JsonDocument json, string name) =>
        [.. json.RootElement.GetProperty(name).EnumerateArray().Select(value => value.GetInt32())];
}

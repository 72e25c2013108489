using System.Text.Json;

namespace GptOss.Tests.Oracles;

public sealed class ReferenceTransformerTests
{
    [Theory]
    [InlineData("A")] // Hugging Face layout, MXFP4
    [InlineData("B")] // the original layout
    [InlineData("C")] // transposed bf16 experts, prompt beyond window and original context
    public void Every_stored_logit_of_a_fixture_is_met(string fixture)
    {
        using JsonDocument expected = Expected(fixture);
        var model = new ReferenceTransformer(Repository.Vector("oracle", fixture));

        double[][] logits = model.Logits(Ints(expected, "prompt"));

        int[] positions = Ints(expected, "positions");
        Assert.NotEmpty(positions);
        foreach (int position in positions)
        {
            JsonElement stored = expected.RootElement.GetProperty("logits").GetProperty($"{position}");
            Assert.Equal(model.VocabSize, stored.GetArrayLength());
            for (int token = 0; token < model.VocabSize; token++)
            {
                // Seven stored digits of logits up to 40: half a unit of the last is 5e-6.
                Assert.Equal(stored[token].GetDouble(), logits[position][token], tolerance: 1e-5);
            }
        }
    }

    [Fact]
    public void Every_position_of_a_fixture_has_the_stored_best_token()
    {
        using JsonDocument expected = Expected("C");
        double[][] logits = new ReferenceTransformer(Repository.Vector("oracle", "C")).Logits(Ints(expected, "prompt"));
        Assert.Equal(Ints(expected, "prompt_argmax"), logits.Select(row => Array.IndexOf(row, row.Max())));
    }

    [Fact]
    public void The_greedy_answer_of_a_fixture_is_the_stored_one()
    {
        using JsonDocument expected = Expected("A");
        int[] answer = new ReferenceTransformer(Repository.Vector("oracle", "A")).Greedy(Ints(expected, "prompt"), 32);
        Assert.Equal(Ints(expected, "greedy"), answer);
    }

    private static JsonDocument Expected(string fixture) =>
        JsonDocument.Parse(File.ReadAllBytes(Repository.Vector("oracle", fixture, "expected.json")));

    private static int[] Ints(JsonDocument json, string name) =>
        [.. json.RootElement.GetProperty(name).EnumerateArray().Select(value => value.GetInt32())];
}

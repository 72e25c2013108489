using GptOss.Harmony;
using GptOss.Tokenization;

namespace GptOss.Tests.Harmony;

public sealed class SpecialTokensTests
{
    [Fact]
    public void Markers_are_found_by_name_wherever_a_vocabulary_has_them()
    {
        Tokenizer tiny = Tokenizer(TinyGptOss.Folder);
        var special = new SpecialTokens(tiny);

        Assert.Equal("<|start|>assistant", tiny.Decode(special.AssistantPrompt));
        Assert.Equal("<|call|>", tiny.Decode([special.Call]));
        Assert.NotEqual(Markup.Special.Start, special.Start);
    }

    [Fact]
    public void A_tokenizer_without_a_marker_is_refused_by_its_name()
    {
        using var folder = new TemporaryFolder();
        string json = File.ReadAllText(Path.Combine(TinyGptOss.Folder, "tokenizer.json"));
        File.WriteAllText(
            Path.Combine(folder.Path, "tokenizer.json"),
            json.Replace("<|call|>", "<|other|>", StringComparison.Ordinal)
        );

        var refusal = Assert.Throws<HarmonyFormatException>(() => new SpecialTokens(Tokenizer(folder.Path)));
        Assert.Contains("<|call|>", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Generation_stops_at_three_tokens_and_not_at_the_end_of_a_message()
    {
        SpecialTokens special = Markup.Special;
        Assert.Equal([199_999, 200_002, 200_012], Enumerable.Range(0, 201_088).Where(special.EndsGeneration));
        Assert.Equal([200_002, 200_007, 200_012], Enumerable.Range(0, 201_088).Where(special.EndsMessage));
    }

    private static Tokenizer Tokenizer(string folder) => GptOss.Tokenization.Tokenizer.ForFolder(folder, 960, out _)!;
}

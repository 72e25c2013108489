using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>Random models of every kind against float64.</summary>
public sealed class TransformerTests : IDisposable
{
    /// <summary>As for the fixtures: what float32 costs on logits of a size of about 5.</summary>
    private const double Tolerance = 5e-4;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    internal static Dictionary<string, TinyShape> Shapes { get; } = new()
    {
        ["one head per key/value head"] = new() { NumAttentionHeads = 4, NumKeyValueHeads = 4 },
        ["eight heads per key/value head"] = new() { NumAttentionHeads = 8, NumKeyValueHeads = 1 },
        ["window of 1"] = new() { SlidingWindow = 1 },
        ["window of 63"] = new() { SlidingWindow = 63 },
        ["window of a block"] = new() { SlidingWindow = 64 },
        ["window of 65"] = new() { SlidingWindow = 65 },
        ["full first"] = new() { NumHiddenLayers = 3, LayerTypes = "fss" },
        ["eleven layers"] = new() { NumHiddenLayers = 11 },
        ["heads of 16"] = new() { HeadDim = 16 },
        ["heads of 40"] = new() { HeadDim = 40 },
        ["heads of 80"] = new() { HeadDim = 80 },
        ["one expert"] = new() { ExpertsPerToken = 1 },
        ["all experts"] = new() { NumLocalExperts = 5, ExpertsPerToken = 5 },
        ["clamped"] = new() { SwiGluLimit = 0.5 },
        ["large epsilon"] = new() { RmsNormEps = 0.1 },
        ["no YaRN"] = new() { RopeFactor = 1, OriginalContext = 4096 },
        ["factor 8"] = new() { RopeFactor = 8 },
        ["truncated ramp"] = new() { RopeTruncate = true },
        ["ramp truncated by default"] = new() { RopeTruncate = null },
        ["rope_parameters"] = new() { RopeParameters = true },
        ["three shards"] = new() { Shards = 3 },
        ["original layout"] = new() { Layout = TinyLayout.Original },
        ["original layout, several files"] = new() { Layout = TinyLayout.Original, Shards = 2 },
        ["bf16 experts"] = new() { Experts = TinyExperts.BFloat16 },
        ["bf16 experts, original layout"] = new() { Experts = TinyExperts.BFloat16, Layout = TinyLayout.Original },
        ["sizes that divide by nothing"] = new()
        {
            HiddenSize = 57, IntermediateSize = 37, HeadDim = 6, NumAttentionHeads = 3, NumKeyValueHeads = 3,
            Experts = TinyExperts.BFloat16, VocabSize = 101,
        },
    };

    public static TheoryData<string> Names => [.. Shapes.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Logits_agree_with_float64_beyond_the_window_and_the_original_context(string name)
    {
        TinyShape shape = Shapes[name] with { OriginalContext = Shapes[name].RopeFactor > 1 ? 64 : 4096 };
        TinyCheckpoint.Write(_folder.Path, shape, seed: 3);
        using GptOssModel model = Logits.Load(_folder.Path);
        int[] prompt = Logits.RandomPrompt(3, 150, shape.VocabSize);

        var reference = new ReferenceTransformer(_folder.Path);
        double[][] expected = reference.Logits(prompt);

        // A router closer to a tie than float32 can tell would make two right answers.
        Assert.True(reference.SmallestRouterGap > 1e-5, "Choose another seed.");
        Assert.InRange(Logits.WorstDifference(Logits.Of(model, prompt, 64), expected), 0, Tolerance);
    }
}

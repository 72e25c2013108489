using GptOss.Checkpoint;
using GptOss.Model;

namespace GptOss.Tests.Fuzzing.Inputs;

/// <summary>A config.json of either form.</summary>
internal sealed class ConfigInput : FuzzInput
{
    private static readonly byte[][] Sound =
    [
        .. ((string[])["A", "B", "C"]).Select(model =>
            File.ReadAllBytes(Repository.Vector("oracle", model, "config.json"))
        ),
    ];

    public override string Name => "config";

    public override int Cases => 8000;

    public override byte[] Draw(Random random)
    {
        byte[] json = Any(Sound, random);
        for (int damages = Damages(random); damages > 0; damages--)
            json = JsonDamage.Damage(json, random, Sound);
        return json;
    }

    /// <summary>No size that is computed from an accepted config can overflow or be of nothing.</summary>
    public override bool Reads(byte[] input)
    {
        var config = ModelConfig.From(JsonFields.Parse(input, "folder/config.json"));
        Assert.Equal(config.NumHiddenLayers, config.IsSliding.Length);
        Assert.Equal(0, config.NumAttentionHeads % config.NumKeyValueHeads);
        Assert.InRange(config.ExpertsPerToken, 1, config.NumLocalExperts);
        Assert.InRange((long)config.VocabSize * config.HiddenSize, 1, int.MaxValue);
        Assert.InRange(2L * config.IntermediateSize * config.HiddenSize, 1, int.MaxValue);
        Assert.InRange((long)config.NumAttentionHeads * config.HeadDim * config.HiddenSize, 1, int.MaxValue);
        Assert.InRange(config.MaxPositions, 1, int.MaxValue);
        Assert.InRange(config.SlidingWindow, 1, int.MaxValue);
        Assert.True(float.IsFinite(config.RmsNormEps) && config.RmsNormEps > 0);
        return true;
    }
}

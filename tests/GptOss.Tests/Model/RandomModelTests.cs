using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>Random models of other shapes than the published ones, against the float64 reference.</summary>
public sealed class RandomModelTests
{
    /// <summary>
    /// Below this distance between the last expert taken and the first one left, float32 may choose the other one and
    /// be right: router scores are sums of a few dozen products of size 1.
    /// </summary>
    private const double FairRouterGap = 2e-5;

    private static readonly Dictionary<string, (TinyShape Shape, int Tokens)> Models = new()
    {
        ["all layers full, a key/value head for each query head"] = (
            new()
            {
                NumHiddenLayers = 3,
                LayerTypes = "fff",
                NumKeyValueHeads = 4,
            },
            80
        ),
        ["window 1: a token sees itself and the sink"] = (new() { LayerTypes = "ss", SlidingWindow = 1 }, 70),
        ["window 63, one key/value head for 8"] = (
            new()
            {
                SlidingWindow = 63,
                NumAttentionHeads = 8,
                NumKeyValueHeads = 1,
                HeadDim = 40,
            },
            200
        ),
        ["window 64, one expert a token"] = (
            new()
            {
                SlidingWindow = 64,
                HeadDim = 16,
                ExpertsPerToken = 1,
            },
            200
        ),
        ["window 65, all experts"] = (
            new()
            {
                SlidingWindow = 65,
                HeadDim = 64,
                ExpertsPerToken = 6,
            },
            150
        ),
        ["window 128, heads of 80, far beyond the original context"] = (
            new()
            {
                SlidingWindow = 128,
                HeadDim = 80,
                NumAttentionHeads = 6,
                OriginalContext = 64,
                RopeFactor = 8,
            },
            300
        ),
        ["window 16, far beyond the original context"] = (new() { OriginalContext = 64, LayerTypes = "fs" }, 300),
        ["no scaling of positions"] = (new() { RopeFactor = 1, OriginalContext = 512 }, 150),
        ["rounded ramp, rope_parameters, five shards"] = (
            new()
            {
                RopeTruncate = true,
                RopeParameters = true,
                Shards = 5,
                OriginalContext = 128,
            },
            150
        ),
        ["truncate absent, factor 8, no index"] = (
            new()
            {
                RopeTruncate = null,
                RopeFactor = 8,
                WithIndex = false,
                NumHiddenLayers = 3,
                LayerTypes = "fsf",
            },
            150
        ),
        ["original layout, three files"] = (
            new()
            {
                Layout = TinyLayout.Original,
                Shards = 3,
                NumHiddenLayers = 3,
                SlidingWindow = 20,
            },
            150
        ),
        ["original layout, bf16 experts"] = (
            new() { Layout = TinyLayout.Original, Experts = TinyExperts.BFloat16 },
            100
        ),
        ["a limit that clamps most values, 5 query heads on one"] = (
            new()
            {
                SwiGluLimit = 0.5,
                NumAttentionHeads = 5,
                NumKeyValueHeads = 1,
            },
            100
        ),
        ["bf16 experts, nothing a multiple of 16"] = (
            new()
            {
                Experts = TinyExperts.BFloat16,
                HiddenSize = 50,
                IntermediateSize = 33,
                HeadDim = 10,
                VocabSize = 101,
                NumAttentionHeads = 6,
                NumKeyValueHeads = 3,
                NumLocalExperts = 3,
                ExpertsPerToken = 2,
            },
            100
        ),
        ["bf16 experts, smaller than a register"] = (
            new()
            {
                Experts = TinyExperts.BFloat16,
                HiddenSize = 12,
                IntermediateSize = 7,
                HeadDim = 2,
                VocabSize = 17,
                NumAttentionHeads = 3,
                NumKeyValueHeads = 1,
                NumLocalExperts = 2,
                ExpertsPerToken = 1,
            },
            70
        ),
        ["13 experts, 7 query heads on one, eps 1e-3, another theta"] = (
            new()
            {
                NumLocalExperts = 13,
                ExpertsPerToken = 3,
                NumAttentionHeads = 7,
                NumKeyValueHeads = 1,
                HeadDim = 16,
                NumHiddenLayers = 4,
                LayerTypes = "sffs",
                SlidingWindow = 33,
                RmsNormEps = 1e-3,
                RopeTheta = 10000,
            },
            150
        ),
    };

    // The scalar leg has the fixtures, whose logits go through the same code.
    public static TheoryData<string> Names => [.. Models.Keys];

    [Theory, MemberData(nameof(Names))]
    [Trait("speed", "slow")]
    public void Every_logit_is_that_of_the_reference(string name)
    {
        (TinyShape shape, int tokens) = Models[name];
        using var model = LoadedModel.Random(shape, seed: 7, threads: 2);
        int[] prompt = LoadedModel.Prompt(tokens, shape.VocabSize);
        prompt[tokens / 2] = 3; // the row so small that eps decides
        var reference = new ReferenceTransformer(model.Folder);
        double[][] expected = reference.Logits(prompt);
        Assert.True(
            reference.SmallestRouterGap > FairRouterGap,
            $"router gap {reference.SmallestRouterGap:e1}: take another seed"
        );

        float[][] actual = model.Logits(prompt, chunk: 61);

        double worst = 0;
        for (int position = 0; position < tokens; position++)
        for (int token = 0; token < shape.VocabSize; token++)
            worst = Math.Max(worst, Math.Abs(expected[position][token] - actual[position][token]));
        Figure.Tell($"worst {worst:e2}");
        Assert.InRange(worst, 0, FixtureTests.Tolerance);
    }

    /// <summary>
    /// 4,096 positions make a split of attention: what lies beyond is merged into what lies before.
    /// </summary>
    [Fact]
    [Trait("speed", "slow")]
    public void Beyond_4096_positions_the_logits_are_those_of_the_reference_and_of_every_chunking()
    {
        var shape = new TinyShape
        {
            HiddenSize = 32,
            IntermediateSize = 32,
            NumHiddenLayers = 2,
            LayerTypes = "fs",
            NumAttentionHeads = 2,
            NumKeyValueHeads = 1,
            HeadDim = 16,
            NumLocalExperts = 1,
            ExpertsPerToken = 1,
            VocabSize = 32,
        };
        const int Tokens = 4170,
            Compared = 90;
        using var model = LoadedModel.Random(shape, seed: 3, threads: 2);
        int[] prompt = LoadedModel.Prompt(Tokens, shape.VocabSize);
        double[][] expected = new ReferenceTransformer(model.Folder).Logits(prompt);

        float[][] whole = model.Logits(prompt),
            pieces = model.Logits(prompt, chunk: 1001);

        for (int position = 0; position < Tokens; position++)
            Kernels.Sample.AssertSameBits(whole[position], pieces[position], $"position {position}");
        for (int position = Tokens - Compared; position < Tokens; position++)
        for (int token = 0; token < shape.VocabSize; token++)
            Assert.Equal(expected[position][token], whole[position][token], FixtureTests.Tolerance);
    }
}

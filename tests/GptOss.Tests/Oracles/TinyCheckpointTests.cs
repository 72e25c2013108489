namespace GptOss.Tests.Oracles;

public sealed class TinyCheckpointTests
{
    // Longer than the window, so that the sliding layers forget.
    private static readonly int[] Prompt = [.. Enumerable.Range(0, 24).Select(i => ((i * 37) + 3) % 512)];

    public static TheoryData<string> Writings => [.. Shapes.Keys];

    private static Dictionary<string, TinyShape> Shapes { get; } =
        new()
        {
            ["hf in three shards"] = new TinyShape { Shards = 3 },
            ["hf in one file without an index"] = new TinyShape { WithIndex = false },
            ["hf with bf16 experts"] = new TinyShape { Experts = TinyExperts.BFloat16OfMxfp4 },
            ["hf with rope_parameters"] = new TinyShape { RopeParameters = true },
            ["original"] = new TinyShape { Layout = TinyLayout.Original },
            ["original in seven files"] = new TinyShape { Layout = TinyLayout.Original, Shards = 7 },
            ["original with bf16 experts"] = new TinyShape
            {
                Layout = TinyLayout.Original,
                Experts = TinyExperts.BFloat16OfMxfp4,
            },
        };

    [Theory, MemberData(nameof(Writings))]
    public void Every_writing_of_a_seed_is_the_same_model(string writing) =>
        Assert.Equal(Logits(new TinyShape(), seed: 5), Logits(Shapes[writing], seed: 5));

    [Fact]
    public void The_same_seed_writes_the_same_bytes_and_another_seed_other_ones()
    {
        byte[] Weights(int seed)
        {
            using var folder = new TemporaryFolder();
            TinyCheckpoint.Write(folder.Path, seed);
            return File.ReadAllBytes(Path.Combine(folder.Path, "model-00000-of-00000.safetensors"));
        }

        Assert.Equal(Weights(1), Weights(1));
        Assert.NotEqual(Weights(1), Weights(2));
    }

    [Fact]
    public void Shards_are_named_as_the_published_ones_are()
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(Path.Combine(folder.Path, "hf"), new TinyShape { Shards = 2 }, seed: 1);
        TinyCheckpoint.Write(
            Path.Combine(folder.Path, "original"),
            new TinyShape { Layout = TinyLayout.Original, Shards = 2 },
            seed: 1
        );

        string[] Names(string layout)
        {
            var files = Directory.EnumerateFiles(Path.Combine(folder.Path, layout), "*.safetensors");
            return [.. files.Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        }

        Assert.Equal(["model-00000-of-00001.safetensors", "model-00001-of-00001.safetensors"], Names("hf"));
        Assert.Equal(["model--00001-of-00002.safetensors", "model--00002-of-00002.safetensors"], Names("original"));
    }

    /// <summary>A test that varies what the model does not feel would prove nothing.</summary>
    [Fact]
    public void Every_constant_of_the_shape_changes_the_logits()
    {
        double[][] usual = Logits(new TinyShape(), seed: 5);
        TinyShape[] others =
        [
            new() { LayerTypes = "ff" },
            new() { LayerTypes = "fs" },
            new() { SlidingWindow = 15 },
            new() { SwiGluLimit = 2.5 },
            new() { RmsNormEps = 1e-6 },
            new() { ExpertsPerToken = 3 },
            new() { RopeTheta = 10000 },
            new() { RopeFactor = 8 },
            new() { RopeFactor = 1 },
            new() { OriginalContext = 1024 },
            new() { RopeTruncate = true },
            new() { Experts = TinyExperts.BFloat16 },
        ];
        foreach (TinyShape other in others)
        {
            double[][] changed = Logits(other, seed: 5);
            double most = usual.Zip(changed, (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max()).Max();
            Assert.True(most > 1e-3, $"{other} changes no logit by more than {most}."); // twice an engine's tolerance
        }
    }

    [Fact]
    public void A_missing_truncate_means_that_the_ends_of_the_ramp_are_rounded() =>
        Assert.Equal(
            Logits(new TinyShape { RopeTruncate = true }, seed: 5),
            Logits(new TinyShape { RopeTruncate = null }, seed: 5)
        );

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Logits_are_spread_as_those_of_the_fixtures(int seed)
    {
        double[] all = [.. Logits(new TinyShape(), seed).SelectMany(row => row)];
        double mean = all.Average(),
            deviation = Math.Sqrt(all.Average(value => (value - mean) * (value - mean)));
        Assert.InRange(deviation, 4, 7); // the fixtures': 5.0 to 5.7
    }

    [Fact]
    public void A_layout_that_cannot_say_it_is_refused()
    {
        var original = new TinyShape { Layout = TinyLayout.Original };
        TinyShape[] impossible =
        [
            original with
            {
                LayerTypes = "ff",
            },
            original with
            {
                RmsNormEps = 1e-6,
            },
            original with
            {
                RopeTruncate = true,
            },
            original with
            {
                RopeParameters = true,
            },
            new() { HiddenSize = 48 },
            new() { Shards = 2, WithIndex = false },
            new() { ExpertsPerToken = 7 },
        ];
        Assert.All(impossible, shape => Assert.Throws<ArgumentException>(shape.Validate));
    }

    [Fact]
    public void A_block_of_zeros_has_scale_byte_zero()
    {
        (byte[] blocks, byte[] scales) = TinyMxfp4.Quantize(new double[32]);
        Assert.Equal(new byte[16], blocks);
        Assert.Equal([0], scales);
        Dictionary<string, TinyTensor> weights = TinyWeights.Make(new TinyShape(), seed: 1);
        Assert.Equal(1, weights["block.0.mlp.mlp1_weight.scales"].Data.Count(scale => scale == 0));
        Assert.Equal(1, weights["block.0.mlp.mlp2_weight.scales"].Data.Count(scale => scale == 0));
    }

    private static double[][] Logits(TinyShape shape, int seed)
    {
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, shape, seed);
        return new ReferenceTransformer(folder.Path).Logits(Prompt);
    }
}

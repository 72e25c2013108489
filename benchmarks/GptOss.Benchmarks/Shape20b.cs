using GptOss.Model;

namespace GptOss.Benchmarks;

/// <summary>The sizes of gpt-oss-20b, for random weights as large and as fast as the real ones.</summary>
internal static class Shape20b
{
    /// <summary>The configuration with the given number of layers; the published model has 24.</summary>
    public static ModelConfig Config(int layers) =>
        new()
        {
            Layout = CheckpointLayout.HuggingFace,
            NumHiddenLayers = layers,
            HiddenSize = 2880,
            IntermediateSize = 2880,
            NumAttentionHeads = 64,
            NumKeyValueHeads = 8,
            HeadDim = 64,
            NumLocalExperts = 32,
            ExpertsPerToken = 4,
            VocabSize = 201_088,
            SlidingWindow = 128,
            IsSliding = [.. Enumerable.Range(0, layers).Select(layer => layer % 2 == 0)],
            RmsNormEps = 1e-5f,
            SwiGluLimit = 7,
            SwiGluAlpha = 1.702f,
            TieWordEmbeddings = false,
            Rope = new RopeConfig
            {
                Theta = 150_000,
                Factor = 32,
                BetaFast = 32,
                BetaSlow = 1,
                OriginalContext = 4096,
                Truncate = false,
            },
            MaxPositions = 131_072,
        };
}

using GptOss.Kernels.Formats;
using GptOss.Model;

namespace GptOss.Cli.Bench;

/// <summary>The sizes of a published gpt-oss, for measuring a machine before downloading the model.</summary>
/// <remarks>Both models share every size but the number of layers and of experts. Source: their config.json.</remarks>
internal sealed record PublishedShape(string Name, int Layers, int Experts)
{
    public const int HiddenSize = 2880,
        IntermediateSize = 2880,
        Heads = 64,
        KeyValueHeads = 8,
        HeadDim = 64,
        Vocabulary = 201_088,
        ExpertsPerToken = 4;

    private const int BFloat16Bytes = 2;

    public static PublishedShape Small { get; } = new("20b", Layers: 24, Experts: 32);

    public static PublishedShape Large { get; } = new("120b", Layers: 36, Experts: 128);

    /// <summary>
    /// Bytes of the tensors of a model with the given number of layers, stored as published: MXFP4 experts, the rest
    /// bfloat16.
    /// </summary>
    public long WeightBytes(int layers) => layers * LayerBytes(Experts) + 2 * TableBytes + NormBytes;

    /// <summary>Bytes that one token reads: four experts of every layer, all that is dense, and the head.</summary>
    public long BytesPerToken => Layers * LayerBytes(ExpertsPerToken) + TableBytes + NormBytes;

    private const long NormBytes = BFloat16Bytes * HiddenSize,
        TableBytes = BFloat16Bytes * (long)Vocabulary * HiddenSize;

    /// <summary>Bytes of a layer with as many experts as are given, the router that of all.</summary>
    private long LayerBytes(int experts)
    {
        const long Query = Heads * HeadDim,
            Fused = Query + 2 * KeyValueHeads * HeadDim;
        long attention = Fused * (HiddenSize + 1) + HiddenSize * (Query + 1) + Heads;
        long router = Experts * (HiddenSize + 1L);
        return BFloat16Bytes * (2 * HiddenSize + attention + router)
            + experts
                * (ProjectionBytes(2 * IntermediateSize, HiddenSize) + ProjectionBytes(HiddenSize, IntermediateSize));
    }

    /// <summary>Bytes of the head's int8 copy in the precision fast.</summary>
    public static long PackedHeadBytes => Int8.Bytes(Vocabulary, HiddenSize);

    /// <summary>
    /// Bytes of float32 keys and values of the given tokens if every layer saw all of them: an upper bound.
    /// </summary>
    public static long KeyValueBytes(int layers, int tokens) =>
        2L * KeyValueHeads * HeadDim * sizeof(float) * layers * tokens;

    /// <summary>The configuration of the shape with the given number of layers.</summary>
    public ModelConfig Config(int layers) =>
        new()
        {
            Layout = CheckpointLayout.HuggingFace,
            NumHiddenLayers = layers,
            HiddenSize = HiddenSize,
            IntermediateSize = IntermediateSize,
            NumAttentionHeads = Heads,
            NumKeyValueHeads = KeyValueHeads,
            HeadDim = HeadDim,
            NumLocalExperts = Experts,
            ExpertsPerToken = ExpertsPerToken,
            VocabSize = Vocabulary,
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

    /// <summary>
    /// One expert's MXFP4 matrix: 16 bytes of codes and one of scale for 32 values, and a bfloat16 bias per output.
    /// </summary>
    private static long ProjectionBytes(long outputs, long inputs) => outputs * (inputs / 32 * 17 + BFloat16Bytes);
}

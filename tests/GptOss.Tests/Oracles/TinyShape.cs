namespace GptOss.Tests.Oracles;

/// <summary>How a tiny model is laid out on disk.</summary>
internal enum TinyLayout
{
    /// <summary><c>model.layers.n.*</c>, q, k and v apart, shards counted from 0 and listed by an index.</summary>
    HuggingFace,

    /// <summary><c>block.n.*</c>, q, k and v in one matrix, one file or several counted from 1.</summary>
    Original,
}

/// <summary>How a tiny model stores its experts.</summary>
internal enum TinyExperts
{
    /// <summary>Blocks of 32 four-bit values with a scale byte each.</summary>
    Mxfp4,

    /// <summary>bfloat16 that holds exactly the values of <see cref="Mxfp4"/>: the same model, stored wide.</summary>
    BFloat16OfMxfp4,

    /// <summary>bfloat16 of the unquantized values: what a fine-tune holds. Rows need not be multiples of 32.</summary>
    BFloat16,
}

/// <summary>
/// Everything a random gpt-oss folder can vary in. The weights depend on the seed and on what gives them shape, never
/// on the layout.
/// </summary>
internal sealed record TinyShape
{
    public int HiddenSize { get; init; } = 64;

    /// <summary>Unlike the hidden size, so that a forgotten transpose of the down projection shows.</summary>
    public int IntermediateSize { get; init; } = 96;

    public int NumAttentionHeads { get; init; } = 4;
    public int NumKeyValueHeads { get; init; } = 2;
    public int HeadDim { get; init; } = 32;
    public int NumHiddenLayers { get; init; } = 2;

    /// <summary>One letter a layer, 's' sliding or 'f' full; null slides the even layers. Hugging Face only.</summary>
    public string? LayerTypes { get; init; }

    public int SlidingWindow { get; init; } = 16;
    public int NumLocalExperts { get; init; } = 6;
    public int ExpertsPerToken { get; init; } = 4;
    public int VocabSize { get; init; } = 512;
    public double SwiGluLimit { get; init; } = 7;

    /// <summary>Hugging Face only: the original layout has 1e-5 by code.</summary>
    public double RmsNormEps { get; init; } = 1e-5;

    public double RopeTheta { get; init; } = 150000;
    public double RopeFactor { get; init; } = 32;

    /// <summary>The context before YaRN stretches it; the maximum position is this times the factor.</summary>
    public int OriginalContext { get; init; } = 256;

    /// <summary>
    /// Whether the ends of YaRN's ramp are rounded. Null leaves the key out, which means true. Hugging Face only.
    /// </summary>
    public bool? RopeTruncate { get; init; } = false;

    public TinyLayout Layout { get; init; } = TinyLayout.HuggingFace;
    public TinyExperts Experts { get; init; } = TinyExperts.Mxfp4;
    public int Shards { get; init; } = 1;

    /// <summary>
    /// False writes <c>model.safetensors</c> alone, without an index. Hugging Face with one shard only.
    /// </summary>
    public bool WithIndex { get; init; } = true;

    /// <summary>
    /// Writes <c>rope_parameters</c> as transformers 5 does, in place of <c>rope_scaling</c> and <c>rope_theta</c>.
    /// </summary>
    public bool RopeParameters { get; init; }

    public bool WithGenerationConfig { get; init; } = true;

    /// <summary>
    /// Ends of an answer, most important first; by default the last three ids, as small models have no Harmony ids.
    /// </summary>
    public int[] EosTokenIds => [VocabSize - 1, VocabSize - 2, VocabSize - 3];

    public int MaxPositionEmbeddings => (int)(OriginalContext * RopeFactor);

    public bool IsSliding(int layer) => LayerTypes is null ? layer % 2 == 0 : LayerTypes[layer] == 's';

    /// <summary>Refuses what the chosen layout cannot say, so that no test believes it tried what it did not.</summary>
    public void Validate()
    {
        Require(NumAttentionHeads % NumKeyValueHeads == 0, "The heads must be a multiple of the key/value heads.");
        Require(HeadDim % 2 == 0, "Rotation needs an even head size.");
        Require(ExpertsPerToken <= NumLocalExperts, "A token cannot use more experts than there are.");
        Require(LayerTypes is null || LayerTypes.Length == NumHiddenLayers, "One letter a layer.");
        Require(
            Experts == TinyExperts.BFloat16 || (HiddenSize % 32 == 0 && IntermediateSize % 32 == 0),
            "MXFP4 needs rows of a multiple of 32."
        );
        if (Layout == TinyLayout.Original)
        {
            Require(
                LayerTypes is null && RmsNormEps == 1e-5 && RopeTruncate == false && !RopeParameters && WithIndex,
                "The original layout has no layer types, eps, truncate, rope_parameters or index."
            );
        }

        Require(WithIndex || Shards == 1, "Several shards need an index.");
    }

    private static void Require(bool holds, string rule)
    {
        if (!holds)
            throw new ArgumentException(rule);
    }
}

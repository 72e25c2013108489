namespace GptOss.Model;

/// <summary>What a weight does in the model, in the order in which a token's way through the model meets it.</summary>
internal enum WeightRole
{
    Embedding,
    AttentionNorm,

    /// <summary>Query, key and value in one matrix, their outputs in this order.</summary>
    QueryKeyValue,
    Query,
    Key,
    Value,
    Sinks,
    Output,
    ExpertNorm,
    Router,

    /// <summary>Gate and up of an expert in one matrix: the even outputs are the gate's, the odd ones up's.</summary>
    GateUp,
    Gate,
    Up,
    Down,
    FinalNorm,
    Head,
}

/// <summary>Names one weight of a model: its role, and where there are several of it, which one.</summary>
/// <param name="Role">What the weight does.</param>
/// <param name="Layer">The layer, from 0; 0 too for a weight that is not of a layer.</param>
/// <param name="Expert">The expert, from 0; 0 too for a weight that is not an expert's.</param>
internal readonly record struct WeightPlace(WeightRole Role, int Layer = 0, int Expert = 0);

namespace GptOss.Model;

/// <summary>
/// All weights of a model, bound to the checkpoint. Immutable; shared by everything that runs the model.
/// </summary>
internal sealed class ModelWeights
{
    public required ModelConfig Config { get; init; }
    public required Rope Rope { get; init; }

    /// <summary>[vocab, hidden].</summary>
    public required Matrix Embedding { get; init; }
    public required LayerWeights[] Layers { get; init; }

    /// <summary>[hidden].</summary>
    public required float[] FinalNorm { get; init; }

    /// <summary>[vocab, hidden], no bias.</summary>
    public required Matrix Unembedding { get; init; }

    /// <summary>
    /// Bytes that one decoded token reads: everything but the embedding table, and of the experts those that are used.
    /// </summary>
    public long BytesPerToken
    {
        get
        {
            long bytes = Unembedding.Bytes + sizeof(float) * (long)Config.HiddenSize;
            foreach (LayerWeights layer in Layers)
            {
                AttentionWeights a = layer.Attention;
                ExpertWeights e = layer.Experts;
                bytes +=
                    a.Query.Bytes
                    + a.Key.Bytes
                    + a.Value.Bytes
                    + a.Output.Bytes
                    + sizeof(float) * (long)a.Sinks.Length
                    + e.Router.Bytes
                    + 2 * sizeof(float) * (long)Config.HiddenSize
                    + Config.ExpertsPerToken * (e.GateUp.First.Bytes + e.Down.First.Bytes);
            }
            return bytes;
        }
    }
}

internal sealed record LayerWeights(AttentionWeights Attention, ExpertWeights Experts);

internal sealed class AttentionWeights
{
    /// <summary>[hidden].</summary>
    public required float[] Norm { get; init; }

    /// <summary>[heads × headDim, hidden].</summary>
    public required Matrix Query { get; init; }

    /// <summary>[kvHeads × headDim, hidden].</summary>
    public required Matrix Key { get; init; }

    /// <summary>[kvHeads × headDim, hidden].</summary>
    public required Matrix Value { get; init; }

    /// <summary>[hidden, heads × headDim].</summary>
    public required Matrix Output { get; init; }

    /// <summary>[heads]: a learned logit in the denominator of each query head's softmax.</summary>
    public required float[] Sinks { get; init; }

    /// <summary>Keys a query sees, its own among them; int.MaxValue where it sees all.</summary>
    public required int Window { get; init; }
}

internal sealed class ExpertWeights
{
    /// <summary>[hidden].</summary>
    public required float[] Norm { get; init; }

    /// <summary>[experts, hidden].</summary>
    public required Matrix Router { get; init; }

    /// <summary>Each [2 × intermediate, hidden]; gate and linear rows alternate.</summary>
    public required ExpertMatrices GateUp { get; init; }

    /// <summary>Each [hidden, intermediate].</summary>
    public required ExpertMatrices Down { get; init; }
}

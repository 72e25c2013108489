namespace GptOss.Model;

/// <summary>
/// All weights of a model, each under the name by which the forward pass uses it. Immutable; shared by everything that
/// runs the model.
/// </summary>
internal sealed class ModelWeights
{
    public required ModelConfig Config { get; init; }
    public required Rope Rope { get; init; }

    /// <summary>One vector for each token, [vocab, hidden].</summary>
    public required Matrix Embedding { get; init; }
    public required LayerWeights[] Layers { get; init; }

    /// <summary>Weights of the norm before the head, [hidden].</summary>
    public required float[] FinalNorm { get; init; }

    /// <summary>The head, which makes logits: [vocab, hidden], without a bias.</summary>
    public required Matrix Unembedding { get; init; }

    /// <summary>
    /// Bytes of weights that one decoded token reads: all but the embedding table, and only the experts that are
    /// chosen.
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

/// <summary>The weights of one layer: first its attention, then its experts.</summary>
/// <param name="Attention">Weights of the attention, with the norm before it.</param>
/// <param name="Experts">Router and experts, with the norm before them.</param>
internal sealed record LayerWeights(AttentionWeights Attention, ExpertWeights Experts);

/// <summary>The weights of one layer's attention: the maps from a row to queries, keys and values and back.</summary>
internal sealed class AttentionWeights
{
    /// <summary>Weights of the norm before the attention, [hidden].</summary>
    public required float[] Norm { get; init; }

    /// <summary>Makes the queries of all heads, [heads × headDim, hidden].</summary>
    public required Matrix Query { get; init; }

    /// <summary>Makes the keys of all heads, [kvHeads × headDim, hidden].</summary>
    public required Matrix Key { get; init; }

    /// <summary>Makes the values of all heads, [kvHeads × headDim, hidden].</summary>
    public required Matrix Value { get; init; }

    /// <summary>Maps the results of all heads back, [hidden, heads × headDim].</summary>
    public required Matrix Output { get; init; }

    /// <summary>[heads]: a learned logit in the denominator of each query head's softmax.</summary>
    public required float[] Sinks { get; init; }

    /// <summary>Number of keys that a query sees, its own among them; int.MaxValue where it sees all.</summary>
    public required int Window { get; init; }
}

/// <summary>The weights of one layer's mixture of experts: the router that chooses experts, and the experts.</summary>
internal sealed class ExpertWeights
{
    /// <summary>Weights of the norm before router and experts, [hidden].</summary>
    public required float[] Norm { get; init; }

    /// <summary>Makes one score for each expert, [experts, hidden].</summary>
    public required Matrix Router { get; init; }

    /// <summary>One matrix per expert, [2 × intermediate, hidden]; gate outputs are even, linear outputs odd.</summary>
    public required ExpertMatrices GateUp { get; init; }

    /// <summary>One matrix per expert, [hidden, intermediate].</summary>
    public required ExpertMatrices Down { get; init; }
}

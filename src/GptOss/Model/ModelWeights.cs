using GptOss.Checkpoint;

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

    /// <summary>The tensors that the model uses, in the order of use; none where no file holds the weights.</summary>
    public IReadOnlyList<Tensor> Tensors { get; init; } = [];

    /// <summary>Asks a source for every weight of a model: here stands which shape each of them has.</summary>
    public static ModelWeights From(ModelConfig c, IWeightSource source)
    {
        int hidden = c.HiddenSize;
        return new ModelWeights
        {
            Config = c,
            Rope = new Rope(c.Rope, c.HeadDim),
            Embedding = source.Matrix(new(WeightRole.Embedding), c.VocabSize, hidden),
            Layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(layer => LayerWeights.From(c, layer, source))],
            FinalNorm = source.Vector(new(WeightRole.FinalNorm), hidden),
            Unembedding = source.Matrix(new(WeightRole.Head), c.VocabSize, hidden),
            Tensors = source.Tensors,
        };
    }

    /// <summary>
    /// The same model with every matrix changed by <paramref name="form"/>, which is asked in the order of use.
    /// </summary>
    /// <param name="form">Makes the new matrix from its place and the old one.</param>
    /// <param name="vector">Makes the new norms and sinks; null keeps them.</param>
    /// <param name="added">Tensors that the model uses from now on beside its own.</param>
    public ModelWeights Select(
        Func<WeightPlace, Matrix, Matrix> form,
        Func<WeightPlace, float[], float[]>? vector = null,
        IEnumerable<Tensor>? added = null
    )
    {
        vector ??= (_, values) => values;
        return new()
        {
            Config = Config,
            Rope = Rope,
            Embedding = form(new(WeightRole.Embedding), Embedding),
            Layers = [.. Layers.Select((layer, index) => layer.Select(index, form, vector))],
            FinalNorm = vector(new(WeightRole.FinalNorm), FinalNorm),
            Unembedding = form(new(WeightRole.Head), Unembedding),
            Tensors = [.. Tensors, .. added ?? []],
        };
    }

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
                    + Config.ExpertsPerToken * (e.GateUp.Bytes + e.Down.Bytes);
            }
            return bytes;
        }
    }
}

/// <summary>The weights of one layer: first its attention, then its experts.</summary>
/// <param name="Attention">Weights of the attention, with the norm before it.</param>
/// <param name="Experts">Router and experts, with the norm before them.</param>
internal sealed record LayerWeights(AttentionWeights Attention, ExpertWeights Experts)
{
    /// <summary>Asks a source for every weight of a layer.</summary>
    public static LayerWeights From(ModelConfig c, int layer, IWeightSource source)
    {
        int hidden = c.HiddenSize;
        WeightPlace At(WeightRole role) => new(role, layer);
        return new LayerWeights(
            new AttentionWeights
            {
                Norm = source.Vector(At(WeightRole.AttentionNorm), hidden),
                Query = source.Matrix(At(WeightRole.Query), c.QueryWidth, hidden),
                Key = source.Matrix(At(WeightRole.Key), c.KeyValueWidth, hidden),
                Value = source.Matrix(At(WeightRole.Value), c.KeyValueWidth, hidden),
                Sinks = source.Vector(At(WeightRole.Sinks), c.NumAttentionHeads),
                Output = source.Matrix(At(WeightRole.Output), hidden, c.QueryWidth),
                Window = c.IsSliding[layer] ? c.SlidingWindow : int.MaxValue,
            },
            new ExpertWeights
            {
                Norm = source.Vector(At(WeightRole.ExpertNorm), hidden),
                Router = source.Matrix(At(WeightRole.Router), c.NumLocalExperts, hidden),
                GateUp = source.Experts(At(WeightRole.GateUp), 2 * c.IntermediateSize, hidden),
                Down = source.Experts(At(WeightRole.Down), hidden, c.IntermediateSize),
            }
        );
    }

    /// <summary>The same layer with every matrix and every vector changed.</summary>
    public LayerWeights Select(
        int layer,
        Func<WeightPlace, Matrix, Matrix> form,
        Func<WeightPlace, float[], float[]> vector
    )
    {
        Matrix Form(WeightRole role, Matrix matrix) => form(new(role, layer), matrix);
        return new LayerWeights(
            new AttentionWeights
            {
                Norm = vector(new(WeightRole.AttentionNorm, layer), Attention.Norm),
                Query = Form(WeightRole.Query, Attention.Query),
                Key = Form(WeightRole.Key, Attention.Key),
                Value = Form(WeightRole.Value, Attention.Value),
                Sinks = vector(new(WeightRole.Sinks, layer), Attention.Sinks),
                Output = Form(WeightRole.Output, Attention.Output),
                Window = Attention.Window,
            },
            new ExpertWeights
            {
                Norm = vector(new(WeightRole.ExpertNorm, layer), Experts.Norm),
                Router = Form(WeightRole.Router, Experts.Router),
                GateUp = Experts.GateUp.Select(WeightRole.GateUp, layer, form),
                Down = Experts.Down.Select(WeightRole.Down, layer, form),
            }
        );
    }
}

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

    /// <summary>
    /// One matrix per expert, [2 × intermediate, hidden], whose even outputs are the gate's and whose odd ones are the
    /// linear part's; or two matrices per expert, [intermediate, hidden] each.
    /// </summary>
    public required ExpertMatrices GateUp { get; init; }

    /// <summary>One matrix per expert, [hidden, intermediate].</summary>
    public required ExpertMatrices Down { get; init; }
}

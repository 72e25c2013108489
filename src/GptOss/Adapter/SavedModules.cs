using GptOss.Checkpoint;
using GptOss.Kernels.Formats;
using GptOss.Model;

namespace GptOss.Adapter;

/// <summary>
/// Whole tensors of an adapter (modules_to_save), which replace the base's where they lie: embedding, head, norms,
/// router, attention.
/// </summary>
// Bound: a tensor takes the place of another only where Format has found the same shape.
internal sealed unsafe class SavedModules
{
    private static readonly WeightRole[] OfLayer =
    [
        WeightRole.AttentionNorm,
        WeightRole.Query,
        WeightRole.Key,
        WeightRole.Value,
        WeightRole.Sinks,
        WeightRole.Output,
        WeightRole.ExpertNorm,
        WeightRole.Router,
    ];

    private readonly Dictionary<WeightPlace, Tensor> _weights = [],
        _biases = [];

    /// <exception cref="CheckpointException">A tensor is none of the model's, or one that cannot be replaced; a module
    /// of the configuration has no tensor.</exception>
    public SavedModules(IReadOnlyDictionary<string, Tensor> whole, ModelConfig model, AdapterConfig config)
    {
        Dictionary<string, (WeightPlace Place, bool IsBias)> names = Names(model.NumHiddenLayers);
        foreach ((string name, Tensor tensor) in whole)
        {
            if (!names.TryGetValue(name, out (WeightPlace Place, bool IsBias) known))
                throw AdapterTensors.Wrong(
                    tensor,
                    "matches nothing of the model that can be replaced: embedding, head, norms, router and attention "
                        + "can, by the names of transformers."
                );
            if (!(known.IsBias ? _biases : _weights).TryAdd(known.Place, tensor))
                throw AdapterTensors.Wrong(tensor, "is for a tensor for which the file holds another one, too.");
        }
        foreach (string module in config.SavedModules)
            if (!whole.Keys.Any(name => $".{name}".Contains($".{module}.", StringComparison.Ordinal)))
                throw config.NotSaved(module);
    }

    /// <summary>The matrix, with new weights or a new bias where the adapter has them.</summary>
    public Matrix Matrix(WeightPlace place, Matrix matrix)
    {
        Numbers bias = _biases.TryGetValue(place, out Tensor numbers)
            ? new Numbers(numbers.Data, Format(numbers, matrix.Outputs))
            : matrix.Bias;
        bool isNew = _weights.TryGetValue(place, out Tensor weights);
        if (!isNew && numbers.Data is null)
            return matrix;
        return new Matrix
        {
            Format = isNew ? Format(weights, matrix.Outputs, matrix.Inputs) : matrix.Format,
            Layout = isNew ? Kernels.Formats.MatrixLayout.ByOutput : matrix.Layout,
            Outputs = matrix.Outputs,
            Inputs = matrix.Inputs,
            Data = isNew ? weights.Data : matrix.Data,
            Scales = isNew ? null : matrix.Scales,
            Bias = bias,
        };
    }

    /// <summary>The vector, with new numbers where the adapter has them.</summary>
    public float[] Vector(WeightPlace place, float[] values)
    {
        if (!_weights.TryGetValue(place, out Tensor tensor))
            return values;
        float[] replaced = new float[values.Length];
        new Numbers(tensor.Data, Format(tensor, values.Length)).Widen(0, replaced);
        return replaced;
    }

    private static Dictionary<string, (WeightPlace, bool)> Names(int layers)
    {
        var names = new Dictionary<string, (WeightPlace, bool)>(StringComparer.Ordinal);
        Add(new(WeightRole.Embedding));
        Add(new(WeightRole.FinalNorm));
        Add(new(WeightRole.Head));
        for (int layer = 0; layer < layers; layer++)
            foreach (WeightRole role in OfLayer)
                Add(new(role, layer));
        return names;

        void Add(WeightPlace place)
        {
            foreach (TensorName name in TensorNames.Of(CheckpointLayout.HuggingFace)[place.Role])
            {
                TensorName one = name.At(place.Layer);
                names.Add(one.Weight, (place, false));
                if (one.Bias is not null)
                    names.Add(one.Bias, (place, true));
            }
        }
    }

    private static WeightFormat Format(Tensor tensor, params ReadOnlySpan<long> shape) =>
        tensor.Shape.SequenceEqual(shape)
            ? TensorFormats.Of(tensor.DType)!.Value
            : throw AdapterTensors.Wrong(
                tensor,
                $"should be {Tensor.Describe(tensor.DType, shape)} for this base but is {tensor}. It is an adapter of "
                    + "another model."
            );
}

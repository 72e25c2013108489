using GptOss.Checkpoint;
using GptOss.Kernels.Formats;

namespace GptOss.Model;

/// <summary>
/// Finds each weight of the model among a checkpoint's tensors by the names of its layout, and binds it where it lies.
/// Differences of layouts become views: a part of the outputs, one matrix or two, by output or by input.
/// </summary>
/// <remarks>
/// After binding nothing checks a shape again. <see cref="TensorNames"/> has the names, <see cref="ModelWeights.From"/>
/// the shapes. The names of the tensors alone tell the form of a fine-tune's experts, never the config.
/// </remarks>
// Bound: TiedHead compares as many bytes as both tensors have; all else is TensorReader's.
internal sealed unsafe class WeightBinder : IWeightSource
{
    private readonly ICheckpoint _checkpoint;
    private readonly ModelConfig _config;
    private readonly TensorNames _names;
    private readonly TensorReader _reader;
    private Matrix _embedding;

    private WeightBinder(ICheckpoint checkpoint, ModelConfig config)
    {
        (_checkpoint, _config) = (checkpoint, config);
        _names = TensorNames.Of(config.Layout);
        _reader = new TensorReader(checkpoint);
    }

    public IReadOnlyList<Tensor> Tensors => _reader.Used;

    /// <exception cref="CheckpointException">A tensor is missing, or is not what the config makes it.</exception>
    public static ModelWeights Bind(ICheckpoint checkpoint, ModelConfig config)
    {
        var binder = new WeightBinder(checkpoint, config);
        binder.RefuseSurplusLayers();
        return ModelWeights.From(config, binder);
    }

    public float[] Vector(WeightPlace place, int length)
    {
        float[] values = new float[length];
        _reader.Numbers(NameOf(place).Weight, length).Widen(0, values);
        return values;
    }

    public Matrix Matrix(WeightPlace place, int outputs, int inputs)
    {
        TensorName name = NameOf(place);
        switch (place.Role)
        {
            case WeightRole.Embedding:
                return _embedding = _reader.Matrix(name, outputs, inputs);
            case WeightRole.Head when _config.TieWordEmbeddings:
                return TiedHead(name.Weight);
            case WeightRole.Query or WeightRole.Key or WeightRole.Value when IsFused(place.Layer):
                return Fused(place, inputs).SliceOutputs(FirstOfFused(place.Role), outputs);
            case WeightRole.Query or WeightRole.Key or WeightRole.Value or WeightRole.Output:
                return _reader.Matrix(name with { Bias = AttentionBias(name.Bias!) }, outputs, inputs);
            default:
                return _reader.Matrix(name, outputs, inputs);
        }
    }

    public ExpertMatrices Experts(WeightPlace place, int outputs, int inputs)
    {
        int layer = place.Layer;
        if (place.Role == WeightRole.GateUp && !Takes(WeightRole.GateUp, layer, over: WeightRole.Gate))
            return ExpertMatrices.Apart(Bind(WeightRole.Gate, outputs / 2), Bind(WeightRole.Up, outputs / 2));
        return Bind(place.Role, outputs);

        ExpertMatrices Bind(WeightRole role, int count) =>
            _reader.Experts(Find(role, layer), layer, _config.NumLocalExperts, count, inputs);
    }

    private bool IsFused(int layer) => Takes(WeightRole.QueryKeyValue, layer, over: WeightRole.Query);

    private Matrix Fused(WeightPlace place, int inputs) =>
        _reader.Matrix(
            NameOf(place with { Role = WeightRole.QueryKeyValue }),
            _config.QueryWidth + 2 * _config.KeyValueWidth,
            inputs
        );

    private int FirstOfFused(WeightRole role) =>
        role switch
        {
            WeightRole.Query => 0,
            WeightRole.Key => _config.QueryWidth,
            _ => _config.QueryWidth + _config.KeyValueWidth,
        };

    private TensorName NameOf(WeightPlace place) => Find(place.Role, place.Layer).At(place.Layer, place.Expert);

    // The first alternative that the files hold. Where they hold none, the first one is reported as missing.
    private TensorName Find(WeightRole role, int layer)
    {
        TensorName[] alternatives = _names[role];
        return Array.Find(alternatives, name => IsThere(name, layer))
            ?? alternatives.FirstOrDefault()
            ?? TensorName.None;
    }

    // Of two roles that exclude each other the one that the files hold. Where they hold neither, the layout says which
    // one is missing.
    private bool Takes(WeightRole role, int layer, WeightRole over) =>
        Holds(role, layer) || !Holds(over, layer) && _names.Prefers(role, over);

    private bool Holds(WeightRole role, int layer) => Array.Exists(_names[role], name => IsThere(name, layer));

    // Of experts with tensors of their own one is enough: the others are then missing.
    private bool IsThere(TensorName name, int layer) =>
        Enumerable
            .Range(0, name.IsOfOneExpert ? _config.NumLocalExperts : 1)
            .Any(expert => _checkpoint.TryGet(name.At(layer, expert).Weight, out _));

    // A config that says that the attention has no biases belongs to another model if the files hold biases.
    private string? AttentionBias(string name) =>
        _config.AttentionBias ? name
        : !_checkpoint.TryGet(name, out _) ? null
        : throw _checkpoint.WrongConfig(
            "attention_bias",
            $"true, since the files hold '{name}'",
            "false",
            "Set it to true if the biases belong to the model."
        );

    // Some tools save the matrix that embedding and head share twice. If the two copies differ, the config is wrong to
    // say that they are shared.
    private Matrix TiedHead(string name)
    {
        if (!_checkpoint.TryGet(name, out Tensor head))
            return _embedding;
        long bytes = _embedding.Format.Bytes(_embedding.Outputs, _embedding.Inputs);
        bool same = head.ByteLength == bytes;
        const int piece = 1 << 24;
        for (long at = 0; same && at < bytes; at += piece)
        {
            int count = (int)Math.Min(piece, bytes - at);
            same = new ReadOnlySpan<byte>(head.Data + at, count).SequenceEqual(
                new ReadOnlySpan<byte>(_embedding.Data + at, count)
            );
        }
        return same
            ? _embedding
            : throw _checkpoint.WrongConfig(
                "tie_word_embeddings",
                $"false, since the files hold a head of their own, '{name}', with other values than the embedding",
                "true",
                "Set it to false to use that head."
            );
    }

    // A config that asks for fewer layers than the files hold belongs to another model.
    private void RefuseSurplusLayers()
    {
        foreach (string name in _checkpoint.Names)
        {
            if (!name.StartsWith(_names.LayerPrefix, StringComparison.Ordinal))
                continue;
            ReadOnlySpan<char> rest = name.AsSpan(_names.LayerPrefix.Length);
            int dot = rest.IndexOf('.');
            if (dot <= 0 || rest[..dot].ContainsAnyExceptInRange('0', '9'))
                continue;
            // A number that no int holds is a layer too many, too.
            if (!int.TryParse(rest[..dot], out int layer) || layer >= _config.NumHiddenLayers)
                throw new CheckpointException(
                    _checkpoint.TryGet(name, out Tensor tensor) ? tensor.File : _checkpoint.Path,
                    $"belongs to layer {Printable.Name(rest[..dot].ToString())}, but {_names.LayerCount} is "
                        + $"{_config.NumHiddenLayers}.",
                    name
                );
        }
    }
}

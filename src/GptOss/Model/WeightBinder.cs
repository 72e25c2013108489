using GptOss.Checkpoint;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>Binds a checkpoint's tensors to the model: the names of the file, the shape each must have, our names.</summary>
/// <remarks>After binding nothing checks a shape again. Source of names and shapes: docs/formats.md.</remarks>
internal static unsafe class WeightBinder
{
    /// <exception cref="CheckpointException">A tensor is missing, or is not what the config makes it.</exception>
    public static ModelWeights Bind(CheckpointFolder checkpoint, ModelConfig config)
    {
        bool huggingFace = config.Layout == CheckpointLayout.HuggingFace;
        RefuseSurplusLayers(checkpoint, config, huggingFace ? "model.layers." : "block.");
        (int vocab, int hidden) = (config.VocabSize, config.HiddenSize);
        Matrix embedding = Rows(checkpoint, huggingFace ? "model.embed_tokens.weight" : "embedding.weight", null, vocab, hidden);
        return new ModelWeights
        {
            Config = config,
            Rope = new Rope(config.Rope, config.HeadDim),
            Embedding = embedding,
            Layers = [.. Enumerable.Range(0, config.NumHiddenLayers).Select(layer => huggingFace
                ? HuggingFaceLayer(checkpoint, config, layer) : OriginalLayer(checkpoint, config, layer))],
            FinalNorm = Vector(checkpoint, huggingFace ? "model.norm.weight" : "norm.scale", hidden),
            Unembedding = config.TieWordEmbeddings ? embedding
                : Rows(checkpoint, huggingFace ? "lm_head.weight" : "unembedding.weight", null, vocab, hidden),
        };
    }

    private static LayerWeights HuggingFaceLayer(CheckpointFolder file, ModelConfig c, int layer)
    {
        string attention = $"model.layers.{layer}.self_attn", mlp = $"model.layers.{layer}.mlp";
        return new LayerWeights(
            new AttentionWeights
            {
                Norm = Vector(file, $"model.layers.{layer}.input_layernorm.weight", c.HiddenSize),
                Query = Rows(file, $"{attention}.q_proj.weight", $"{attention}.q_proj.bias", c.QueryWidth, c.HiddenSize),
                Key = Rows(file, $"{attention}.k_proj.weight", $"{attention}.k_proj.bias", c.KeyValueWidth, c.HiddenSize),
                Value = Rows(file, $"{attention}.v_proj.weight", $"{attention}.v_proj.bias", c.KeyValueWidth, c.HiddenSize),
                Output = Rows(file, $"{attention}.o_proj.weight", $"{attention}.o_proj.bias", c.HiddenSize, c.QueryWidth),
                Sinks = Floats(file, $"{attention}.sinks", c.NumAttentionHeads),
                Window = c.IsSliding[layer] ? c.SlidingWindow : int.MaxValue,
            },
            new ExpertWeights
            {
                Norm = Vector(file, $"model.layers.{layer}.post_attention_layernorm.weight", c.HiddenSize),
                Router = Rows(file, $"{mlp}.router.weight", $"{mlp}.router.bias", c.NumLocalExperts, c.HiddenSize),
                GateUp = Experts(file, c, $"{mlp}.experts.gate_up_proj", "_blocks", "_scales", "_bias", 2 * c.IntermediateSize, c.HiddenSize),
                Down = Experts(file, c, $"{mlp}.experts.down_proj", "_blocks", "_scales", "_bias", c.HiddenSize, c.IntermediateSize),
            });
    }

    private static LayerWeights OriginalLayer(CheckpointFolder file, ModelConfig c, int layer)
    {
        string attention = $"block.{layer}.attn", mlp = $"block.{layer}.mlp";
        Matrix fused = Rows(file, $"{attention}.qkv.weight", $"{attention}.qkv.bias", c.QueryWidth + 2 * c.KeyValueWidth, c.HiddenSize);
        return new LayerWeights(
            new AttentionWeights
            {
                Norm = Vector(file, $"{attention}.norm.scale", c.HiddenSize),
                Query = fused.SliceRows(0, c.QueryWidth),
                Key = fused.SliceRows(c.QueryWidth, c.KeyValueWidth),
                Value = fused.SliceRows(c.QueryWidth + c.KeyValueWidth, c.KeyValueWidth),
                Output = Rows(file, $"{attention}.out.weight", $"{attention}.out.bias", c.HiddenSize, c.QueryWidth),
                Sinks = Floats(file, $"{attention}.sinks", c.NumAttentionHeads),
                Window = c.IsSliding[layer] ? c.SlidingWindow : int.MaxValue,
            },
            new ExpertWeights
            {
                Norm = Vector(file, $"{mlp}.norm.scale", c.HiddenSize),
                Router = Rows(file, $"{mlp}.gate.weight", $"{mlp}.gate.bias", c.NumLocalExperts, c.HiddenSize),
                GateUp = Experts(file, c, $"{mlp}.mlp1_weight", ".blocks", ".scales", null, 2 * c.IntermediateSize, c.HiddenSize),
                Down = Experts(file, c, $"{mlp}.mlp2_weight", ".blocks", ".scales", null, c.HiddenSize, c.IntermediateSize),
            });
    }

    private static Vector Vector(CheckpointFolder file, string name, int length) =>
        new((ushort*)file.Get(name).Expect(DType.BF16, length).Data, length);

    private static float[] Floats(CheckpointFolder file, string name, int length)
    {
        float[] values = new float[length];
        BFloat16.Widen(Vector(file, name, length).Span, values);
        return values;
    }

    private static Matrix Rows(CheckpointFolder file, string weight, string? bias, int rows, int columns) => new()
    {
        Kind = MatrixKind.BFloat16Rows,
        Rows = rows,
        Columns = columns,
        Data = file.Get(weight).Expect(DType.BF16, rows, columns).Data,
        Bias = bias is null ? null : (ushort*)file.Get(bias).Expect(DType.BF16, rows).Data,
    };

    // MXFP4 where the blocks are there; else the plain tensor, which Hugging Face stores transposed and OpenAI does not.
    private static ExpertMatrices Experts(
        CheckpointFolder file, ModelConfig c, string name, string blocks, string scales, string? bias, int rows, int columns)
    {
        int experts = c.NumLocalExperts;
        string biasName = bias is null ? name.Replace("_weight", "_bias", StringComparison.Ordinal) : name + bias;
        var biases = (ushort*)file.Get(biasName).Expect(DType.BF16, experts, rows).Data;
        if (file.TryGet(name, out Tensor plain) && !file.TryGet(name + blocks, out _))
        {
            bool transposed = c.Layout == CheckpointLayout.HuggingFace;
            return new ExpertMatrices(new Matrix
            {
                Kind = transposed ? MatrixKind.BFloat16Columns : MatrixKind.BFloat16Rows,
                Rows = rows,
                Columns = columns,
                Data = transposed ? plain.Expect(DType.BF16, experts, columns, rows).Data
                    : plain.Expect(DType.BF16, experts, rows, columns).Data,
                Bias = biases,
            }, experts);
        }

        Tensor packed = file.Get(name + blocks);
        if (columns % Mxfp4.BlockValues != 0)
            throw new CheckpointException(packed.File, $"is MXFP4, whose rows are whole blocks of 32 values, but the config gives rows of {columns}.", packed.Name);
        return new ExpertMatrices(new Matrix
        {
            Kind = MatrixKind.Mxfp4Rows,
            Rows = rows,
            Columns = columns,
            Data = packed.Expect(DType.U8, experts, rows, columns / Mxfp4.BlockValues, Mxfp4.BlockBytes).Data,
            Scales = file.Get(name + scales).Expect(DType.U8, experts, rows, columns / Mxfp4.BlockValues).Data,
            Bias = biases,
        }, experts);
    }

    // A config that asks for fewer layers than the files hold belongs to another model.
    private static void RefuseSurplusLayers(CheckpointFolder checkpoint, ModelConfig config, string prefix)
    {
        foreach (Tensor tensor in checkpoint.Tensors)
        {
            if (!tensor.Name.StartsWith(prefix, StringComparison.Ordinal)) continue;
            ReadOnlySpan<char> rest = tensor.Name.AsSpan(prefix.Length);
            int dot = rest.IndexOf('.');
            if (dot > 0 && int.TryParse(rest[..dot], out int layer) && layer >= config.NumHiddenLayers)
                throw new CheckpointException(tensor.File,
                    $"belongs to layer {layer}, but num_hidden_layers of config.json is {config.NumHiddenLayers}.", tensor.Name);
        }
    }
}

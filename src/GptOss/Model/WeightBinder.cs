using GptOss.Checkpoint;
using GptOss.Kernels.Formats;

namespace GptOss.Model;

/// <summary>
/// Finds each weight of the model among a checkpoint's tensors: the name it has in the file, the shape it must have,
/// and the name it has here.
/// </summary>
/// <remarks>After binding nothing checks a shape again. Source of names and shapes: docs/formats.md.</remarks>
internal static unsafe class WeightBinder
{
    /// <exception cref="CheckpointException">A tensor is missing, or is not what the config makes it.</exception>
    public static ModelWeights Bind(CheckpointFolder checkpoint, ModelConfig config)
    {
        bool huggingFace = config.Layout == CheckpointLayout.HuggingFace;
        RefuseSurplusLayers(checkpoint, config, huggingFace ? "model.layers." : "block.");
        (int vocab, int hidden) = (config.VocabSize, config.HiddenSize);
        Matrix embedding = Matrix(
            checkpoint,
            huggingFace ? "model.embed_tokens.weight" : "embedding.weight",
            null,
            vocab,
            hidden
        );
        return new ModelWeights
        {
            Config = config,
            Rope = new Rope(config.Rope, config.HeadDim),
            Embedding = embedding,
            Layers =
            [
                .. Enumerable
                    .Range(0, config.NumHiddenLayers)
                    .Select(layer =>
                        huggingFace
                            ? HuggingFaceLayer(checkpoint, config, layer)
                            : OriginalLayer(checkpoint, config, layer)
                    ),
            ],
            FinalNorm = Floats(checkpoint, huggingFace ? "model.norm.weight" : "norm.scale", hidden),
            Unembedding = config.TieWordEmbeddings
                ? TiedHead(checkpoint, embedding, huggingFace ? "lm_head.weight" : "unembedding.weight")
                : Matrix(checkpoint, huggingFace ? "lm_head.weight" : "unembedding.weight", null, vocab, hidden),
        };
    }

    private static LayerWeights HuggingFaceLayer(CheckpointFolder file, ModelConfig c, int layer)
    {
        string attention = $"model.layers.{layer}.self_attn",
            mlp = $"model.layers.{layer}.mlp";
        string router = file.TryGet($"{mlp}.router.linear.weight", out _) ? $"{mlp}.router.linear" : $"{mlp}.router";
        string? Bias(string projection) => AttentionBias(file, c, $"{attention}.{projection}.bias");
        return new LayerWeights(
            new AttentionWeights
            {
                Norm = Floats(file, $"model.layers.{layer}.input_layernorm.weight", c.HiddenSize),
                Query = Matrix(file, $"{attention}.q_proj.weight", Bias("q_proj"), c.QueryWidth, c.HiddenSize),
                Key = Matrix(file, $"{attention}.k_proj.weight", Bias("k_proj"), c.KeyValueWidth, c.HiddenSize),
                Value = Matrix(file, $"{attention}.v_proj.weight", Bias("v_proj"), c.KeyValueWidth, c.HiddenSize),
                Output = Matrix(file, $"{attention}.o_proj.weight", Bias("o_proj"), c.HiddenSize, c.QueryWidth),
                Sinks = Floats(file, $"{attention}.sinks", c.NumAttentionHeads),
                Window = c.IsSliding[layer] ? c.SlidingWindow : int.MaxValue,
            },
            new ExpertWeights
            {
                Norm = Floats(file, $"model.layers.{layer}.post_attention_layernorm.weight", c.HiddenSize),
                Router = Matrix(file, $"{router}.weight", $"{router}.bias", c.NumLocalExperts, c.HiddenSize),
                GateUp = ExpertBinder.HuggingFace(
                    file,
                    c,
                    $"{mlp}.experts",
                    "gate_up_proj",
                    2 * c.IntermediateSize,
                    c.HiddenSize
                ),
                Down = ExpertBinder.HuggingFace(
                    file,
                    c,
                    $"{mlp}.experts",
                    "down_proj",
                    c.HiddenSize,
                    c.IntermediateSize
                ),
            }
        );
    }

    private static LayerWeights OriginalLayer(CheckpointFolder file, ModelConfig c, int layer)
    {
        string attention = $"block.{layer}.attn",
            mlp = $"block.{layer}.mlp";
        Matrix fused = Matrix(
            file,
            $"{attention}.qkv.weight",
            $"{attention}.qkv.bias",
            c.QueryWidth + 2 * c.KeyValueWidth,
            c.HiddenSize
        );
        return new LayerWeights(
            new AttentionWeights
            {
                Norm = Floats(file, $"{attention}.norm.scale", c.HiddenSize),
                Query = fused.SliceOutputs(0, c.QueryWidth),
                Key = fused.SliceOutputs(c.QueryWidth, c.KeyValueWidth),
                Value = fused.SliceOutputs(c.QueryWidth + c.KeyValueWidth, c.KeyValueWidth),
                Output = Matrix(file, $"{attention}.out.weight", $"{attention}.out.bias", c.HiddenSize, c.QueryWidth),
                Sinks = Floats(file, $"{attention}.sinks", c.NumAttentionHeads),
                Window = c.IsSliding[layer] ? c.SlidingWindow : int.MaxValue,
            },
            new ExpertWeights
            {
                Norm = Floats(file, $"{mlp}.norm.scale", c.HiddenSize),
                Router = Matrix(file, $"{mlp}.gate.weight", $"{mlp}.gate.bias", c.NumLocalExperts, c.HiddenSize),
                GateUp = ExpertBinder.Original(file, c, $"{mlp}.mlp1", 2 * c.IntermediateSize, c.HiddenSize),
                Down = ExpertBinder.Original(file, c, $"{mlp}.mlp2", c.HiddenSize, c.IntermediateSize),
            }
        );
    }

    private static float[] Floats(CheckpointFolder file, string name, int length)
    {
        float[] values = new float[length];
        TensorReader.Numbers(file, name, length).Widen(0, values);
        return values;
    }

    private static Matrix Matrix(CheckpointFolder file, string weight, string? bias, int outputs, int inputs)
    {
        _ = file.Get(weight); // first, so that a missing projection is reported by its weight and not by its bias
        return TensorReader.Matrix(
            file,
            weight,
            outputs,
            inputs,
            bias is null ? default : TensorReader.Numbers(file, bias, outputs)
        );
    }

    // A config that says that the attention has no biases belongs to another model if the files hold biases.
    private static string? AttentionBias(CheckpointFolder file, ModelConfig c, string name) =>
        c.AttentionBias ? name
        : !file.TryGet(name, out _) ? null
        : throw file.Config.Wrong(
            "attention_bias",
            $"true, since the files hold '{name}'",
            "false",
            "Set it to true if the biases belong to the model."
        );

    // Some tools save the matrix that embedding and head share twice. If the two copies differ, the config is wrong to
    // say that they are shared.
    private static Matrix TiedHead(CheckpointFolder file, Matrix embedding, string name)
    {
        if (!file.TryGet(name, out Tensor head))
            return embedding;
        long bytes = embedding.Format.Bytes(embedding.Outputs, embedding.Inputs);
        bool same = head.ByteLength == bytes;
        const int piece = 1 << 24;
        for (long at = 0; same && at < bytes; at += piece)
        {
            int count = (int)Math.Min(piece, bytes - at);
            same = new ReadOnlySpan<byte>(head.Data + at, count).SequenceEqual(
                new ReadOnlySpan<byte>(embedding.Data + at, count)
            );
        }
        return same
            ? embedding
            : throw file.Config.Wrong(
                "tie_word_embeddings",
                $"false, since the files hold a head of their own, '{name}', with other values than the embedding",
                "true",
                "Set it to false to use that head."
            );
    }

    // A config that asks for fewer layers than the files hold belongs to another model.
    private static void RefuseSurplusLayers(CheckpointFolder checkpoint, ModelConfig config, string prefix)
    {
        foreach (string name in checkpoint.Names)
        {
            if (!name.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            ReadOnlySpan<char> rest = name.AsSpan(prefix.Length);
            int dot = rest.IndexOf('.');
            if (dot > 0 && int.TryParse(rest[..dot], out int layer) && layer >= config.NumHiddenLayers)
                throw new CheckpointException(
                    checkpoint.TryGet(name, out Tensor tensor) ? tensor.File : checkpoint.Path,
                    $"belongs to layer {layer}, but num_hidden_layers of config.json is {config.NumHiddenLayers}.",
                    name
                );
        }
    }
}

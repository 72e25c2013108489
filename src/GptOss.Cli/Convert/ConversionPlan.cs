using GptOss.Kernels.Formats;
using GptOss.Model;

namespace GptOss.Cli.Convert;

/// <summary>All tensors of a model in the layout of Hugging Face, layer by layer.</summary>
/// <remarks>
/// Numbers become bfloat16, rounded once. Experts that are MXFP4 in the files keep their codes, in any order of bytes,
/// unless another form is asked for or an adapter adds to them.
/// </remarks>
internal sealed class ConversionPlan
{
    private static readonly TensorNames Names = TensorNames.Of(CheckpointLayout.HuggingFace);

    private ConversionPlan(ExpertForm experts, bool isTied, IReadOnlyList<OutputTensor> tensors) =>
        (Experts, IsTied, Tensors) = (experts, isTied, tensors);

    /// <summary>The form of all experts.</summary>
    public ExpertForm Experts { get; }

    /// <summary>Whether the embedding is the head, too, which then has no tensor.</summary>
    public bool IsTied { get; }

    public IReadOnlyList<OutputTensor> Tensors { get; }

    /// <summary>Plans the tensors of a model.</summary>
    /// <param name="w">The weights, with the deltas of an adapter where there is one.</param>
    /// <param name="experts">The form of the experts; null keeps MXFP4, and takes bfloat16 for anything else.</param>
    /// <param name="report">Told the error of a tensor that was packed.</param>
    /// <exception cref="CheckpointException">The experts have rows that are no whole blocks.</exception>
    public static ConversionPlan Of(ModelWeights w, ExpertForm? experts, Action<string, double> report)
    {
        ModelConfig c = w.Config;
        ExpertForm form = experts ?? (AreMxfp4(w) ? ExpertForm.Mxfp4 : ExpertForm.BFloat16);
        foreach (int width in (int[])[c.HiddenSize, c.IntermediateSize])
            if (form == ExpertForm.Mxfp4 && width % Mxfp4.BlockValues != 0)
                throw new Shell.UsageException(
                    $"--experts mxfp4: MXFP4 has blocks of {Mxfp4.BlockValues} values, but rows of this model have "
                        + $"{width}. Take --experts bf16."
                );
        var tensors = new List<OutputTensor>();
        tensors.AddRange(Dense(new(WeightRole.Embedding), w.Embedding));
        for (int layer = 0; layer < w.Layers.Length; layer++)
            AddLayer(tensors, w.Layers[layer], layer, form, report);
        tensors.Add(Vector(new(WeightRole.FinalNorm), w.FinalNorm));
        bool isTied = c.TieWordEmbeddings && IsOne(w.Embedding, w.Unembedding);
        if (!isTied)
            tensors.AddRange(Dense(new(WeightRole.Head), w.Unembedding));
        return new ConversionPlan(form, isTied, tensors);
    }

    // An adapter may replace the embedding or the head, or add to the head.
    // Bound: addresses are compared and never read.
    private static unsafe bool IsOne(Matrix embedding, Matrix head) =>
        embedding.Data == head.Data && embedding.Delta is null && head.Delta is null;

    private static void AddLayer(
        List<OutputTensor> tensors,
        LayerWeights w,
        int layer,
        ExpertForm form,
        Action<string, double> report
    )
    {
        AttentionWeights attention = w.Attention;
        tensors.Add(Vector(new(WeightRole.AttentionNorm, layer), attention.Norm));
        tensors.AddRange(Dense(new(WeightRole.Query, layer), attention.Query));
        tensors.AddRange(Dense(new(WeightRole.Key, layer), attention.Key));
        tensors.AddRange(Dense(new(WeightRole.Value, layer), attention.Value));
        tensors.Add(Vector(new(WeightRole.Sinks, layer), attention.Sinks));
        tensors.AddRange(Dense(new(WeightRole.Output, layer), attention.Output));
        tensors.Add(Vector(new(WeightRole.ExpertNorm, layer), w.Experts.Norm));
        tensors.AddRange(Dense(new(WeightRole.Router, layer), w.Experts.Router));
        string experts = $"model.layers.{layer}.mlp.experts.";
        tensors.AddRange(new ExpertTensors(experts + "gate_up_proj", w.Experts.GateUp, report).In(form));
        tensors.AddRange(new ExpertTensors(experts + "down_proj", w.Experts.Down, report).In(form));
    }

    private static bool AreMxfp4(ModelWeights w) =>
        w.Layers.All(layer =>
            ExpertTensors.AreMxfp4(layer.Experts.GateUp) && ExpertTensors.AreMxfp4(layer.Experts.Down)
        );

    private static IEnumerable<OutputTensor> Dense(WeightPlace place, Matrix matrix)
    {
        TensorName name = Names[place.Role][0].At(place.Layer);
        yield return OutputTensor.BFloat16(name.Weight, [matrix.Outputs, matrix.Inputs], (stream, stop) =>
        {
            var merged = new MergedMatrix(matrix, name.Weight);
            float[] row = new float[matrix.Inputs];
            byte[] buffer = new byte[2 * row.Length];
            for (int output = 0; output < matrix.Outputs; output++)
            {
                stop.ThrowIfCancellationRequested();
                merged.Read(output, row);
                BFloat16Writer.Write(stream, row, buffer);
            }
        });
        if (matrix.Bias.IsNone)
            yield break;
        float[] bias = new float[matrix.Outputs];
        matrix.Bias.Widen(0, bias);
        yield return Numbers(name.Bias!, bias);
    }

    private static OutputTensor Vector(WeightPlace place, float[] values) =>
        Numbers(Names[place.Role][0].At(place.Layer).Weight, values);

    private static OutputTensor Numbers(string name, float[] values) =>
        OutputTensor.BFloat16(name, [values.Length], (stream, _) =>
        {
            if (BFloat16Writer.IndexOfNotFinite(values) is >= 0 and int at)
                throw MergedMatrix.NotFinite(name, $"index {at}");
            BFloat16Writer.Write(stream, values, new byte[2 * values.Length]);
        });
}

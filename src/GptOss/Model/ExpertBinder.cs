using GptOss.Checkpoint;
using GptOss.Kernels.Formats;

namespace GptOss.Model;

/// <summary>
/// Finds the tensors of a layer's experts in a checkpoint, in every form in which tools save them, and binds them as
/// one matrix per expert. The names of the tensors alone tell the form.
/// </summary>
/// <remarks>
/// MXFP4 where a tensor of blocks is there. Else one tensor for all experts, which Hugging Face stores by inputs and
/// OpenAI by outputs. Else one tensor for each expert: in a list (<c>gate_up_projs.3.weight</c>, Unsloth), or by expert
/// (<c>3.gate_proj.weight</c> and <c>3.up_proj.weight</c>, llm-compressor and bridges), where gate has the even outputs
/// and up the odd ones.
/// </remarks>
internal static unsafe class ExpertBinder
{
    /// <summary>Binds one projection of all experts of a layer, by the names of Hugging Face.</summary>
    /// <param name="file">The folder that holds the tensors.</param>
    /// <param name="c">The config of the folder.</param>
    /// <param name="experts">The layer's prefix, such as <c>model.layers.0.mlp.experts</c>.</param>
    /// <param name="projection">The projection's name, <c>gate_up_proj</c> or <c>down_proj</c>.</param>
    /// <param name="outputs">Outputs that each expert's matrix must have.</param>
    /// <param name="inputs">Inputs that each expert's matrix must have.</param>
    /// <exception cref="CheckpointException">A tensor is missing, or of another type or shape.</exception>
    public static ExpertMatrices HuggingFace(
        CheckpointFolder file,
        ModelConfig c,
        string experts,
        string projection,
        int outputs,
        int inputs
    )
    {
        string name = $"{experts}.{projection}";
        bool packed = file.TryGet(name + "_blocks", out _);
        if (!packed && file.TryGet(name, out _))
            return Fused(file, c, name, name + "_bias", outputs, inputs, byInputs: true);
        bool Any(string start, string end) =>
            !packed && Enumerable.Range(0, c.NumLocalExperts).Any(e => file.TryGet($"{start}{e}{end}", out _));
        if (Any($"{name}s.", ".weight"))
            return OneByOne(c, e => Single(file, $"{name}s.{e}", outputs, inputs));
        if (Any($"{experts}.", $".{projection}.weight"))
            return OneByOne(c, e => Single(file, $"{experts}.{e}.{projection}", outputs, inputs));
        if (projection == "gate_up_proj" && Any($"{experts}.", ".gate_proj.weight"))
            return OneByOne(c, e => Pair(file, $"{experts}.{e}.gate_proj", $"{experts}.{e}.up_proj", outputs, inputs));
        return Quantised(file, c, name, "_", name + "_bias", outputs, inputs);
    }

    /// <summary>Binds one projection of all experts of a layer, by the names of OpenAI's own files.</summary>
    /// <param name="file">The folder that holds the tensors.</param>
    /// <param name="c">The config of the folder.</param>
    /// <param name="name">The projection's name, such as <c>block.0.mlp.mlp1</c>.</param>
    /// <param name="outputs">Outputs that each expert's matrix must have.</param>
    /// <param name="inputs">Inputs that each expert's matrix must have.</param>
    /// <exception cref="CheckpointException">A tensor is missing, or of another type or shape.</exception>
    public static ExpertMatrices Original(CheckpointFolder file, ModelConfig c, string name, int outputs, int inputs) =>
        file.TryGet(name + "_weight", out _) && !file.TryGet(name + "_weight.blocks", out _)
            ? Fused(file, c, name + "_weight", name + "_bias", outputs, inputs, byInputs: false)
            : Quantised(file, c, name + "_weight", ".", name + "_bias", outputs, inputs);

    private static ExpertMatrices OneByOne(ModelConfig c, Func<int, Matrix> bind) =>
        new([.. Enumerable.Range(0, c.NumLocalExperts).Select(bind)]);

    private static Matrix Single(CheckpointFolder file, string name, int outputs, int inputs) =>
        TensorReader.Matrix(
            file,
            name + ".weight",
            outputs,
            inputs,
            TensorReader.Numbers(file, name + ".bias", outputs)
        );

    // The gate projection gives the even outputs of the matrix, the up projection the odd ones.
    private static Matrix Pair(CheckpointFolder file, string gate, string up, int outputs, int inputs)
    {
        Numbers even = TensorReader.Numbers(file, gate + ".weight", outputs / 2, inputs),
            odd = TensorReader.Numbers(file, up + ".weight", outputs / 2, inputs);
        return new Matrix
        {
            Format = even.Format,
            Layout = MatrixLayout.EvenAndOdd,
            Outputs = outputs,
            Inputs = inputs,
            Data = even.Data,
            Odd = odd.Data,
            OddFormat = odd.Format,
            Bias = TensorReader.Numbers(file, gate + ".bias", outputs / 2),
            OddBias = TensorReader.Numbers(file, up + ".bias", outputs / 2),
        };
    }

    private static ExpertMatrices Fused(
        CheckpointFolder file,
        ModelConfig c,
        string name,
        string bias,
        int outputs,
        int inputs,
        bool byInputs
    )
    {
        int experts = c.NumLocalExperts;
        Numbers weights = byInputs
            ? TensorReader.Numbers(file, name, experts, inputs, outputs)
            : TensorReader.Numbers(file, name, experts, outputs, inputs);
        return ExpertMatrices.Contiguous(
            new Matrix
            {
                Format = weights.Format,
                Layout = byInputs ? MatrixLayout.ByInput : MatrixLayout.ByOutput,
                Outputs = outputs,
                Inputs = inputs,
                Data = weights.Data,
                Bias = TensorReader.Numbers(file, bias, experts, outputs),
            },
            experts
        );
    }

    private static ExpertMatrices Quantised(
        CheckpointFolder file,
        ModelConfig c,
        string name,
        string separator,
        string bias,
        int outputs,
        int inputs
    )
    {
        int experts = c.NumLocalExperts;
        Tensor blocks = file.Get($"{name}{separator}blocks");
        if (inputs % Mxfp4.BlockValues != 0)
            throw new CheckpointException(
                blocks.File,
                $"is MXFP4, whose rows are whole blocks of 32 values, but the config gives rows of {inputs}.",
                blocks.Name
            );
        Tensor scales = file.Get($"{name}{separator}scales");
        // A scale is one byte, a power of two in E8M0. OpenAI's files call its type U8, other tools call it F8_E8M0.
        DType scaleType = scales.DType == DType.F8E8M0 ? DType.F8E8M0 : DType.U8;
        return ExpertMatrices.Contiguous(
            new Matrix
            {
                Format = WeightFormat.Mxfp4,
                Outputs = outputs,
                Inputs = inputs,
                Data = blocks.Expect(DType.U8, experts, outputs, inputs / Mxfp4.BlockValues, Mxfp4.BlockBytes).Data,
                Scales = scales.Expect(scaleType, experts, outputs, inputs / Mxfp4.BlockValues).Data,
                Bias = TensorReader.Numbers(file, bias, experts, outputs),
            },
            experts
        );
    }
}

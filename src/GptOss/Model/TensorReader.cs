using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;
using GptOss.Kernels.Formats;

namespace GptOss.Model;

/// <summary>
/// Reads tensors of a checkpoint as numbers, as a matrix or as the matrices of experts, and refuses one whose type or
/// shape is not what the config makes it. Keeps a list of what it has read.
/// </summary>
/// <param name="checkpoint">The files that hold the tensors.</param>
// Bound: a tensor's address goes into a matrix only where HasShape or Expect has found the sizes of that matrix.
internal sealed unsafe class TensorReader(ICheckpoint checkpoint)
{
    private const string NumbersWanted = "BF16, F16 or F32";

    private readonly List<Tensor> _used = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>The tensors that were read so far, each once, in the order of reading.</summary>
    public IReadOnlyList<Tensor> Used => _used;

    /// <summary>Numbers of a required shape, in one of the formats that widen to float32 without rounding.</summary>
    /// <exception cref="CheckpointException">The tensor is missing, or of another type or shape.</exception>
    public Numbers Numbers(string name, params ReadOnlySpan<long> shape)
    {
        Tensor tensor = Get(name);
        return tensor.DType.BlockValues() == 1
            ? new Numbers(tensor.Data, Format(tensor, shape))
            : throw Unexpected(tensor, NumbersWanted, shape);
    }

    /// <summary>A matrix with its bias, stored output by output, [outputs, inputs].</summary>
    /// <exception cref="CheckpointException">A tensor is missing, or of another type or shape.</exception>
    public Matrix Matrix(TensorName name, int outputs, int inputs)
    {
        // The weights come first, so that a missing projection is reported by its weights and not by its bias.
        Tensor weights = Get(name.Weight);
        return new Matrix
        {
            Format = Format(weights, outputs, inputs),
            Outputs = outputs,
            Inputs = inputs,
            Data = weights.Data,
            Bias = name.Bias is null ? default : Numbers(name.Bias, outputs),
        };
    }

    /// <summary>The same projection of all experts of a layer, in the form that the names say.</summary>
    /// <param name="name">The names, with places for the numbers of layer and expert.</param>
    /// <param name="layer">Number of the layer.</param>
    /// <param name="experts">Number of experts of the layer.</param>
    /// <param name="outputs">Outputs that each expert's matrix must have.</param>
    /// <param name="inputs">Inputs that each expert's matrix must have.</param>
    /// <exception cref="CheckpointException">A tensor is missing, or of another type or shape.</exception>
    public ExpertMatrices Experts(TensorName name, int layer, int experts, int outputs, int inputs)
    {
        if (name.IsOfOneExpert)
            return new([.. Enumerable.Range(0, experts).Select(e => Matrix(name.At(layer, e), outputs, inputs))]);
        name = name.At(layer);
        return ExpertMatrices.Contiguous(
            name.Scales is null ? Stacked(name, experts, outputs, inputs) : Mxfp4Apart(name, experts, outputs, inputs),
            experts
        );
    }

    // All experts in one tensor. The matrix is that of the first one.
    private Matrix Stacked(TensorName name, int experts, int outputs, int inputs)
    {
        Tensor weights = Get(name.Weight);
        bool byInput = name.Layout == MatrixLayout.ByInput;
        return new Matrix
        {
            Format = byInput ? Format(weights, experts, inputs, outputs) : Format(weights, experts, outputs, inputs),
            Layout = name.Layout,
            Outputs = outputs,
            Inputs = inputs,
            Data = weights.Data,
            Bias = Numbers(name.Bias!, experts, outputs),
        };
    }

    // MXFP4 as OpenAI published it: all experts' codes in one tensor, and their scales in another.
    private Matrix Mxfp4Apart(TensorName name, int experts, int outputs, int inputs)
    {
        Tensor blocks = Get(name.Weight);
        if (inputs % Mxfp4.BlockValues != 0)
            throw new CheckpointException(
                blocks.File,
                $"is MXFP4, whose rows are whole blocks of 32 values, but the config gives rows of {inputs}.",
                blocks.Name
            );
        Tensor scales = Get(name.Scales!);
        // A scale is one byte, a power of two in E8M0. OpenAI's files call its type U8, other tools call it F8_E8M0.
        DType scaleType = scales.DType == DType.F8E8M0 ? DType.F8E8M0 : DType.U8;
        return new Matrix
        {
            Format = WeightFormat.Mxfp4,
            Outputs = outputs,
            Inputs = inputs,
            Data = blocks.Expect(DType.U8, experts, outputs, inputs / Mxfp4.BlockValues, Mxfp4.BlockBytes).Data,
            Scales = scales.Expect(scaleType, experts, outputs, inputs / Mxfp4.BlockValues).Data,
            Bias = Numbers(name.Bias!, experts, outputs),
        };
    }

    private Tensor Get(string name)
    {
        Tensor tensor = checkpoint.Get(name);
        if (_names.Add(tensor.Name))
            _used.Add(tensor);
        return tensor;
    }

    private WeightFormat Format(Tensor tensor, params ReadOnlySpan<long> shape)
    {
        WeightFormat? format = TensorFormats.Of(tensor.DType);
        if (format is { } known && checkpoint.HasShape(tensor, shape))
            return known;
        // The type is right, and the shape is not.
        bool isBlocks = format is not null && tensor.DType.BlockValues() > 1;
        throw Unexpected(tensor, isBlocks ? tensor.DType.Spelling() : NumbersWanted, shape);
    }

    private CheckpointException Unexpected(Tensor tensor, string types, ReadOnlySpan<long> shape)
    {
        string wanted = Tensor.Describe(DType.BF16, shape).Replace("BF16", types, StringComparison.Ordinal);
        return new CheckpointException(
            tensor.File,
            $"should be {wanted} but is {tensor}." + (TensorFormats.Of(tensor.DType) is null ? WhyForeign(tensor) : ""),
            tensor.Name
        );
    }

    private string WhyForeign(Tensor tensor)
    {
        if (checkpoint is GgufCheckpoint)
            return " Get the model in another file.";
        string tool = checkpoint.Quantiser is { } known ? $" ({known})" : "";
        return tensor.DType == DType.F64
            ? " Save the model in one of these types."
            : $" The folder was quantised by another tool{tool}. Use one that was saved in bf16, F16 or F32, or with "
                + "OpenAI's MXFP4.";
    }
}

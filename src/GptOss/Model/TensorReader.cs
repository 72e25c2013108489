using GptOss.Checkpoint;
using GptOss.Kernels.Formats;

namespace GptOss.Model;

/// <summary>
/// Reads a tensor of the checkpoint as numbers or as a matrix, and refuses one whose type or shape is not what the
/// config makes it.
/// </summary>
internal static unsafe class TensorReader
{
    /// <summary>Numbers of a required shape, in one of the formats that widen to float32 without rounding.</summary>
    /// <exception cref="CheckpointException">The tensor is missing, or of another type or shape.</exception>
    public static Numbers Numbers(CheckpointFolder file, string name, params ReadOnlySpan<long> shape) =>
        Numbers(file, file.Get(name), shape);

    private static Numbers Numbers(CheckpointFolder file, Tensor tensor, params ReadOnlySpan<long> shape)
    {
        WeightFormat? format = tensor.DType switch
        {
            DType.BF16 => WeightFormat.BFloat16,
            DType.F16 => WeightFormat.Float16,
            DType.F32 => WeightFormat.Float32,
            _ => null,
        };
        if (format is { } known && tensor.Shape.SequenceEqual(shape))
            return new Numbers(tensor.Data, known);
        string wanted = Tensor
            .Describe(DType.BF16, shape)
            .Replace("BF16", "BF16, F16 or F32", StringComparison.Ordinal);
        throw new CheckpointException(
            tensor.File,
            $"should be {wanted} but is {tensor}." + (format is null ? WhyForeign(file, tensor) : ""),
            tensor.Name
        );
    }

    private static string WhyForeign(CheckpointFolder file, Tensor tensor)
    {
        string tool = TensorNames.Quantiser(file.Names) is { } known ? $" ({known})" : "";
        return tensor.DType == DType.F64
            ? " Save the model in one of these types."
            : $" The folder was quantised by another tool{tool}. Use one that was saved in bf16, F16 or F32, or with "
                + "OpenAI's MXFP4.";
    }

    /// <summary>A matrix whose weights are stored output by output, [outputs, inputs].</summary>
    /// <exception cref="CheckpointException">The tensor is missing, or of another type or shape.</exception>
    public static Matrix Matrix(CheckpointFolder file, string name, int outputs, int inputs, Numbers bias)
    {
        Tensor tensor = file.Get(name);
        WeightFormat format = Numbers(file, tensor, outputs, inputs).Format;
        return new Matrix
        {
            Format = format,
            Outputs = outputs,
            Inputs = inputs,
            Data = tensor.Data,
            Bias = bias,
        };
    }
}

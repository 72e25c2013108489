using GptOss.Checkpoint;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>Tensors as numbers and matrices, once their type and shape are seen to be what the config makes them.</summary>
internal static unsafe class TensorReader
{
    /// <summary>Numbers of a required shape, in one of the formats that widen to float32 without rounding.</summary>
    /// <exception cref="CheckpointException">The tensor is missing, or of another type or shape.</exception>
    public static Numbers Numbers(CheckpointFolder file, string name, params ReadOnlySpan<long> shape) =>
        Numbers(file.Get(name), shape);

    /// <inheritdoc cref="Numbers(CheckpointFolder, string, ReadOnlySpan{long})"/>
    public static Numbers Numbers(Tensor tensor, params ReadOnlySpan<long> shape)
    {
        NumberFormat? format = tensor.DType switch
        {
            DType.BF16 => NumberFormat.BFloat16,
            DType.F16 => NumberFormat.Float16,
            DType.F32 => NumberFormat.Float32,
            _ => null,
        };
        if (format is { } known && tensor.Shape.SequenceEqual(shape)) return new Numbers(tensor.Data, known);
        string wanted = Tensor.Describe(DType.BF16, shape).Replace("BF16", "BF16, F16 or F32", StringComparison.Ordinal);
        throw new CheckpointException(tensor.File, $"should be {wanted} but is {tensor}."
            + (format is null ? " Was the model quantised by another tool? Use one that was saved in bf16, F16 or F32." : ""), tensor.Name);
    }

    /// <summary>A matrix stored by outputs.</summary>
    public static Matrix Rows(Tensor tensor, int rows, int columns, Numbers bias)
    {
        NumberFormat format = Numbers(tensor, rows, columns).Format;
        return new Matrix
        {
            Kind = format == NumberFormat.BFloat16 ? MatrixKind.BFloat16Rows : MatrixKind.PlainRows,
            Rows = rows,
            Columns = columns,
            Data = tensor.Data,
            Format = format,
            Bias = bias,
        };
    }
}

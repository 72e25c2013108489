using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>How the weights of a matrix lie in memory.</summary>
internal enum MatrixKind
{
    /// <summary>bfloat16, [outputs, inputs].</summary>
    BFloat16Rows,

    /// <summary>bfloat16, [inputs, outputs]: the experts of bf16 fine-tunes.</summary>
    BFloat16Columns,

    /// <summary>MXFP4 blocks [outputs, inputs / 32, 16] and scales [outputs, inputs / 32].</summary>
    Mxfp4Rows,

    /// <summary>The same, multiplied by int8 activations.</summary>
    Mxfp4RowsByInt8,

    /// <summary>Derived int8 weights in panels of 32 outputs (<see cref="Int8"/>), multiplied by int8 activations.</summary>
    Int8Panels,
}

/// <summary>A weight matrix where the file's mapping has it, with its bias: y = W x + b.</summary>
/// <remarks>Bound and checked once (WeightBinder); valid as long as the checkpoint is open.</remarks>
internal readonly unsafe struct Matrix
{
    public required MatrixKind Kind { get; init; }

    /// <summary>Outputs.</summary>
    public required int Rows { get; init; }

    /// <summary>Inputs.</summary>
    public required int Columns { get; init; }
    public required byte* Data { get; init; }

    /// <summary>MXFP4 only.</summary>
    public byte* Scales { get; init; }

    /// <summary>[rows] bfloat16, or null for none.</summary>
    public ushort* Bias { get; init; }

    /// <summary>Whether <see cref="Data"/> are MXFP4 blocks.</summary>
    public bool IsMxfp4 => Kind is MatrixKind.Mxfp4Rows or MatrixKind.Mxfp4RowsByInt8;

    /// <summary>Bytes of weights, scales and bias: what one use of the matrix reads.</summary>
    public long Bytes => (Bias is null ? 0 : 2L * Rows) + Kind switch
    {
        MatrixKind.Mxfp4Rows or MatrixKind.Mxfp4RowsByInt8 => (long)Rows * (Columns / 32) * 17,
        MatrixKind.Int8Panels => Int8.Bytes(Rows, Columns),
        _ => 2L * Rows * Columns,
    };

    /// <summary>The same weights, multiplied in another way.</summary>
    public Matrix As(MatrixKind kind) => As(kind, Data);

    /// <summary>The same outputs from other weights.</summary>
    public Matrix As(MatrixKind kind, byte* data) =>
        new() { Kind = kind, Rows = Rows, Columns = Columns, Data = data, Scales = Scales, Bias = Bias };

    /// <summary>A part of a matrix of bfloat16 rows.</summary>
    public Matrix SliceRows(int first, int count) => new()
    {
        Kind = MatrixKind.BFloat16Rows,
        Rows = count,
        Columns = Columns,
        Data = Data + 2L * first * Columns,
        Bias = Bias is null ? null : Bias + first,
    };
}

/// <summary>One matrix per expert, contiguous in the file.</summary>
internal readonly unsafe struct ExpertMatrices(Matrix first, int count)
{
    public int Count => count;

    /// <summary>The first expert's matrix; the others have the same kind and shape.</summary>
    public Matrix First => first;

    public Matrix this[int expert] => new()
    {
        Kind = first.Kind,
        Rows = first.Rows,
        Columns = first.Columns,
        Data = first.Data + expert * (first.IsMxfp4
            ? (long)first.Rows * first.Columns / 2 : 2L * first.Rows * first.Columns),
        Scales = first.Scales is null ? null : first.Scales + expert * (long)first.Rows * (first.Columns / 32),
        Bias = first.Bias + (long)expert * first.Rows,
    };
}

/// <summary>A bfloat16 vector where the file's mapping has it.</summary>
internal readonly unsafe struct Vector(ushort* data, int length)
{
    public ReadOnlySpan<ushort> Span => new(data, length);
}

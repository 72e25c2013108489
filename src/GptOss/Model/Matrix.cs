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

    /// <summary>
    /// Numbers of any <see cref="NumberFormat"/>, [outputs, inputs], or the even and the odd outputs in a matrix each:
    /// widened row by row. Right, and not fast.
    /// </summary>
    PlainRows,

    /// <summary>The same, [inputs, outputs].</summary>
    PlainColumns,

    /// <summary>
    /// Derived int8 weights in panels of 32 outputs (<see cref="Int8"/>), multiplied by int8 activations.
    /// </summary>
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

    /// <summary>Of <see cref="Data"/>, where the kind leaves it open.</summary>
    public NumberFormat Format { get; init; }

    /// <summary>
    /// The odd outputs of <see cref="MatrixKind.PlainRows"/> where <see cref="Data"/> has the even ones alone; else
    /// none.
    /// </summary>
    public Numbers Odd { get; init; }

    /// <summary>[rows], or none.</summary>
    public Numbers Bias { get; init; }

    /// <summary>The odd outputs' where <see cref="Bias"/> has the even ones' alone; else none.</summary>
    public Numbers OddBias { get; init; }

    /// <summary>Whether <see cref="Data"/> are MXFP4 blocks.</summary>
    public bool IsMxfp4 => Kind is MatrixKind.Mxfp4Rows or MatrixKind.Mxfp4RowsByInt8;

    /// <summary>Bytes of weights, scales and bias: what one use of the matrix reads.</summary>
    public long Bytes =>
        (Bias.IsNone ? 0 : (long)Bias.Format.Bytes() * Rows)
        + Kind switch
        {
            MatrixKind.Mxfp4Rows or MatrixKind.Mxfp4RowsByInt8 => (long)Rows * (Columns / 32) * 17,
            MatrixKind.Int8Panels => Int8.Bytes(Rows, Columns),
            _ => (long)Format.Bytes() * Rows * Columns,
        };

    /// <summary>The same weights, multiplied in another way.</summary>
    public Matrix As(MatrixKind kind) => As(kind, Data);

    /// <summary>The same outputs from other weights.</summary>
    public Matrix As(MatrixKind kind, byte* data) =>
        new()
        {
            Kind = kind,
            Rows = Rows,
            Columns = Columns,
            Data = data,
            Scales = Scales,
            Bias = Bias,
        };

    /// <summary>A part of a matrix of plain or bfloat16 rows.</summary>
    public Matrix SliceRows(int first, int count) =>
        new()
        {
            Kind = Kind,
            Rows = count,
            Columns = Columns,
            Data = Data + (long)Format.Bytes() * first * Columns,
            Format = Format,
            Bias = Bias.From(first),
        };

    /// <summary>The bias of outputs <paramref name="first"/> and following, widened.</summary>
    public void WidenBias(int first, Span<float> bias)
    {
        if (OddBias.IsNone)
            Bias.Widen(first, bias);
        else
            for (int i = 0; i < bias.Length; i++)
                ((first + i) % 2 == 0 ? Bias : OddBias).Widen((first + i) / 2, bias.Slice(i, 1));
    }

    /// <summary>The weights of outputs <paramref name="first"/> and following of a plain matrix, widened.</summary>
    /// <param name="first">The first output.</param>
    /// <param name="rows">[outputs, columns].</param>
    public void WidenRows(int first, Rows rows)
    {
        var data = new Numbers(Data, Format);
        if (Kind == MatrixKind.PlainRows)
        {
            for (int r = 0; r < rows.Count; r++)
                if (Odd.IsNone)
                    data.Widen((long)(first + r) * Columns, rows[r]);
                else
                    ((first + r) % 2 == 0 ? data : Odd).Widen((long)((first + r) / 2) * Columns, rows[r]);
            return;
        }
        // A run of neighbours is read at once, so that a cache line is met once and not once for each output.
        Span<float> run = stackalloc float[rows.Count];
        for (int k = 0; k < Columns; k++)
        {
            data.Widen((long)k * Rows + first, run);
            for (int r = 0; r < run.Length; r++)
                rows[r][k] = run[r];
        }
    }
}

/// <summary>One matrix per expert.</summary>
/// <param name="experts">All have the same number of outputs and of inputs.</param>
internal sealed class ExpertMatrices(Matrix[] experts)
{
    public int Count => experts.Length;

    public Matrix First => experts[0];

    public Matrix this[int expert] => experts[expert];

    /// <summary>As many matrices as there are experts, one behind the other.</summary>
    public static unsafe ExpertMatrices Contiguous(Matrix first, int count)
    {
        long values = (long)first.Rows * first.Columns,
            bytes = first.IsMxfp4 ? values / 2 : first.Format.Bytes() * values;
        return new ExpertMatrices([
            .. Enumerable
                .Range(0, count)
                .Select(expert => new Matrix
                {
                    Kind = first.Kind,
                    Rows = first.Rows,
                    Columns = first.Columns,
                    Data = first.Data + expert * bytes,
                    Format = first.Format,
                    Scales = first.Scales is null ? null : first.Scales + expert * (values / 32),
                    Bias = first.Bias.From((long)expert * first.Rows),
                }),
        ]);
    }

    /// <summary>Each matrix in another form.</summary>
    public ExpertMatrices Select(Func<Matrix, Matrix> form) => new([.. experts.Select(form)]);
}

/// <summary>Numbers where the file's mapping has them. The default value is none.</summary>
internal readonly unsafe struct Numbers(byte* data, NumberFormat format)
{
    public byte* Data => data;

    public NumberFormat Format => format;

    public bool IsNone => data is null;

    /// <summary>The numbers from the given one on; none of none.</summary>
    public Numbers From(long first) => data is null ? default : new(data + first * format.Bytes(), format);

    /// <summary>As many numbers as there is room for, from the given one on, in float32; exact.</summary>
    public void Widen(long first, Span<float> destination) =>
        NumberFormats.Widen(
            new(data + first * format.Bytes(), destination.Length * format.Bytes()),
            format,
            destination
        );
}

using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>How the weights of a matrix lie in memory, and by what they are multiplied.</summary>
internal enum MatrixKind
{
    /// <summary>bfloat16 weights of each output side by side: [outputs, inputs].</summary>
    BFloat16ByOutput,

    /// <summary>
    /// bfloat16 weights of each input side by side, [inputs, outputs]: the experts of bf16 fine-tunes.
    /// </summary>
    BFloat16ByInput,

    /// <summary>MXFP4 blocks [outputs, inputs / 32, 16] and scales [outputs, inputs / 32].</summary>
    Mxfp4,

    /// <summary>Stored as <see cref="Mxfp4"/>, but multiplied by int8 activations instead of float32.</summary>
    Mxfp4TimesInt8,

    /// <summary>
    /// Numbers of any <see cref="NumberFormat"/>, [outputs, inputs], or the even and the odd outputs in a matrix each.
    /// They are widened to float32 one output at a time: right, and not fast.
    /// </summary>
    PlainByOutput,

    /// <summary>Numbers of any <see cref="NumberFormat"/>, [inputs, outputs].</summary>
    PlainByInput,

    /// <summary>
    /// int8 weights, packed into panels of 32 outputs (<see cref="Int8"/>), multiplied by int8 activations.
    /// </summary>
    Int8Panels,
}

/// <summary>
/// A weight matrix with its bias, y = W x + b: says where in memory the weights lie, usually in the mapping of the
/// file, and in which form. It holds no copy of them.
/// </summary>
/// <remarks>Bound and checked once (WeightBinder); valid as long as the checkpoint is open.</remarks>
internal readonly unsafe struct Matrix
{
    public required MatrixKind Kind { get; init; }

    /// <summary>Number of values in y.</summary>
    public required int Outputs { get; init; }

    /// <summary>Number of values in x.</summary>
    public required int Inputs { get; init; }

    /// <summary>The weights, in the form that <see cref="Kind"/> names.</summary>
    public required byte* Data { get; init; }

    /// <summary>The scales of MXFP4 blocks; null for the other kinds.</summary>
    public byte* Scales { get; init; }

    /// <summary>The number format of <see cref="Data"/>, for the kinds that leave it open.</summary>
    public NumberFormat Format { get; init; }

    /// <summary>
    /// The odd outputs of <see cref="MatrixKind.PlainByOutput"/> where <see cref="Data"/> has the even ones alone; else
    /// none.
    /// </summary>
    public Numbers Odd { get; init; }

    /// <summary>One number for each output, or none.</summary>
    public Numbers Bias { get; init; }

    /// <summary>
    /// The bias of the odd outputs where <see cref="Bias"/> has that of the even ones alone; else none.
    /// </summary>
    public Numbers OddBias { get; init; }

    /// <summary>Whether <see cref="Data"/> are MXFP4 blocks.</summary>
    public bool IsMxfp4 => Kind is MatrixKind.Mxfp4 or MatrixKind.Mxfp4TimesInt8;

    /// <summary>Bytes of weights, scales and bias: what one use of the matrix reads.</summary>
    public long Bytes =>
        (Bias.IsNone ? 0 : (long)Bias.Format.Bytes() * Outputs)
        + Kind switch
        {
            MatrixKind.Mxfp4 or MatrixKind.Mxfp4TimesInt8 => (long)Outputs * (Inputs / 32) * 17,
            MatrixKind.Int8Panels => Int8.Bytes(Outputs, Inputs),
            _ => (long)Format.Bytes() * Outputs * Inputs,
        };

    /// <summary>The same weights, multiplied in another way.</summary>
    public Matrix As(MatrixKind kind) => As(kind, Data);

    /// <summary>A matrix of the same sizes and bias with other weights.</summary>
    public Matrix As(MatrixKind kind, byte* data) =>
        new()
        {
            Kind = kind,
            Outputs = Outputs,
            Inputs = Inputs,
            Data = data,
            Scales = Scales,
            Bias = Bias,
        };

    /// <summary>
    /// The matrix of <paramref name="count"/> outputs from <paramref name="first"/> on: bfloat16 or plain weights by
    /// output only.
    /// </summary>
    public Matrix SliceOutputs(int first, int count) =>
        new()
        {
            Kind = Kind,
            Outputs = count,
            Inputs = Inputs,
            Data = Data + (long)Format.Bytes() * first * Inputs,
            Format = Format,
            Bias = Bias.From(first),
        };

    /// <summary>Widens the bias of outputs <paramref name="first"/> and following to float32.</summary>
    public void WidenBias(int first, Span<float> bias)
    {
        if (OddBias.IsNone)
            Bias.Widen(first, bias);
        else
            for (int i = 0; i < bias.Length; i++)
                ((first + i) % 2 == 0 ? Bias : OddBias).Widen((first + i) / 2, bias.Slice(i, 1));
    }

    /// <summary>Widens the weights of some outputs of a plain matrix to float32.</summary>
    /// <param name="first">Number of the first output.</param>
    /// <param name="weights">Takes one output each, [outputs, inputs].</param>
    public void WidenOutputs(int first, Rows weights)
    {
        var data = new Numbers(Data, Format);
        if (Kind == MatrixKind.PlainByOutput)
        {
            for (int r = 0; r < weights.Count; r++)
                if (Odd.IsNone)
                    data.Widen((long)(first + r) * Inputs, weights[r]);
                else
                    ((first + r) % 2 == 0 ? data : Odd).Widen((long)((first + r) / 2) * Inputs, weights[r]);
            return;
        }
        // The outputs of one input are neighbours in memory. Reading all of them at once meets a cache line once, and
        // not once for each output.
        Span<float> neighbours = stackalloc float[weights.Count];
        for (int k = 0; k < Inputs; k++)
        {
            data.Widen((long)k * Outputs + first, neighbours);
            for (int r = 0; r < neighbours.Length; r++)
                weights[r][k] = neighbours[r];
        }
    }
}

/// <summary>
/// The same projection of every expert of a layer, such as all down projections: one matrix per expert.
/// </summary>
/// <param name="experts">All have the same number of outputs and of inputs.</param>
internal sealed class ExpertMatrices(Matrix[] experts)
{
    public int Count => experts.Length;

    public Matrix First => experts[0];

    public Matrix this[int expert] => experts[expert];

    /// <summary>The matrices of experts that lie one behind the other in memory.</summary>
    /// <param name="first">The matrix of expert 0.</param>
    /// <param name="count">Number of experts in all.</param>
    public static unsafe ExpertMatrices Contiguous(Matrix first, int count)
    {
        long values = (long)first.Outputs * first.Inputs,
            bytes = first.IsMxfp4 ? values / 2 : first.Format.Bytes() * values;
        return new ExpertMatrices([
            .. Enumerable
                .Range(0, count)
                .Select(expert => new Matrix
                {
                    Kind = first.Kind,
                    Outputs = first.Outputs,
                    Inputs = first.Inputs,
                    Data = first.Data + expert * bytes,
                    Format = first.Format,
                    Scales = first.Scales is null ? null : first.Scales + expert * (values / 32),
                    Bias = first.Bias.From((long)expert * first.Outputs),
                }),
        ]);
    }

    /// <summary>The experts' matrices, each changed by <paramref name="form"/>.</summary>
    public ExpertMatrices Select(Func<Matrix, Matrix> form) => new([.. experts.Select(form)]);
}

/// <summary>
/// An array of numbers in the file's mapping, in one of the formats that float32 can hold without rounding. The default
/// value is none.
/// </summary>
/// <param name="data">Where the first number lies.</param>
/// <param name="format">The format of every number.</param>
internal readonly unsafe struct Numbers(byte* data, NumberFormat format)
{
    public byte* Data => data;

    public NumberFormat Format => format;

    public bool IsNone => data is null;

    /// <summary>The numbers from index <paramref name="first"/> on; none where this is none.</summary>
    public Numbers From(long first) => data is null ? default : new(data + first * format.Bytes(), format);

    /// <summary>
    /// Writes the numbers from index <paramref name="first"/> on to the destination, as many as it has room for, in
    /// float32; nothing is rounded.
    /// </summary>
    public void Widen(long first, Span<float> destination) =>
        NumberFormats.Widen(
            new(data + first * format.Bytes(), destination.Length * format.Bytes()),
            format,
            destination
        );
}

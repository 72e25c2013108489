using System.Numerics.Tensors;
using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Model;

/// <summary>
/// A weight matrix with its bias, y = W x + b: says where in memory the weights lie, usually in the mapping of the
/// file, and in which form. It holds no copy of them.
/// </summary>
/// <remarks>Bound and checked once (WeightBinder); valid as long as the checkpoint is open.</remarks>
// Bound: TensorReader has compared the tensor's shape with these sizes; whoever multiplies checks ranges within them.
internal readonly unsafe struct Matrix
{
    /// <summary>How the weights are stored and multiplied.</summary>
    public required WeightFormat Format { get; init; }

    /// <summary>The order of the weights, for formats of numbers.</summary>
    public MatrixLayout Layout { get; init; }

    /// <summary>Number of values in y.</summary>
    public required int Outputs { get; init; }

    /// <summary>Number of values in x.</summary>
    public required int Inputs { get; init; }

    /// <summary>The first byte of the weights.</summary>
    public required byte* Data { get; init; }

    /// <inheritdoc cref="StoredWeights.Scales"/>
    public byte* Scales { get; init; }

    /// <summary>One number for each output, or none.</summary>
    public Numbers Bias { get; init; }

    /// <summary>What an adapter adds to the product; null where none does.</summary>
    public Delta* Delta { get; init; }

    /// <summary>Where the weights lie: what the kernels take.</summary>
    public StoredWeights Weights =>
        new()
        {
            Outputs = Outputs,
            Inputs = Inputs,
            Data = Data,
            Scales = Scales,
        };

    /// <summary>Bytes of weights, scales, bias and delta: what one use of the matrix reads.</summary>
    public long Bytes =>
        (Bias.IsNone ? 0 : Bias.Format.Bytes(1, Outputs))
        + Format.Bytes(Outputs, Inputs)
        + (Delta is null ? 0 : Delta->Bytes(Outputs, Inputs));

    /// <summary>The same weights, multiplied in another way.</summary>
    public Matrix As(WeightFormat format) => As(format, Data);

    /// <summary>A matrix of the same sizes, bias and delta with other weights.</summary>
    public Matrix As(WeightFormat format, byte* data) =>
        new()
        {
            Format = format,
            Outputs = Outputs,
            Inputs = Inputs,
            Data = data,
            Scales = Scales,
            Bias = Bias,
            Delta = Delta,
        };

    /// <summary>The same matrix with what an adapter adds to it.</summary>
    public Matrix With(Delta* delta) =>
        new()
        {
            Format = Format,
            Layout = Layout,
            Outputs = Outputs,
            Inputs = Inputs,
            Data = Data,
            Scales = Scales,
            Bias = Bias,
            Delta = delta,
        };

    /// <summary>
    /// The matrix of <paramref name="count"/> outputs from <paramref name="first"/> on: numbers by output only.
    /// </summary>
    public Matrix SliceOutputs(int first, int count) =>
        new()
        {
            Format = Format,
            Outputs = count,
            Inputs = Inputs,
            Data = Data + Format.Bytes(first, Inputs),
            Bias = Bias.From(first),
        };

    /// <summary>Gives the weights of one output as float32, without the delta.</summary>
    public void Widen(int output, Span<float> row) => Format.Widen(Weights, output, row, Layout);

    /// <summary>Adds the bias of some outputs to every row; there is a bias.</summary>
    /// <param name="y">The results, [rows, outputs].</param>
    /// <param name="first">The first output of the range.</param>
    /// <param name="bias">Working memory, one float for each output of the range.</param>
    public void AddBias(Rows y, int first, Span<float> bias)
    {
        Bias.Widen(first, bias);
        for (int row = 0; row < y.Count; row++)
        {
            Span<float> outputs = y[row].Slice(first, bias.Length);
            TensorPrimitives.Add(outputs, bias, outputs);
        }
    }
}

/// <summary>
/// An array of numbers in the file's mapping, in one of the formats that float32 can hold without rounding. The default
/// value is none.
/// </summary>
/// <param name="data">Where the first number lies.</param>
/// <param name="format">The format of every number.</param>
// Bound: TensorReader has compared the tensor's shape with the length that is read; the number of values is that of the
// destination.
internal readonly unsafe struct Numbers(byte* data, WeightFormat format)
{
    public byte* Data => data;

    public WeightFormat Format => format;

    public bool IsNone => data is null;

    /// <summary>The numbers from index <paramref name="first"/> on; none where this is none.</summary>
    public Numbers From(long first) => data is null ? default : new(Address(first), format);

    /// <summary>
    /// Writes the numbers from index <paramref name="first"/> on to the destination, as many as it has room for, in
    /// float32; nothing is rounded.
    /// </summary>
    public void Widen(long first, Span<float> destination)
    {
        var row = new StoredWeights
        {
            Outputs = 1,
            Inputs = destination.Length,
            Data = Address(first),
        };
        format.Widen(in row, 0, destination);
    }

    private byte* Address(long first) => data + format.Bytes(1, checked((int)first));
}

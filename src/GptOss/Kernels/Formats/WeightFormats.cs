using System.Diagnostics;
using GptOss.Kernels.MatMul;

namespace GptOss.Kernels.Formats;

/// <summary>How the weights of a matrix, or the numbers of a vector, are stored and multiplied.</summary>
internal enum WeightFormat
{
    BFloat16,
    Float16,
    Float32,
    Q8_0,

    /// <summary>MXFP4, multiplied by float32 activations.</summary>
    Mxfp4,

    /// <summary>MXFP4, multiplied by activations that are quantised to 8 bits.</summary>
    Mxfp4Int8,

    /// <summary>8-bit weights packed into panels, multiplied by activations that are quantised to 8 bits.</summary>
    Int8,
}

/// <summary>The order in which a matrix of numbers is stored; matrices of other formats are stored by output.</summary>
internal enum MatrixLayout
{
    /// <summary>The weights of an output side by side: [outputs, inputs].</summary>
    ByOutput,

    /// <summary>The weights of an input side by side, [inputs, outputs]: the experts of bf16 fine-tunes.</summary>
    ByInput,
}

/// <summary>The list of formats: the one place that knows all of them.</summary>
internal static class WeightFormats
{
    /// <summary>Runs a computation for the format of a matrix.</summary>
    /// <param name="format">The format of the matrix.</param>
    /// <param name="layout">The order of the numbers; formats of other kinds have one order only.</param>
    /// <param name="kernel">The computation that is run.</param>
    public static void Run<TKernel>(WeightFormat format, MatrixLayout layout, ref TKernel kernel)
        where TKernel : struct, IMatrixKernel, allows ref struct
    {
        switch (format)
        {
            case WeightFormat.Mxfp4:
                kernel.Run<Mxfp4>();
                break;
            case WeightFormat.Mxfp4Int8:
                kernel.Run<Mxfp4Int8>();
                break;
            case WeightFormat.Int8:
                kernel.Run<Int8>();
                break;
            default:
                var ordered = new Ordered<TKernel> { Kernel = kernel, Layout = layout };
                RunNumbers(format, ref ordered);
                kernel = ordered.Kernel;
                break;
        }
    }

    private static void RunNumbers<TKernel>(WeightFormat format, ref TKernel kernel)
        where TKernel : struct, INumberKernel, allows ref struct
    {
        switch (format)
        {
            case WeightFormat.BFloat16:
                kernel.Run<BFloat16>();
                break;
            case WeightFormat.Float16:
                kernel.Run<Float16>();
                break;
            case WeightFormat.Float32:
                kernel.Run<Float32>();
                break;
            case WeightFormat.Q8_0:
                kernel.Run<Q8_0>();
                break;
            default:
                throw new UnreachableException($"No format of numbers {format}.");
        }
    }

    /// <summary>A computation that needs the format of numbers alone.</summary>
    private interface INumberKernel
    {
        void Run<TNumbers>()
            where TNumbers : struct, INumberFormat;
    }

    /// <summary>Chooses the order of a matrix of numbers, when their format is known.</summary>
    private ref struct Ordered<TKernel> : INumberKernel
        where TKernel : struct, IMatrixKernel, allows ref struct
    {
        public required TKernel Kernel;
        public required MatrixLayout Layout;

        public void Run<TNumbers>()
            where TNumbers : struct, INumberFormat
        {
            switch (Layout)
            {
                case MatrixLayout.ByOutput:
                    Kernel.Run<ByOutput<TNumbers>>();
                    break;
                case MatrixLayout.ByInput:
                    Kernel.Run<ByInput<TNumbers>>();
                    break;
                default:
                    throw new UnreachableException($"No layout {Layout}.");
            }
        }
    }

    /// <summary>Number of bytes that the weights of a matrix take, its scales included.</summary>
    public static long Bytes(this WeightFormat format, int outputs, int inputs)
    {
        var measure = new Measure { Outputs = outputs, Inputs = inputs };
        Run(format, MatrixLayout.ByOutput, ref measure);
        return measure.Bytes;
    }

    /// <summary>Gives the weights of one output of a matrix that is stored by output, as float32.</summary>
    /// <param name="format">The format of the matrix.</param>
    /// <param name="w">The whole matrix, all its outputs.</param>
    /// <param name="output">Number of the output.</param>
    /// <param name="row">Receives the weights, [inputs].</param>
    public static void Widen(this WeightFormat format, in StoredWeights w, int output, Span<float> row)
    {
        var widen = new WidenOutput(w, output, row);
        Run(format, MatrixLayout.ByOutput, ref widen);
    }

    /// <summary>Asks a format for the bytes of a matrix.</summary>
    private struct Measure : IMatrixKernel
    {
        public required int Outputs;
        public required int Inputs;
        public long Bytes;

        public void Run<TFormat>()
            where TFormat : struct, IMatrixFormat => Bytes = TFormat.Bytes(Outputs, Inputs);
    }

    /// <summary>Asks a format for the weights of one output.</summary>
    private readonly ref struct WidenOutput(StoredWeights w, int output, Span<float> row) : IMatrixKernel
    {
        private readonly StoredWeights _w = w;
        private readonly int _output = output;
        private readonly Span<float> _row = row;

        public void Run<TFormat>()
            where TFormat : struct, IMatrixFormat => TFormat.Widen(in _w, _output, _row);
    }
}

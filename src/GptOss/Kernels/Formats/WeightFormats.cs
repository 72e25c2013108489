// Over 300 lines: the list of formats is read together with what looks a format up in it.
using System.Diagnostics;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>How the weights of a matrix, or the numbers of a vector, are stored and multiplied.</summary>
internal enum WeightFormat
{
    BFloat16,
    Float16,
    Float32,
    Q8_0,

    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    IQ4_NL,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    IQ4_XS,

    /// <summary>MXFP4 with its scales apart, multiplied by float32 activations.</summary>
    Mxfp4,

    /// <summary>MXFP4 with its scales apart, multiplied by activations that are quantised to 8 bits.</summary>
    Mxfp4Int8,

    /// <summary>MXFP4 of GGUF, multiplied by float32 activations.</summary>
    Mxfp4Halves,

    /// <summary>MXFP4 of GGUF, multiplied by activations that are quantised to 8 bits.</summary>
    Mxfp4HalvesInt8,

    /// <summary>MXFP4 of Ollama's first files, multiplied by float32 activations.</summary>
    Mxfp4Pairs,

    /// <summary>MXFP4 of Ollama's first files, multiplied by activations that are quantised to 8 bits.</summary>
    Mxfp4PairsInt8,

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
            case WeightFormat.Mxfp4Halves:
                kernel.Run<Mxfp4Joined<Mxfp4Halves>>();
                break;
            case WeightFormat.Mxfp4HalvesInt8:
                kernel.Run<Mxfp4JoinedInt8<Mxfp4Halves>>();
                break;
            case WeightFormat.Mxfp4Pairs:
                kernel.Run<Mxfp4Joined<Mxfp4Pairs>>();
                break;
            case WeightFormat.Mxfp4PairsInt8:
                kernel.Run<Mxfp4JoinedInt8<Mxfp4Pairs>>();
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
            case WeightFormat.Q4_0:
                kernel.Run<Q4_0>();
                break;
            case WeightFormat.Q4_1:
                kernel.Run<Q4_1>();
                break;
            case WeightFormat.Q5_0:
                kernel.Run<Q5_0>();
                break;
            case WeightFormat.Q5_1:
                kernel.Run<Q5_1>();
                break;
            case WeightFormat.IQ4_NL:
                kernel.Run<IQ4_NL>();
                break;
            case WeightFormat.Q2_K:
                kernel.Run<Q2_K>();
                break;
            case WeightFormat.Q3_K:
                kernel.Run<Q3_K>();
                break;
            case WeightFormat.Q4_K:
                kernel.Run<Q4_K>();
                break;
            case WeightFormat.Q5_K:
                kernel.Run<Q5_K>();
                break;
            case WeightFormat.Q6_K:
                kernel.Run<Q6_K>();
                break;
            case WeightFormat.IQ4_XS:
                kernel.Run<IQ4_XS>();
                break;
            default:
                throw new UnreachableException($"No format of numbers {format}.");
        }
    }

    extension(WeightFormat format)
    {
        /// <summary>Whether values become float32 one by one, so that a matrix can be packed into 8 bits.</summary>
        public bool IsOfNumbers =>
            format
                is not (
                    WeightFormat.Mxfp4
                    or WeightFormat.Mxfp4Int8
                    or WeightFormat.Mxfp4Halves
                    or WeightFormat.Mxfp4HalvesInt8
                    or WeightFormat.Mxfp4Pairs
                    or WeightFormat.Mxfp4PairsInt8
                    or WeightFormat.Int8
                );
    }

    /// <summary>Packs up to 32 outputs of a matrix of numbers into a panel of 8-bit weights.</summary>
    /// <param name="format">The format of the weights.</param>
    /// <param name="weights">The weights of the outputs, [outputs of the panel, inputs].</param>
    /// <param name="inputs">Number of inputs of the matrix.</param>
    /// <param name="panel">Receives the panel, [<see cref="Int8.PanelBytes"/>].</param>
    public static void PackInt8(this WeightFormat format, ReadOnlySpan<byte> weights, int inputs, Span<byte> panel)
    {
        var pack = new PackPanel(weights, inputs, panel);
        RunNumbers(format, ref pack);
    }

    /// <summary>Adds a product of few inputs, <c>y[t, o] += Σₖ u[t, k] · w[k, o]</c>, to a range of outputs.</summary>
    /// <param name="format">The format of the weights, a format of numbers that stand alone.</param>
    /// <param name="weights">All weights, stored input by input: [rank, outputs].</param>
    /// <param name="u">The inputs, [tokens, rank].</param>
    /// <param name="first">First output of the range.</param>
    /// <param name="count">Number of outputs of the range.</param>
    /// <param name="y">Where the sums are added, [tokens, outputs].</param>
    // Bound: the rank × outputs of the spans that are checked first, for the bytes that DeltaMemory.Stacked has
    // allocated.
    public static unsafe void AddThin(this WeightFormat format, byte* weights, Rows u, int first, int count, Rows y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(u.Count, y.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, y.Width - count);
        var add = new AddThinProduct(new(weights, checked((int)format.Bytes(u.Width, y.Width))), u, first, count, y);
        RunNumbers(format, ref add);
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

    /// <summary>Gives the weights of one output of a matrix, as float32.</summary>
    /// <param name="format">The format of the matrix.</param>
    /// <param name="w">The whole matrix, all its outputs.</param>
    /// <param name="output">Number of the output.</param>
    /// <param name="row">Receives the weights, [inputs].</param>
    /// <param name="layout">The order of the numbers; formats of other kinds have one order only.</param>
    public static void Widen(
        this WeightFormat format,
        in StoredWeights w,
        int output,
        Span<float> row,
        MatrixLayout layout = MatrixLayout.ByOutput
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegative(output);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(output, w.Outputs);
        ArgumentOutOfRangeException.ThrowIfNotEqual(row.Length, w.Inputs);
        var widen = new WidenOutput(w, output, row);
        Run(format, layout, ref widen);
    }

    /// <summary>Packs a panel when the format of its weights is known.</summary>
    private readonly ref struct PackPanel(ReadOnlySpan<byte> weights, int inputs, Span<byte> panel) : INumberKernel
    {
        private readonly ReadOnlySpan<byte> _weights = weights;
        private readonly int _inputs = inputs;
        private readonly Span<byte> _panel = panel;

        public void Run<TNumbers>()
            where TNumbers : struct, INumberFormat => Int8.Pack<TNumbers>(_weights, _inputs, _panel);
    }

    /// <summary>Adds a thin product when the format of its weights is known.</summary>
    private readonly ref struct AddThinProduct(ReadOnlySpan<byte> weights, Rows u, int first, int count, Rows y)
        : INumberKernel
    {
        private readonly ReadOnlySpan<byte> _weights = weights;
        private readonly Rows _u = u;
        private readonly int _first = first;
        private readonly int _count = count;
        private readonly Rows _y = y;

        public void Run<TNumbers>()
            where TNumbers : struct, INumberFormat =>
            Lanes.Run(new ThinProduct<TNumbers>(_weights, _u, _first, _count, _y));
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

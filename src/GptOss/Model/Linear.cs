using GptOss.Kernels;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;

namespace GptOss.Model;

/// <summary>
/// Multiplies activations with a weight matrix of any format, y = x Wᵀ + b: brings the activations into the form that
/// the format reads, splits the outputs over the team, and adds the bias and the delta of an adapter.
/// </summary>
// Bound: rows come from the Workspace in the sizes that Transformer asks for, matrices have the sizes that
// ModelWeights.From checks, and MultiplyPart makes spans of them; the kernels check these spans.
internal static unsafe partial class Linear
{
    /// <summary>
    /// Most rows that meet one strip of weights after the other and stay in the cache meanwhile: quantised, they take
    /// 0.8 MB.
    /// </summary>
    private const int RowsPerPart = 256;

    /// <summary>Multiply-adds below which a second worker costs more than it brings: about 10 µs of work.</summary>
    private const long WorkPerWorker = 1 << 18;

    /// <summary>
    /// Rows of activations that one worker permutes or quantises: with fewer rows a second worker is not worth waking.
    /// </summary>
    private const int RowsPerWorker = 8;

    /// <summary>
    /// Multiply-adds, and weights, of the longest range that a worker takes before it looks at the stop flag: some five
    /// milliseconds of computing, or of reading 64 MB.
    /// </summary>
    private const long WorkPerLook = 1 << 28,
        WeightsPerLook = 1 << 25;

    // As many parts as the experts of the models that exist take: a configuration may name thousands, and a stack may
    // have less than a megabyte.
    private const int FewParts = 256;

    /// <param name="x">The activations, [rows, inputs].</param>
    /// <param name="w">The matrix, [outputs, inputs], with its bias.</param>
    /// <param name="y">The results, [rows, outputs]; must not overlap x.</param>
    /// <param name="ws">Scratch memory, the team and the stop flag.</param>
    /// <returns>The same rows as <paramref name="y"/>.</returns>
    public static Rows Apply(Rows x, Matrix w, Rows y, Workspace ws)
    {
        int count = (x.Count + RowsPerPart - 1) / RowsPerPart;
        Span<Part> parts = count <= FewParts ? stackalloc Part[count] : new Part[count];
        for (int i = 0, first = 0; i < count; first += parts[i++].Count)
            parts[i] = new Part(w, first, (x.Count - first) / (count - i), first);
        return x.Count == 0 ? y : Apply(x, parts, y, ws);
    }

    /// <summary>
    /// Multiplies the rows of each expert with that expert's matrix, all of them as one job of the team.
    /// </summary>
    /// <param name="x">The rows of the group's experts, one expert after the other, [rows, inputs].</param>
    /// <param name="experts">Says which rows are which expert's.</param>
    /// <param name="w">The matrices of all experts.</param>
    /// <param name="y">The results, [rows, outputs]; must not overlap x.</param>
    /// <param name="ws">Scratch memory, the team and the stop flag.</param>
    /// <returns>
    /// The same rows as <paramref name="y"/>. Where gate and up lie apart, [2 × rows, outputs / 2]: first the rows of
    /// the gates, then those of up.
    /// </returns>
    public static Rows Apply(Rows x, ExpertGroup experts, ExpertMatrices w, Rows y, Workspace ws)
    {
        int most = 2 * experts.MostExperts;
        Span<Part> parts = most <= FewParts ? stackalloc Part[most] : new Part[most];
        int count = 0,
            row = 0;
        foreach (Expert expert in experts)
        {
            parts[count++] = new Part(w[expert.Index], row, expert.Count, row);
            row += expert.Count;
        }
        if (w.Up is { } up)
        {
            y = new Rows(y.Values, y.Width / 2);
            int gates = count;
            foreach (Expert expert in experts)
            {
                Part gate = parts[count - gates];
                parts[count++] = gate with { Matrix = up[expert.Index], ResultRow = row + gate.FirstRow };
            }
        }
        // One job as a rule. A file may hold an expert in another form than its neighbours.
        for (int first = 0, end; first < count; first = end)
        {
            for (end = first + 1; end < count && parts[end].GoesOn(parts[first]); end++) { }
            Apply(x, parts[first..end], y, ws);
        }
        return y;
    }

    // The parts have one form and differ in their weights: the format is chosen once for all of them.
    private static Rows Apply(Rows x, scoped ReadOnlySpan<Part> parts, Rows y, Workspace ws)
    {
        var product = new Product(x, parts, y, ws);
        Matrix w = parts[0].Matrix;
        WeightFormats.Run(w.Format, w.Layout, ref product);
        if (HasDelta(parts))
            AddDeltas(x, parts, y, ws);
        return y;
    }

    /// <summary>The multiplication of some parts in one format, split over the team.</summary>
    private readonly ref struct Product(Rows x, ReadOnlySpan<Part> parts, Rows y, Workspace ws) : IMatrixKernel
    {
        private readonly Rows _x = x;
        private readonly ReadOnlySpan<Part> _parts = parts;
        private readonly Rows _y = y;
        private readonly Workspace _ws = ws;

        // The items of the job are units of outputs, one part's after the other's, so that a worker's range is a
        // stretch of one part's weights, or of two neighbours'.
        public void Run<TFormat>()
            where TFormat : struct, IMatrixFormat
        {
            Matrix w = _parts[0].Matrix;
            int mostRows = 0,
                rows = 0,
                endRow = 0;
            foreach (Part part in _parts)
            {
                (mostRows, rows) = (Math.Max(mostRows, part.Count), rows + part.Count);
                endRow = Math.Max(endRow, part.FirstRow + part.Count);
            }
            fixed (Part* first = _parts)
            {
                var call = new MultiplyCall
                {
                    Parts = first,
                    X = _x.Pointer,
                    XWidth = _x.Width,
                    Permuted = _x.Pointer,
                    PermutedWidth = _x.Width,
                    Y = _y.Pointer,
                    KernelScratch = TFormat.ScratchFloats(w.Inputs, mostRows),
                    UnitsPerPart = (w.Outputs + TFormat.UnitOutputs - 1) / TFormat.UnitOutputs,
                };
                // A worker's scratch: what the kernel wants, then the bias in float32, rounded up to whole cache lines
                // of 16 floats, because the next worker's scratch begins there.
                call.ScratchWidth = call.KernelScratch + (w.Bias.IsNone ? 0 : w.Outputs) + 15 & ~15;
                call.Scratch = _ws.Scratch(call.ScratchWidth).Pointer;
                if (TFormat.PermutedWidth(w.Inputs) is > 0 and int width)
                {
                    call.Permuted = _ws.Permuted(_x.Count, width).Pointer;
                    call.PermutedWidth = width;
                    // Parts may have the same rows, which are permuted once.
                    _ws.Team.ForItems(endRow - first->FirstRow, RowsPerWorker, &Permute<TFormat>, &call);
                }
                long weights = (long)TFormat.UnitOutputs * w.Inputs;
                _ws.Team.ForItems(
                    _parts.Length * call.UnitsPerPart,
                    (int)Math.Max(1, WorkPerWorker * _parts.Length / (weights * rows)),
                    (int)Math.Max(1, Math.Min(WeightsPerLook / weights, WorkPerLook / (weights * mostRows))),
                    &Multiply<TFormat>,
                    &call,
                    _ws.Stop
                );
            }
        }
    }

    private static void Permute<TFormat>(void* state, int worker, int first, int end)
        where TFormat : struct, IMatrixFormat
    {
        ref MultiplyCall call = ref *(MultiplyCall*)state;
        Part* part = call.Parts;
        for (int row = part->FirstRow + first, last = part->FirstRow + end; row < last; row++)
        {
            while (row >= part->FirstRow + part->Count)
                part++;
            var x = new ReadOnlySpan<float>(call.X + (long)row * call.XWidth, call.XWidth);
            var permuted = new Span<float>(call.Permuted + (long)row * call.PermutedWidth, call.PermutedWidth);
            TFormat.Permute(x, permuted, part->Count);
        }
    }

    // A range of units may begin in one part and end in another.
    private static void Multiply<TFormat>(void* state, int worker, int first, int end)
        where TFormat : struct, IMatrixFormat
    {
        ref MultiplyCall call = ref *(MultiplyCall*)state;
        while (first < end)
        {
            int part = first / call.UnitsPerPart,
                next = Math.Min(end, (part + 1) * call.UnitsPerPart),
                partStart = part * call.UnitsPerPart;
            MultiplyPart<TFormat>(in call, call.Parts[part], worker, first - partStart, next - partStart);
            first = next;
        }
    }

    private static void MultiplyPart<TFormat>(
        in MultiplyCall call,
        in Part part,
        int worker,
        int firstUnit,
        int endUnit
    )
        where TFormat : struct, IMatrixFormat
    {
        Matrix w = part.Matrix;
        int first = firstUnit * TFormat.UnitOutputs,
            count = Math.Min(endUnit * TFormat.UnitOutputs, w.Outputs) - first,
            width = call.PermutedWidth;
        var x = new Rows(new Span<float>(call.Permuted + (long)part.FirstRow * width, part.Count * width), width);
        var y = new Rows(new Span<float>(call.Y + (long)part.ResultRow * w.Outputs, part.Count * w.Outputs), w.Outputs);
        var scratch = new Span<float>(call.Scratch + (long)worker * call.ScratchWidth, call.ScratchWidth);
        TFormat.Multiply(w.Weights, first, count, x, y, scratch[..call.KernelScratch]);
        if (!w.Bias.IsNone)
            w.AddBias(y, first, scratch.Slice(call.KernelScratch, count));
    }

    /// <summary>Some rows of the activations, and the matrix that they are multiplied with.</summary>
    /// <param name="Matrix">The weights and the bias.</param>
    /// <param name="FirstRow">Index of the first row.</param>
    /// <param name="Count">Number of rows, at least one.</param>
    /// <param name="ResultRow">Index of the first row of the results, whose width is the matrix's outputs.</param>
    private readonly record struct Part(Matrix Matrix, int FirstRow, int Count, int ResultRow)
    {
        /// <summary>
        /// Whether this can be in a job that begins with the other part: the matrices have the same format and layout,
        /// both or neither have a bias, and no row lies before the first one of the job.
        /// </summary>
        public bool GoesOn(Part other) =>
            FirstRow >= other.FirstRow
            && (Matrix.Format, Matrix.Layout, Matrix.Bias.IsNone)
                == (other.Matrix.Format, other.Matrix.Layout, other.Matrix.Bias.IsNone);
    }

    /// <summary>What the workers of one multiplication share.</summary>
    private struct MultiplyCall
    {
        public Part* Parts;
        public float* X;
        public int XWidth;
        public float* Permuted;
        public int PermutedWidth;
        public float* Y;
        public float* Scratch;
        public int KernelScratch;
        public int ScratchWidth;
        public int UnitsPerPart;
    }
}

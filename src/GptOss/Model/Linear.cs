using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// Multiplies activations with a weight matrix of any kind, y = x Wᵀ + b: chooses the kernel for the kind, brings the
/// activations into the form that the kernel takes, and splits the outputs over the team.
/// </summary>
internal static unsafe class Linear
{
    /// <summary>
    /// Outputs are handed to workers in units, so that a worker's range holds whole tiles of a kernel. 12 outputs are
    /// whole tiles of every kernel whose weights lie by output; where they lie by input, 64 outputs fill registers.
    /// </summary>
    private const int UnitByOutput = 12,
        UnitByInput = 64,
        UnitPlain = 16;

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

    /// <param name="x">The activations, [rows, inputs].</param>
    /// <param name="w">The matrix, [outputs, inputs], with its bias.</param>
    /// <param name="y">The results, [rows, outputs]; must not overlap x.</param>
    /// <param name="ws">Scratch memory, the team and the stop flag.</param>
    /// <returns>The same rows as <paramref name="y"/>.</returns>
    public static Rows Apply(Rows x, Matrix w, Rows y, Workspace ws)
    {
        var part = new Part(w, 0, x.Count);
        return x.Count == 0 ? y : Apply(x, new ReadOnlySpan<Part>(in part), y, ws);
    }

    /// <summary>
    /// Multiplies the rows of each expert with that expert's matrix, all of them as one job of the team.
    /// </summary>
    /// <param name="x">The rows of the group's experts, one expert after the other, [rows, inputs].</param>
    /// <param name="experts">Says which rows are which expert's.</param>
    /// <param name="w">The matrices of all experts.</param>
    /// <param name="y">The results, [rows, outputs]; must not overlap x.</param>
    /// <param name="ws">Scratch memory, the team and the stop flag.</param>
    /// <returns>The same rows as <paramref name="y"/>.</returns>
    public static Rows Apply(Rows x, ExpertGroup experts, ExpertMatrices w, Rows y, Workspace ws)
    {
        Span<Part> parts = stackalloc Part[experts.MostExperts];
        int count = 0,
            row = 0;
        foreach (Expert expert in experts)
        {
            parts[count++] = new Part(w[expert.Index], row, expert.Count);
            row += expert.Count;
        }
        // One job as a rule. A fine-tune may hold an expert in another form than its neighbours.
        for (int first = 0, end; first < count; first = end)
        {
            for (end = first + 1; end < count && parts[end].HasFormOf(parts[first]); end++) { }
            Apply(x, parts[first..end], y, ws);
        }
        return y;
    }

    // The parts have one form and differ in their weights. The items of the job are units of outputs, one
    // part's after the other's, so that a worker's range is a stretch of one part's weights, or of two neighbours'.
    private static Rows Apply(Rows x, scoped ReadOnlySpan<Part> parts, Rows y, Workspace ws)
    {
        Matrix w = parts[0].Matrix;
        int mostRows = 0,
            rows = 0;
        foreach (Part part in parts)
            (mostRows, rows) = (Math.Max(mostRows, part.Count), rows + part.Count);
        int unit = w.Kind switch
        {
            MatrixKind.Int8Panels or MatrixKind.Mxfp4TimesInt8 => Int8Panel.Rows,
            MatrixKind.BFloat16ByInput => UnitByInput,
            MatrixKind.PlainByOutput or MatrixKind.PlainByInput => UnitPlain,
            _ => UnitByOutput,
        };
        fixed (Part* first = parts)
        {
            var call = new MultiplyCall
            {
                Parts = first,
                X = Pointer(x),
                XWidth = x.Width,
                Y = Pointer(y),
                KernelScratch = ScratchValues(w, mostRows),
                UnitOutputs = unit,
                UnitsPerPart = (w.Outputs + unit - 1) / unit,
            };
            // A worker's scratch: what the kernel wants, then the bias in float32, rounded up to whole cache lines of
            // 16 floats, because the next worker's scratch begins there.
            call.ScratchWidth = call.KernelScratch + (w.Bias.IsNone ? 0 : (w.Outputs + 15) & ~15);
            call.Scratch = Pointer(ws.Scratch(call.ScratchWidth));
            if (PermutedWidth(w) is > 0 and int width)
            {
                call.Permuted = Pointer(ws.Permuted(x.Count, width));
                call.PermutedWidth = width;
                ws.Team.ForItems(rows, RowsPerWorker, &Permute, &call);
            }
            long weights = (long)unit * w.Inputs;
            ws.Team.ForItems(
                parts.Length * call.UnitsPerPart,
                (int)Math.Max(1, WorkPerWorker * parts.Length / (weights * rows)),
                (int)Math.Max(1, Math.Min(WeightsPerLook / weights, WorkPerLook / (weights * mostRows))),
                &Multiply,
                &call,
                ws.Stop
            );
        }
        return y;
    }

    /// <summary>
    /// Floats of an activation row, permuted or quantised for the matrix; 0 where the kernel takes the row as it is.
    /// </summary>
    private static int PermutedWidth(Matrix w) =>
        w.Kind switch
        {
            MatrixKind.Mxfp4 => Mxfp4.PermutedWidth(w.Inputs),
            MatrixKind.Mxfp4TimesInt8 or MatrixKind.Int8Panels => Int8Row.Width(w.Inputs),
            _ => 0,
        };

    private static int ScratchValues(Matrix w, int tokens) =>
        w.Kind switch
        {
            MatrixKind.Mxfp4 => Mxfp4.ScratchValues(w.Inputs),
            MatrixKind.Mxfp4TimesInt8 => Mxfp4Int8.ScratchValues(w.Inputs, tokens),
            MatrixKind.Int8Panels => tokens * Int8Panel.Rows,
            MatrixKind.PlainByOutput or MatrixKind.PlainByInput => UnitPlain * w.Inputs,
            _ => Lanes.Count,
        };

    // Permutes the rows for MXFP4, and quantises them for the kinds that are multiplied by int8.
    private static void Permute(void* state, int worker, int first, int end)
    {
        ref MultiplyCall call = ref *(MultiplyCall*)state;
        Part* part = call.Parts;
        for (int row = part->FirstRow + first, last = part->FirstRow + end; row < last; row++)
        {
            while (row >= part->FirstRow + part->Count)
                part++;
            var x = new ReadOnlySpan<float>(call.X + (long)row * call.XWidth, call.XWidth);
            var permuted = new Span<float>(call.Permuted + (long)row * call.PermutedWidth, call.PermutedWidth);
            switch (part->Matrix.Kind)
            {
                case MatrixKind.Mxfp4:
                    Mxfp4.Permute(x, permuted);
                    break;
                case MatrixKind.Mxfp4TimesInt8:
                    Mxfp4Int8.Quantize(x, permuted, part->Count);
                    break;
                default:
                    Int8.Quantize(x, permuted);
                    break;
            }
        }
    }

    // A range of units may begin in one part and end in another.
    private static void Multiply(void* state, int worker, int first, int end)
    {
        ref MultiplyCall call = ref *(MultiplyCall*)state;
        while (first < end)
        {
            int part = first / call.UnitsPerPart,
                next = Math.Min(end, (part + 1) * call.UnitsPerPart),
                partStart = part * call.UnitsPerPart;
            MultiplyPart(in call, call.Parts[part], worker, first - partStart, next - partStart);
            first = next;
        }
    }

    private static void MultiplyPart(in MultiplyCall call, in Part part, int worker, int firstUnit, int endUnit)
    {
        Matrix w = part.Matrix;
        int first = firstUnit * call.UnitOutputs,
            count = Math.Min(endUnit * call.UnitOutputs, w.Outputs) - first;
        float* from = call.PermutedWidth > 0 ? call.Permuted : call.X;
        int width = call.PermutedWidth > 0 ? call.PermutedWidth : call.XWidth;
        var x = new Rows(new Span<float>(from + (long)part.FirstRow * width, part.Count * width), width);
        var y = new Rows(new Span<float>(call.Y + (long)part.FirstRow * w.Outputs, part.Count * w.Outputs), w.Outputs);
        var scratch = new Span<float>(call.Scratch + (long)worker * call.ScratchWidth, call.ScratchWidth);
        Span<float> bias = w.Bias.IsNone ? default : scratch.Slice(call.KernelScratch, count);
        if (!w.Bias.IsNone)
            w.WidenBias(first, bias);
        scratch = scratch[..call.KernelScratch];
        switch (w.Kind)
        {
            case MatrixKind.BFloat16ByOutput:
                BFloat16.Multiply(new((ushort*)w.Data + (long)first * w.Inputs, count * w.Inputs), bias, x, y, first);
                break;
            case MatrixKind.BFloat16ByInput:
                BFloat16ByInput.Multiply(new(w.Data, w.Outputs * w.Inputs), bias, x, y, first);
                break;
            case MatrixKind.Mxfp4:
                Mxfp4.Multiply(Blocks(w, first, count), Scales(w, first, count), bias, x, y, first, scratch);
                break;
            case MatrixKind.Mxfp4TimesInt8:
                Mxfp4Int8.Multiply(Blocks(w, first, count), Scales(w, first, count), bias, x, y, first, scratch);
                break;
            case MatrixKind.PlainByOutput or MatrixKind.PlainByInput:
                MultiplyPlain(w, bias, x, y, first, count, scratch);
                break;
            default:
                long panel = Int8.PanelBytes(w.Inputs);
                Int8.Multiply(
                    new(w.Data + firstUnit * panel, (int)((endUnit - firstUnit) * panel)),
                    w.Inputs,
                    bias,
                    x,
                    y,
                    first,
                    new Rows(scratch, Int8Panel.Rows)
                );
                break;
        }
    }

    private static void MultiplyPlain(
        Matrix w,
        ReadOnlySpan<float> bias,
        Rows x,
        Rows y,
        int first,
        int count,
        Span<float> scratch
    )
    {
        for (int from = 0; from < count; from += UnitPlain)
        {
            int outputs = Math.Min(UnitPlain, count - from);
            var weights = new Rows(scratch[..(outputs * w.Inputs)], w.Inputs);
            w.WidenOutputs(first + from, weights);
            for (int r = 0; r < outputs; r++)
                PlainRow.Multiply(weights[r], bias.IsEmpty ? default : bias.Slice(from + r, 1), x, y, first + from + r);
        }
    }

    private static ReadOnlySpan<byte> Blocks(Matrix w, int first, int count)
    {
        int outputBytes = w.Inputs / Mxfp4.BlockValues * Mxfp4.BlockBytes;
        return new(w.Data + (long)first * outputBytes, count * outputBytes);
    }

    private static ReadOnlySpan<byte> Scales(Matrix w, int first, int count)
    {
        int blocks = w.Inputs / Mxfp4.BlockValues;
        return new(w.Scales + (long)first * blocks, count * blocks);
    }

    /// <summary>
    /// The address of the first float, which other threads may use: the workspace's memory does not move.
    /// </summary>
    internal static float* Pointer(Rows rows) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(rows.Values));

    /// <summary>Some rows of the activations, and the matrix that they are multiplied with.</summary>
    /// <param name="Matrix">The weights and the bias.</param>
    /// <param name="FirstRow">Index of the first row.</param>
    /// <param name="Count">Number of rows, at least one.</param>
    private readonly record struct Part(Matrix Matrix, int FirstRow, int Count)
    {
        /// <summary>Whether both matrices are of one kind, and both or neither have a bias.</summary>
        public bool HasFormOf(Part other) =>
            Matrix.Kind == other.Matrix.Kind && Matrix.Bias.IsNone == other.Matrix.Bias.IsNone;
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
        public int UnitOutputs;
        public int UnitsPerPart;
    }
}

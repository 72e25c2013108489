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

    /// <param name="x">The activations, [rows, inputs].</param>
    /// <param name="w">The matrix, [outputs, inputs], with its bias.</param>
    /// <param name="y">The results, [rows, outputs]; must not overlap x.</param>
    /// <param name="ws">Scratch memory and the team.</param>
    /// <returns>The same rows as <paramref name="y"/>.</returns>
    public static Rows Apply(Rows x, Matrix w, Rows y, Workspace ws)
    {
        if (x.Count == 0)
            return y;
        var call = new MultiplyCall
        {
            Matrix = w,
            Tokens = x.Count,
            X = Pointer(x),
            XWidth = x.Width,
            Y = Pointer(y),
            KernelScratch = ScratchValues(w, x.Count),
            UnitOutputs = w.Kind switch
            {
                MatrixKind.Int8Panels or MatrixKind.Mxfp4TimesInt8 => Int8Panel.Rows,
                MatrixKind.BFloat16ByInput => UnitByInput,
                MatrixKind.PlainByOutput or MatrixKind.PlainByInput => UnitPlain,
                _ => UnitByOutput,
            },
        };
        // A worker's scratch: what the kernel wants, then the bias in float32, rounded up to whole cache lines of 16
        // floats, because the next worker's scratch begins there.
        call.ScratchWidth = call.KernelScratch + (w.Bias.IsNone ? 0 : (w.Outputs + 15) & ~15);
        call.Scratch = Pointer(ws.Scratch(call.ScratchWidth));
        if (PermutedWidth(w) is > 0 and int width)
        {
            call.Permuted = Pointer(ws.Permuted(x.Count, width));
            call.PermutedWidth = width;
            ws.Team.ForItems(x.Count, RowsPerWorker, &Permute, &call);
        }
        int units = (w.Outputs + call.UnitOutputs - 1) / call.UnitOutputs;
        long work = (long)call.UnitOutputs * w.Inputs * x.Count;
        ws.Team.ForItems(units, (int)Math.Max(1, WorkPerWorker / work), &Multiply, &call);
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
        for (int row = first; row < end; row++)
        {
            var x = new ReadOnlySpan<float>(call.X + (long)row * call.XWidth, call.XWidth);
            var permuted = new Span<float>(call.Permuted + (long)row * call.PermutedWidth, call.PermutedWidth);
            switch (call.Matrix.Kind)
            {
                case MatrixKind.Mxfp4:
                    Mxfp4.Permute(x, permuted);
                    break;
                case MatrixKind.Mxfp4TimesInt8:
                    Mxfp4Int8.Quantize(x, permuted, call.Tokens);
                    break;
                default:
                    Int8.Quantize(x, permuted);
                    break;
            }
        }
    }

    private static void Multiply(void* state, int worker, int firstUnit, int endUnit)
    {
        ref MultiplyCall call = ref *(MultiplyCall*)state;
        Matrix w = call.Matrix;
        int first = firstUnit * call.UnitOutputs,
            count = Math.Min(endUnit * call.UnitOutputs, w.Outputs) - first;
        Rows x =
            call.PermutedWidth > 0
                ? new(new Span<float>(call.Permuted, call.Tokens * call.PermutedWidth), call.PermutedWidth)
                : new(new Span<float>(call.X, call.Tokens * call.XWidth), call.XWidth);
        var y = new Rows(new Span<float>(call.Y, call.Tokens * w.Outputs), w.Outputs);
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

    /// <summary>What the workers of one call of <see cref="Apply"/> share.</summary>
    private struct MultiplyCall
    {
        public Matrix Matrix;
        public float* X;
        public int XWidth;
        public int Tokens;
        public float* Permuted;
        public int PermutedWidth;
        public float* Y;
        public float* Scratch;
        public int KernelScratch;
        public int ScratchWidth;
        public int UnitOutputs;
    }
}

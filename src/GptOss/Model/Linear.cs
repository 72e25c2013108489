using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>y = x Wᵀ + b for every kind of matrix, its outputs split over the team.</summary>
internal static unsafe class Linear
{
    /// <summary>
    /// Outputs are handed out by as many, so that a range holds whole tiles: of rows, and of registers of columns.
    /// </summary>
    private const int UnitRows = 12,
        UnitColumns = 64,
        UnitPlain = 16;

    /// <summary>Multiply-adds below which a second worker costs more than it brings: about 10 µs of work.</summary>
    private const long WorkPerWorker = 1 << 18;

    /// <summary>
    /// Rows of activations that are brought into a format by one worker: below, a second one is not worth waking.
    /// </summary>
    private const int RowsPerWorker = 8;

    /// <param name="x">[rows, inputs].</param>
    /// <param name="w">[outputs, inputs].</param>
    /// <param name="y">[rows, outputs]; must not overlap x.</param>
    /// <param name="ws">Scratch and team.</param>
    public static Rows Apply(Rows x, Matrix w, Rows y, Workspace ws)
    {
        if (x.Count == 0)
            return y;
        var call = new Call
        {
            Matrix = w,
            Tokens = x.Count,
            X = Pointer(x),
            XWidth = x.Width,
            Y = Pointer(y),
            KernelScratch = ScratchValues(w, x.Count),
            UnitRows = w.Kind switch
            {
                MatrixKind.Int8Panels or MatrixKind.Mxfp4RowsByInt8 => Int8Panel.Rows,
                MatrixKind.BFloat16Columns => UnitColumns,
                MatrixKind.PlainRows or MatrixKind.PlainColumns => UnitPlain,
                _ => UnitRows,
            },
        };
        // Behind what the kernel wants, room for the bias in float32; whole cache lines, for the next worker's begins
        // there.
        call.ScratchWidth = call.KernelScratch + (w.Bias.IsNone ? 0 : (w.Rows + 15) & ~15);
        call.Scratch = Pointer(ws.Scratch(call.ScratchWidth));
        if (ArrangedWidth(w) is > 0 and int width)
        {
            call.Arranged = Pointer(ws.Arranged(x.Count, width));
            call.ArrangedWidth = width;
            ws.Team.ForRows(x.Count, RowsPerWorker, &Arrange, &call);
        }
        int units = (w.Rows + call.UnitRows - 1) / call.UnitRows;
        long work = (long)call.UnitRows * w.Columns * x.Count;
        ws.Team.ForRows(units, (int)Math.Max(1, WorkPerWorker / work), &Run, &call);
        return y;
    }

    /// <summary>
    /// Floats of an activation row in the format that the matrix wants; 0 where it takes the row as it is.
    /// </summary>
    private static int ArrangedWidth(Matrix w) =>
        w.Kind switch
        {
            MatrixKind.Mxfp4Rows => Mxfp4.PermutedWidth(w.Columns),
            MatrixKind.Mxfp4RowsByInt8 or MatrixKind.Int8Panels => Int8Row.Width(w.Columns),
            _ => 0,
        };

    private static int ScratchValues(Matrix w, int tokens) =>
        w.Kind switch
        {
            MatrixKind.Mxfp4Rows => Mxfp4.ScratchValues(w.Columns),
            MatrixKind.Mxfp4RowsByInt8 => Mxfp4Int8.ScratchValues(w.Columns, tokens),
            MatrixKind.Int8Panels => tokens * Int8Panel.Rows,
            MatrixKind.PlainRows or MatrixKind.PlainColumns => UnitPlain * w.Columns,
            _ => Lanes.Count,
        };

    private static void Arrange(void* state, int worker, int first, int end)
    {
        ref Call call = ref *(Call*)state;
        for (int row = first; row < end; row++)
        {
            var x = new ReadOnlySpan<float>(call.X + (long)row * call.XWidth, call.XWidth);
            var arranged = new Span<float>(call.Arranged + (long)row * call.ArrangedWidth, call.ArrangedWidth);
            switch (call.Matrix.Kind)
            {
                case MatrixKind.Mxfp4Rows:
                    Mxfp4.Permute(x, arranged);
                    break;
                case MatrixKind.Mxfp4RowsByInt8:
                    Mxfp4Int8.Quantize(x, arranged, call.Tokens);
                    break;
                default:
                    Int8.Quantize(x, arranged);
                    break;
            }
        }
    }

    private static void Run(void* state, int worker, int firstUnit, int endUnit)
    {
        ref Call call = ref *(Call*)state;
        Matrix w = call.Matrix;
        int first = firstUnit * call.UnitRows,
            count = Math.Min(endUnit * call.UnitRows, w.Rows) - first;
        Rows x =
            call.ArrangedWidth > 0
                ? new(new Span<float>(call.Arranged, call.Tokens * call.ArrangedWidth), call.ArrangedWidth)
                : new(new Span<float>(call.X, call.Tokens * call.XWidth), call.XWidth);
        var y = new Rows(new Span<float>(call.Y, call.Tokens * w.Rows), w.Rows);
        var scratch = new Span<float>(call.Scratch + (long)worker * call.ScratchWidth, call.ScratchWidth);
        Span<float> bias = w.Bias.IsNone ? default : scratch.Slice(call.KernelScratch, count);
        if (!w.Bias.IsNone)
            w.WidenBias(first, bias);
        scratch = scratch[..call.KernelScratch];
        switch (w.Kind)
        {
            case MatrixKind.BFloat16Rows:
                BFloat16.Multiply(new((ushort*)w.Data + (long)first * w.Columns, count * w.Columns), bias, x, y, first);
                break;
            case MatrixKind.BFloat16Columns:
                BFloat16ByInput.Multiply(new(w.Data, w.Rows * w.Columns), bias, x, y, first);
                break;
            case MatrixKind.Mxfp4Rows:
                Mxfp4.Multiply(Blocks(w, first, count), Scales(w, first, count), bias, x, y, first, scratch);
                break;
            case MatrixKind.Mxfp4RowsByInt8:
                Mxfp4Int8.Multiply(Blocks(w, first, count), Scales(w, first, count), bias, x, y, first, scratch);
                break;
            case MatrixKind.PlainRows or MatrixKind.PlainColumns:
                MultiplyPlain(w, bias, x, y, first, count, scratch);
                break;
            default:
                long panel = Int8.PanelBytes(w.Columns);
                Int8.Multiply(
                    new(w.Data + firstUnit * panel, (int)((endUnit - firstUnit) * panel)),
                    w.Columns,
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
            var rows = new Rows(scratch[..(outputs * w.Columns)], w.Columns);
            w.WidenRows(first + from, rows);
            for (int r = 0; r < outputs; r++)
                PlainRow.Multiply(rows[r], bias.IsEmpty ? default : bias.Slice(from + r, 1), x, y, first + from + r);
        }
    }

    private static ReadOnlySpan<byte> Blocks(Matrix w, int first, int count)
    {
        int rowBytes = w.Columns / Mxfp4.BlockValues * Mxfp4.BlockBytes;
        return new(w.Data + (long)first * rowBytes, count * rowBytes);
    }

    private static ReadOnlySpan<byte> Scales(Matrix w, int first, int count)
    {
        int blocks = w.Columns / Mxfp4.BlockValues;
        return new(w.Scales + (long)first * blocks, count * blocks);
    }

    /// <summary>The workspace's memory does not move, so its address may be handed to other threads.</summary>
    internal static float* Pointer(Rows rows) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(rows.Values));

    private struct Call
    {
        public Matrix Matrix;
        public float* X;
        public int XWidth;
        public int Tokens;
        public float* Arranged;
        public int ArrangedWidth;
        public float* Y;
        public float* Scratch;
        public int KernelScratch;
        public int ScratchWidth;
        public int UnitRows;
    }
}

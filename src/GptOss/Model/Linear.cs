using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>y = x Wᵀ + b for every kind of matrix, its outputs split over the team.</summary>
internal static unsafe class Linear
{
    /// <summary>Outputs are handed out by eights, so that a range holds whole register tiles.</summary>
    private const int UnitRows = 8;

    /// <summary>Multiply-adds below which a second worker costs more than it brings: about 10 µs of work.</summary>
    private const long WorkPerWorker = 1 << 18;

    /// <param name="x">[rows, inputs].</param>
    /// <param name="w">[outputs, inputs].</param>
    /// <param name="y">[rows, outputs]; must not overlap x.</param>
    /// <param name="ws">Scratch and team.</param>
    public static Rows Apply(Rows x, Matrix w, Rows y, Workspace ws)
    {
        if (x.Count == 0) return y;
        Rows input = w.Kind == MatrixKind.Mxfp4Rows ? Arrange(x, ws) : x;
        Rows scratch = ws.Scratch(w.Kind == MatrixKind.Mxfp4Rows ? Mxfp4.ScratchValues(w.Columns) : 1);
        var call = new Call
        {
            Matrix = w,
            Tokens = x.Count,
            X = Pointer(input),
            XWidth = input.Width,
            Y = Pointer(y),
            Scratch = Pointer(scratch),
            ScratchWidth = scratch.Width,
        };
        int units = (w.Rows + UnitRows - 1) / UnitRows;
        long work = (long)UnitRows * w.Columns * x.Count;
        ws.Team.ForRows(units, (int)Math.Max(1, WorkPerWorker / work), &Run, &call);
        return y;
    }

    private static Rows Arrange(Rows x, Workspace ws)
    {
        Rows arranged = ws.Arranged(x.Count, Mxfp4.ArrangedWidth(x.Width));
        for (int row = 0; row < x.Count; row++) Mxfp4.Arrange(x[row], arranged[row]);
        return arranged;
    }

    private static void Run(void* state, int worker, int firstUnit, int endUnit)
    {
        ref Call call = ref *(Call*)state;
        Matrix w = call.Matrix;
        int first = firstUnit * UnitRows, count = Math.Min(endUnit * UnitRows, w.Rows) - first;
        var x = new Rows(new Span<float>(call.X, call.Tokens * call.XWidth), call.XWidth);
        var y = new Rows(new Span<float>(call.Y, call.Tokens * w.Rows), w.Rows);
        ReadOnlySpan<ushort> bias = w.Bias is null ? default : new(w.Bias + first, count);
        switch (w.Kind)
        {
            case MatrixKind.BFloat16Rows:
                BFloat16.Multiply(new((ushort*)w.Data + (long)first * w.Columns, count * w.Columns), bias, x, y, first);
                break;
            case MatrixKind.BFloat16Columns:
                BFloat16Columns.Multiply(new(w.Data, w.Rows * w.Columns), bias, x, y, first);
                break;
            default:
                int blocks = w.Columns / Mxfp4.BlockValues;
                Mxfp4.Multiply(
                    new(w.Data + (long)first * blocks * Mxfp4.BlockBytes, count * blocks * Mxfp4.BlockBytes),
                    new(w.Scales + (long)first * blocks, count * blocks), bias, x, y, first,
                    new(call.Scratch + worker * call.ScratchWidth, call.ScratchWidth));
                break;
        }
    }

    /// <summary>The workspace's memory does not move, so its address may be handed to other threads.</summary>
    internal static float* Pointer(Rows rows) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(rows.Values));

    private struct Call
    {
        public Matrix Matrix;
        public float* X;
        public int XWidth;
        public int Tokens;
        public float* Y;
        public float* Scratch;
        public int ScratchWidth;
    }
}

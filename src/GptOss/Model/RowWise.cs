using System.Numerics.Tensors;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// The operations of a forward pass that treat each row by itself: normalisation, rotation, SwiGLU and addition. Where
/// there are many rows, the team shares them out.
/// </summary>
// Bound: rows come from the Workspace in equal numbers, a norm has the hidden size (ModelWeights.From); ApplyToRows
// makes spans of them, whose lengths the kernels check.
internal static unsafe class RowWise
{
    /// <summary>Rows below which a second worker costs more than it brings: some ten microseconds of work.</summary>
    private const int RowsPerWorker = 8;

    private enum Operation
    {
        RmsNorm,
        Rotate,
        SwiGlu,
        Add,
    }

    /// <summary>y = RMSNorm(x), row by row; y may be x.</summary>
    public static Rows RmsNorm(Rows x, float[] weight, float epsilon, Rows y, Workspace ws)
    {
        fixed (float* w = weight)
        {
            var call = new ApplyCall(Operation.RmsNorm, x, y) { Weight = w, Epsilon = epsilon };
            ws.Team.ForItems(x.Count, RowsPerWorker, &ApplyToRows, &call);
        }
        return y;
    }

    /// <summary>Rotates every head of every row by the angles of its position.</summary>
    public static void Rotate(Rows heads, Rows angles, Workspace ws)
    {
        var call = new ApplyCall(Operation.Rotate, angles, heads);
        ws.Team.ForItems(heads.Count, RowsPerWorker, &ApplyToRows, &call);
    }

    /// <summary>
    /// y = SwiGLU(u): [rows, 2 × intermediate] → [rows, intermediate]; or [2 × rows, intermediate], where the rows of
    /// the gates come first and those of the linear parts behind them.
    /// </summary>
    public static Rows SwiGlu(Rows u, ModelConfig c, Rows y, Workspace ws)
    {
        var call = new ApplyCall(Operation.SwiGlu, u, y) { Limit = c.SwiGluLimit, Alpha = c.SwiGluAlpha };
        if (u.Width == y.Width)
            call.Linear = u.Pointer + (long)y.Count * u.Width;
        ws.Team.ForItems(y.Count, RowsPerWorker, &ApplyToRows, &call);
        return y;
    }

    /// <summary>Adds two arrays of rows: x += y.</summary>
    public static void Add(Rows x, Rows y, Workspace ws)
    {
        var call = new ApplyCall(Operation.Add, y, x);
        ws.Team.ForItems(x.Count, RowsPerWorker, &ApplyToRows, &call);
    }

    private static void ApplyToRows(void* state, int worker, int first, int end)
    {
        ref ApplyCall call = ref *(ApplyCall*)state;
        for (int row = first; row < end; row++)
        {
            var x = new ReadOnlySpan<float>(call.X + (long)row * call.XWidth, call.XWidth);
            var y = new Span<float>(call.Y + (long)row * call.YWidth, call.YWidth);
            switch (call.Operation)
            {
                case Operation.RmsNorm:
                    Kernels.RmsNorm.Row(x, new(call.Weight, x.Length), call.Epsilon, y);
                    break;
                case Operation.Rotate:
                    Rotation.Row(y, x);
                    break;
                case Operation.Add:
                    TensorPrimitives.Add(y, x, y);
                    break;
                default:
                    ReadOnlySpan<float> linear = call.Linear is null
                        ? default
                        : new(call.Linear + (long)row * call.XWidth, call.XWidth);
                    Kernels.SwiGlu.Row(x, linear, call.Limit, y, call.Alpha);
                    break;
            }
        }
    }

    /// <summary>What the workers of one operation share.</summary>
    private struct ApplyCall(Operation operation, Rows x, Rows y)
    {
        public readonly Operation Operation = operation;
        public readonly float* X = x.Pointer;
        public readonly int XWidth = x.Width;
        public readonly float* Y = y.Pointer;
        public readonly int YWidth = y.Width;
        public float* Weight;
        public float* Linear;
        public float Epsilon;
        public float Limit;
        public float Alpha;
    }
}

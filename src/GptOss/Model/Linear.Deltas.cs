using System.Numerics.Tensors;
using GptOss.Kernels;
using GptOss.Kernels.Formats;

namespace GptOss.Model;

// What adapters add to products: u = s · (A x), then y += B u.
// Bound: a delta has the sizes of its matrix (DeltaMemory.Of); AddSecond makes spans of the rows, which
// WeightFormats.AddThin checks.
internal static unsafe partial class Linear
{
    /// <summary>
    /// Most rows of a part of the thin products. They have few outputs, so that workers share out the rows.
    /// </summary>
    private const int RowsPerThinPart = 64;

    /// <summary>Outputs that a worker takes together in the second product: whole cache lines of y.</summary>
    private const int OutputsPerItem = 128;

    private static bool HasDelta(ReadOnlySpan<Part> parts)
    {
        foreach (Part part in parts)
            if (part.Matrix.Delta is not null)
                return true;
        return false;
    }

    private static void AddDeltas(Rows x, scoped ReadOnlySpan<Part> parts, Rows y, Workspace ws)
    {
        int most = 0;
        foreach (Part part in parts)
            most += (part.Count + RowsPerThinPart - 1) / RowsPerThinPart;
        Span<Part> first = most <= FewParts ? stackalloc Part[most] : new Part[most];
        Span<DeltaPart> second = most <= FewParts ? stackalloc DeltaPart[most] : new DeltaPart[most];
        int count = 0,
            rows = 0;
        foreach (Part part in parts)
        {
            Matrix w = part.Matrix;
            if (w.Delta is null)
                continue;
            // Products whose ranks or formats differ cannot be one job.
            if (count > 0 && !IsOfOneJob(*w.Delta, *second[0].Delta))
            {
                AddDeltas(x, first[..count], second[..count], y, ws);
                (count, rows) = (0, 0);
            }
            var a = new Matrix
            {
                Format = w.Delta->FormatA,
                Outputs = w.Delta->Rank,
                Inputs = w.Inputs,
                Data = w.Delta->A,
            };
            for (int row = 0; row < part.Count; row += RowsPerThinPart)
            {
                int size = Math.Min(RowsPerThinPart, part.Count - row);
                first[count] = new Part(a, part.FirstRow + row, size, rows);
                second[count++] = new DeltaPart(w.Delta, w.Outputs, size, rows, part.ResultRow + row);
                rows += size;
            }
        }
        AddDeltas(x, first[..count], second[..count], y, ws);
    }

    private static bool IsOfOneJob(Delta delta, Delta other) =>
        (delta.Rank, delta.FormatA, delta.FormatB) == (other.Rank, other.FormatA, other.FormatB);

    // Parts of the same ranks and formats: each of the two products is one job.
    private static void AddDeltas(
        Rows x,
        scoped ReadOnlySpan<Part> first,
        scoped ReadOnlySpan<DeltaPart> second,
        Rows y,
        Workspace ws
    )
    {
        int rank = second[0].Delta->Rank,
            rows = second[^1].Row + second[^1].Count;
        Rows u = ws.Thin(rows, rank); // [rows, rank]
        Apply(x, first, u, ws);
        foreach (DeltaPart part in second)
            for (int row = part.Row; row < part.Row + part.Count; row++)
                TensorPrimitives.Multiply(u[row], new ReadOnlySpan<float>(part.Delta->Scale, rank), u[row]);
        fixed (DeltaPart* parts = second)
        {
            var call = new DeltaCall
            {
                Parts = parts,
                U = u.Pointer,
                Y = y.Pointer,
                ItemsPerPart = (parts->Outputs + OutputsPerItem - 1) / OutputsPerItem,
            };
            long work = (long)OutputsPerItem * rank * rows;
            ws.Team.ForItems(
                second.Length * call.ItemsPerPart,
                (int)Math.Max(1, WorkPerWorker * second.Length / work),
                (int)Math.Max(1, WorkPerLook * second.Length / work),
                &AddSecond,
                &call,
                ws.Stop
            );
        }
    }

    private static void AddSecond(void* state, int worker, int first, int end)
    {
        ref DeltaCall call = ref *(DeltaCall*)state;
        for (int item = first; item < end; item++)
        {
            DeltaPart part = call.Parts[item / call.ItemsPerPart];
            int output = item % call.ItemsPerPart * OutputsPerItem,
                rank = part.Delta->Rank;
            var u = new Rows(new Span<float>(call.U + (long)part.Row * rank, part.Count * rank), rank);
            var y = new Rows(
                new Span<float>(call.Y + (long)part.ResultRow * part.Outputs, part.Count * part.Outputs),
                part.Outputs
            );
            part.Delta->FormatB.AddThin(part.Delta->B, u, output, Math.Min(OutputsPerItem, part.Outputs - output), y);
        }
    }

    /// <summary>Some rows between the two products of a delta, and where their results are added.</summary>
    /// <param name="delta">The factors and their scale.</param>
    /// <param name="outputs">Outputs of the matrix, which is the width of the results.</param>
    /// <param name="count">Number of rows, at least one.</param>
    /// <param name="row">Index of the first row between the products.</param>
    /// <param name="resultRow">Index of the first row of the results.</param>
    private readonly struct DeltaPart(Delta* delta, int outputs, int count, int row, int resultRow)
    {
        public readonly Delta* Delta = delta;
        public readonly int Outputs = outputs,
            Count = count,
            Row = row,
            ResultRow = resultRow;
    }

    /// <summary>What the workers of the second product share.</summary>
    private struct DeltaCall
    {
        public DeltaPart* Parts;
        public float* U;
        public float* Y;
        public int ItemsPerPart;
    }
}

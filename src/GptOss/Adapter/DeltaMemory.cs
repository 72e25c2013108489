using GptOss.Checkpoint;
using GptOss.Kernels.Formats;
using GptOss.Model;

namespace GptOss.Adapter;

/// <summary>
/// Copies the factors of an adapter into memory of their own, matrix by matrix and in their own type, as the thin
/// products read them. A factor that experts share is copied once.
/// </summary>
internal sealed unsafe class DeltaMemory : IDisposable
{
    private readonly WeightMemory _memory = new();
    private readonly Dictionary<(FactorView, int, WeightFormat), nint> _copies = [];

    /// <summary>Bytes of all copies.</summary>
    public long Bytes => _memory.Regions.Sum(region => region.Bytes);

    public void Dispose() => _memory.Dispose();

    /// <summary>The deltas of some matrices that one job multiplies: all have the largest rank and one type.</summary>
    /// <param name="pieces">What is added to each matrix; nothing where the array is empty.</param>
    /// <param name="outputs">Outputs that each of the matrices has.</param>
    /// <returns>A delta for each matrix, null where nothing is added.</returns>
    public Delta*[] Of(IReadOnlyList<DeltaPiece[]> pieces, int outputs)
    {
        DeltaPiece[] all = [.. pieces.SelectMany(some => some)];
        int rank = pieces.Max(some => some.Sum(piece => piece.A.Rank));
        WeightFormat a = FormatOf(all.Select(piece => piece.A)),
            b = FormatOf(all.Select(piece => piece.B));
        var deltas = new Delta*[pieces.Count];
        for (int i = 0; i < deltas.Length; i++)
            if (pieces[i].Length > 0)
                deltas[i] = Of(pieces[i], rank, outputs, a, b);
        return deltas;
    }

    private Delta* Of(DeltaPiece[] pieces, int rank, int outputs, WeightFormat a, WeightFormat b)
    {
        var delta = (Delta*)_memory.Allocate(sizeof(Delta));
        float* scale = (float*)Zeros(rank * sizeof(float));
        int k = 0;
        foreach (DeltaPiece piece in pieces)
        {
            new Span<float>(scale + k, piece.A.Rank).Fill(piece.Scale);
            k += piece.A.Rank;
        }
        *delta = new Delta
        {
            Rank = rank,
            FormatA = a,
            FormatB = b,
            A = Stacked([.. pieces.Select(piece => (piece.A, 0, 1))], rank, pieces[0].A.Width, a),
            B = Stacked([.. pieces.Select(piece => (piece.B, piece.FirstOutput, piece.OutputStep))], rank, outputs, b),
            Scale = scale,
        };
        return delta;
    }

    // The factors one below the other, [rank, width], zero where none of them has a value.
    private byte* Stacked((FactorView View, int First, int Step)[] views, int rank, int width, WeightFormat format)
    {
        bool isWhole = views is [{ First: 0, Step: 1 }];
        if (isWhole && _copies.TryGetValue((views[0].View, rank, format), out nint copy))
            return (byte*)copy;
        long size = format.Bytes(1, 1);
        byte* data = Zeros(format.Bytes(rank, width)),
            row = data;
        foreach ((FactorView view, int first, int step) in views)
            for (int k = 0; k < view.Rank; k++, row += width * size)
            {
                if (TensorFormats.Of(view.Tensor.DType) == format)
                    view.CopyTo(k, row + first * size, step * size);
                else
                    view.WidenTo(k, row + first * size, step * size);
            }
        if (isWhole)
            _copies.Add((views[0].View, rank, format), (nint)data);
        return data;
    }

    private byte* Zeros(long bytes)
    {
        byte* data = _memory.Allocate(bytes);
        new Span<byte>(data, checked((int)bytes)).Clear();
        return data;
    }

    // Their own type, or float32 where they have several.
    private static WeightFormat FormatOf(IEnumerable<FactorView> views) =>
        views.Select(view => view.Tensor.DType).Distinct().ToArray() is [var only]
            ? TensorFormats.Of(only)!.Value
            : WeightFormat.Float32;
}

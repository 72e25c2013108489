using GptOss.Kernels.Formats;
using GptOss.Model;

namespace GptOss.Adapter;

/// <summary>
/// Copies the factors of an adapter into memory of their own, matrix by matrix and in their own type, as the thin
/// products read them. A factor that experts share is copied once.
/// </summary>
// Bound: Stacked allocates rank × width values and writes the rows of the views, whose ranks add up to the rank in Of;
// widths are those that LoraForms has checked.
internal sealed unsafe class DeltaMemory : IDisposable
{
    private readonly WeightMemory _memory = new();
    private readonly Dictionary<(nint, long, long, long), nint> _copies = [];

    /// <summary>Bytes of all copies.</summary>
    public long Bytes => _memory.Regions.Sum(region => region.Bytes);

    public void Dispose() => _memory.Dispose();

    /// <summary>The delta of a matrix, of which all pieces have their places.</summary>
    /// <param name="pieces">What is added to the matrix, at least one.</param>
    /// <param name="outputs">Outputs that the matrix has.</param>
    /// <param name="inputs">Inputs that the matrix has.</param>
    public Delta* Of(DeltaPiece[] pieces, int outputs, int inputs)
    {
        int rank = pieces.Sum(piece => piece.A.Rank);
        float* scale = (float*)_memory.Allocate(rank * sizeof(float));
        int first = 0;
        foreach (DeltaPiece piece in pieces)
        {
            new Span<float>(scale + first, piece.A.Rank).Fill(piece.Scale);
            first += piece.A.Rank;
        }
        WeightFormat a = FormatOf(pieces.Select(piece => piece.A)),
            b = FormatOf(pieces.Select(piece => piece.B));
        var delta = (Delta*)_memory.Allocate(sizeof(Delta));
        *delta = new Delta
        {
            Rank = rank,
            FormatA = a,
            FormatB = b,
            A = Stacked([.. pieces.Select(piece => (piece.A, 0, 1))], rank, inputs, a),
            B = Stacked([.. pieces.Select(piece => (piece.B, piece.FirstOutput, piece.OutputStep))], rank, outputs, b),
            Scale = scale,
        };
        return delta;
    }

    // The factors one below the other, [rank, width], zero where none of them has a value.
    private byte* Stacked((FactorView View, int First, int Step)[] views, int rank, int width, WeightFormat format)
    {
        bool isWhole = views is [{ First: 0, Step: 1 }];
        if (isWhole && _copies.TryGetValue(views[0].View.Place, out nint copy))
            return (byte*)copy;
        long size = format.Bytes(1, 1),
            bytes = format.Bytes(rank, width);
        byte* data = _memory.Allocate(bytes),
            row = data;
        new Span<byte>(data, checked((int)bytes)).Clear();
        foreach ((FactorView view, int first, int step) in views)
            for (int k = 0; k < view.Rank; k++, row += width * size)
            {
                if (TensorFormats.Of(view.Tensor.DType) == format)
                    view.CopyTo(k, row + first * size, step * size);
                else
                    view.WidenTo(k, row + first * size, step * size);
            }
        if (isWhole)
            _copies.Add(views[0].View.Place, (nint)data);
        return data;
    }

    // Their own type, or float32 where they have several.
    private static WeightFormat FormatOf(IEnumerable<FactorView> views) =>
        views.Select(view => view.Tensor.DType).Distinct().ToArray() is [var only]
            ? TensorFormats.Of(only)!.Value
            : WeightFormat.Float32;
}

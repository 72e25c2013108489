using GptOss.Checkpoint;
using GptOss.Kernels.Formats;
using GptOss.Kernels.MatMul;
using GptOss.Threading;

namespace GptOss.Model;

/// <summary>
/// Makes the weights of <see cref="Precision.Fast"/> from those of a checkpoint: int8 copies of the dense
/// matrices, and everything else where it was. Owns the copies.
/// </summary>
/// <remarks>
/// Router, norms and the embedding table stay as they are, and so do experts that are not MXFP4. The copies are private
/// memory, 8.5 bits a weight.
/// </remarks>
// Bound: copies have Int8.Bytes of their matrix; PackPanels makes spans of whole panels, whose lengths Int8.Pack
// checks.
internal sealed unsafe class FastWeights : IDisposable
{
    private readonly WeightMemory _memory = new();
    private readonly IWeightStore _store;
    private readonly HashSet<nint> _packed = [];
    private readonly WorkerTeam _team;
    private readonly CancellationToken _stop;
    private readonly IProgress<double>? _progress;
    private readonly long _total;
    private long _done;

    /// <param name="source">The weights as stored. All but the matrices that are copied must stay valid.</param>
    /// <param name="store">The memory of the stored weights: it may give back what has been copied.</param>
    /// <param name="threads">Number of threads used to convert.</param>
    /// <param name="progress">Told the part that is done, 0 to 1; null for nobody.</param>
    /// <param name="stop">Ends the conversion early.</param>
    public FastWeights(
        ModelWeights source,
        IWeightStore store,
        int threads,
        IProgress<double>? progress,
        CancellationToken stop
    )
    {
        (_store, _stop, _progress) = (store, stop, progress);
        _total = Dense(source).Sum(matrix => (long)matrix.Outputs * matrix.Inputs);
        using (_team = new WorkerTeam(threads))
        {
            try
            {
                Weights = Pack(source);
            }
            catch
            {
                Dispose();
                throw;
            }
        }
    }

    /// <summary>What the copies of some weights take, and the bytes of the matrices that they replace.</summary>
    public static (long Copies, long Replaced) BytesOf(ModelWeights source)
    {
        long copies = 0,
            replaced = 0;
        foreach (Matrix matrix in Dense(source))
        {
            copies += Int8.Bytes(matrix.Outputs, matrix.Inputs);
            if (matrix.Data != source.Embedding.Data)
                replaced += matrix.Format.Bytes(matrix.Outputs, matrix.Inputs);
        }
        return (copies, replaced);
    }

    public ModelWeights Weights { get; }

    /// <summary>The memory of the int8 copies.</summary>
    public IReadOnlyList<(nint Data, long Bytes)> Regions => _memory.Regions;

    /// <summary>Whether a copy replaces the matrix whose stored bytes begin at the given address.</summary>
    public bool Replaces(nint data) => _packed.Contains(data);

    public void Dispose() => _memory.Dispose();

    // The matrices that are copied.
    private static IEnumerable<Matrix> Dense(ModelWeights source) =>
        source
            .Layers.SelectMany(layer =>
                (Matrix[])[layer.Attention.Query, layer.Attention.Key, layer.Attention.Value, layer.Attention.Output]
            )
            .Append(source.Unembedding)
            .Where(NeedsPacking);

    private static bool NeedsPacking(Matrix matrix) =>
        matrix.Format.IsOfNumbers && matrix.Layout == MatrixLayout.ByOutput;

    private ModelWeights Pack(ModelWeights source) =>
        source.Select(
            (place, matrix) =>
                place.Role switch
                {
                    WeightRole.Query or WeightRole.Key or WeightRole.Value or WeightRole.Output => Pack(matrix),
                    // Where the head is the embedding table, the stored table is still needed to look tokens up: it is
                    // copied without giving its memory back.
                    WeightRole.Head => matrix.Data == source.Embedding.Data ? Pack(matrix, matrix.Data) : Pack(matrix),
                    // MXFP4 experts keep their weights and are multiplied by int8 activations; experts in other
                    // formats do not change.
                    WeightRole.GateUp or WeightRole.Gate or WeightRole.Up or WeightRole.Down => ByInt8(matrix),
                    _ => matrix,
                }
        );

    private static Matrix ByInt8(Matrix matrix) =>
        matrix.Format switch
        {
            WeightFormat.Mxfp4 => matrix.As(WeightFormat.Mxfp4Int8),
            WeightFormat.Mxfp4Halves => matrix.As(WeightFormat.Mxfp4HalvesInt8),
            WeightFormat.Mxfp4Pairs => matrix.As(WeightFormat.Mxfp4PairsInt8),
            _ => matrix,
        };

    private Matrix Pack(Matrix matrix)
    {
        if (!NeedsPacking(matrix))
            return matrix;
        using ILastReading reading = _store.ReadLast(matrix.Data, matrix.Format.Bytes(matrix.Outputs, matrix.Inputs));
        _packed.Add((nint)matrix.Data);
        return Pack(matrix, reading.Data);
    }

    private Matrix Pack(Matrix matrix, byte* source)
    {
        if (!NeedsPacking(matrix))
            return matrix;
        byte* data = _memory.Allocate(Int8.Bytes(matrix.Outputs, matrix.Inputs));
        int panels = (matrix.Outputs + Int8Panel.Rows - 1) / Int8Panel.Rows;
        // In parts of 256 panels: between two of them a cancellation is noticed and progress is reported.
        const int part = 256;
        for (int first = 0; first < panels; first += part)
        {
            _stop.ThrowIfCancellationRequested();
            int count = Math.Min(part, panels - first);
            var call = new PackCall
            {
                Source = matrix.As(matrix.Format, source),
                Data = data,
                First = first,
            };
            _team.ForItems(count, 1, &PackPanels, &call);
            _done += Math.Min((long)count * Int8Panel.Rows, matrix.Outputs) * matrix.Inputs;
            _progress?.Report(Math.Min(1, (double)_done / _total));
        }
        return matrix.As(WeightFormat.Int8, data);
    }

    private static void PackPanels(void* state, int worker, int first, int end)
    {
        ref PackCall call = ref *(PackCall*)state;
        Matrix w = call.Source;
        long bytes = Int8.PanelBytes(w.Inputs);
        for (int panel = call.First + first; panel < call.First + end; panel++)
        {
            int output = panel * Int8Panel.Rows,
                outputs = Math.Min(Int8Panel.Rows, w.Outputs - output);
            w.Format.PackInt8(
                new(w.Data + w.Format.Bytes(output, w.Inputs), (int)w.Format.Bytes(outputs, w.Inputs)),
                w.Inputs,
                new(call.Data + panel * bytes, (int)bytes)
            );
        }
    }

    /// <summary>What the workers of one part of a matrix share.</summary>
    private struct PackCall
    {
        public Matrix Source;
        public byte* Data;
        public int First;
    }
}

using GptOss.Checkpoint;
using GptOss.Kernels;
using GptOss.Threading;

namespace GptOss.Model;

/// <summary>
/// The weights of <see cref="Precision.Fast"/>: int8 copies of the dense bfloat16 matrices, everything else where it
/// was.
/// </summary>
/// <remarks>
/// Router, norms and the embedding table stay as they are, and so do matrices in F16 or F32. The copies are private
/// memory, 8.5 bits a weight.
/// </remarks>
internal sealed unsafe class FastWeights : IDisposable
{
    private readonly WeightMemory _memory = new();
    private readonly IWeightStore _store;
    private readonly HashSet<nint> _derived = [];
    private readonly WorkerTeam _team;
    private readonly CancellationToken _stop;
    private readonly IProgress<double>? _progress;
    private readonly long _total;
    private long _done;

    /// <param name="source">The weights as stored. All but the matrices that are derived must stay valid.</param>
    /// <param name="store">Where they lie: it may give back the memory of what was derived.</param>
    /// <param name="threads">That derive.</param>
    /// <param name="progress">Told which part is done, 0 to 1.</param>
    /// <param name="stop">Ends the work.</param>
    public FastWeights(
        ModelWeights source,
        IWeightStore store,
        int threads,
        IProgress<double>? progress,
        CancellationToken stop
    )
    {
        (_store, _stop, _progress) = (store, stop, progress);
        _total =
            Values(source.Unembedding)
            + source.Layers.Sum(layer =>
                Values(layer.Attention.Query)
                + Values(layer.Attention.Key)
                + Values(layer.Attention.Value)
                + Values(layer.Attention.Output)
            );
        using (_team = new WorkerTeam(threads))
        {
            try
            {
                Weights = Derive(source);
            }
            catch
            {
                Dispose();
                throw;
            }
        }
    }

    public ModelWeights Weights { get; }

    /// <summary>Where the copies lie.</summary>
    public IReadOnlyList<(nint Data, long Bytes)> Regions => _memory.Regions;

    /// <summary>Whether no use of these weights needs the bytes that begin there.</summary>
    public bool Replaces(nint data) => _derived.Contains(data);

    public void Dispose() => _memory.Dispose();

    private static long Values(Matrix matrix) => IsDerived(matrix) ? (long)matrix.Rows * matrix.Columns : 0;

    private static bool IsDerived(Matrix matrix) => matrix.Kind == MatrixKind.BFloat16Rows;

    private ModelWeights Derive(ModelWeights source) =>
        new()
        {
            Config = source.Config,
            Rope = source.Rope,
            Embedding = source.Embedding,
            Layers =
            [
                .. source.Layers.Select(layer => new LayerWeights(
                    new AttentionWeights
                    {
                        Norm = layer.Attention.Norm,
                        Query = Derive(layer.Attention.Query),
                        Key = Derive(layer.Attention.Key),
                        Value = Derive(layer.Attention.Value),
                        Output = Derive(layer.Attention.Output),
                        Sinks = layer.Attention.Sinks,
                        Window = layer.Attention.Window,
                    },
                    new ExpertWeights
                    {
                        Norm = layer.Experts.Norm,
                        Router = layer.Experts.Router,
                        GateUp = ByInt8(layer.Experts.GateUp),
                        Down = ByInt8(layer.Experts.Down),
                    }
                )),
            ],
            FinalNorm = source.FinalNorm,
            // A tied embedding is looked up as well and stays.
            Unembedding =
                source.Unembedding.Data == source.Embedding.Data
                    ? Derive(source.Unembedding, source.Unembedding.Data)
                    : Derive(source.Unembedding),
        };

    // Experts of bf16 fine-tunes stay as they are.
    private static ExpertMatrices ByInt8(ExpertMatrices experts) =>
        experts.Select(matrix => matrix.Kind == MatrixKind.Mxfp4Rows ? matrix.As(MatrixKind.Mxfp4RowsByInt8) : matrix);

    private Matrix Derive(Matrix matrix)
    {
        if (!IsDerived(matrix))
            return matrix;
        using ILastReading reading = _store.ReadLast(matrix.Data, 2L * matrix.Rows * matrix.Columns);
        _derived.Add((nint)matrix.Data);
        return Derive(matrix, reading.Data);
    }

    private Matrix Derive(Matrix matrix, byte* source)
    {
        if (!IsDerived(matrix))
            return matrix;
        byte* data = _memory.Allocate(Int8.Bytes(matrix.Rows, matrix.Columns));
        int panels = (matrix.Rows + Int8Panel.Rows - 1) / Int8Panel.Rows;
        // In parts, so that a cancellation is heard and progress seen.
        const int part = 256;
        for (int first = 0; first < panels; first += part)
        {
            _stop.ThrowIfCancellationRequested();
            int count = Math.Min(part, panels - first);
            var call = new Call
            {
                Source = matrix.As(matrix.Kind, source),
                Data = data,
                First = first,
            };
            _team.ForRows(count, 1, &Run, &call);
            _done += Math.Min((long)count * Int8Panel.Rows, matrix.Rows) * matrix.Columns;
            _progress?.Report(Math.Min(1, (double)_done / _total));
        }
        return matrix.As(MatrixKind.Int8Panels, data);
    }

    private static void Run(void* state, int worker, int first, int end)
    {
        ref Call call = ref *(Call*)state;
        Matrix w = call.Source;
        long bytes = Int8.PanelBytes(w.Columns);
        for (int panel = call.First + first; panel < call.First + end; panel++)
        {
            int row = panel * Int8Panel.Rows,
                rows = Math.Min(Int8Panel.Rows, w.Rows - row);
            Int8.Pack(
                new((ushort*)w.Data + (long)row * w.Columns, rows * w.Columns),
                w.Columns,
                new(call.Data + panel * bytes, (int)bytes)
            );
        }
    }

    private struct Call
    {
        public Matrix Source;
        public byte* Data;
        public int First;
    }
}

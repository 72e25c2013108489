using System.Numerics.Tensors;
using GptOss.Kernels;
using GptOss.Threading;

namespace GptOss.Model;

/// <summary>
/// Chooses the experts of each row from the router's scores, and lists for each expert the rows that chose it, with
/// their weights. Reused from layer to layer.
/// </summary>
internal sealed class Routing
{
    /// <summary>
    /// The most rows of a group of several experts: four experts of each of 16 sequences, which is also the number of
    /// sequences that run together by default. Their activations take 3 MB.
    /// </summary>
    private const int RowsPerGroup = 64;

    private int[] _experts = [];
    private float[] _weights = [];
    private int[] _starts = [];
    private int[] _rows = [];
    private float[] _rowWeights = [];

    /// <summary>
    /// Chooses <paramref name="k"/> experts for every row and sorts the choices by expert, rows ascending within each.
    /// </summary>
    /// <param name="scores">Router scores, [rows, experts].</param>
    /// <param name="k">Number of experts per row.</param>
    public Routing Choose(Rows scores, int k)
    {
        int rows = scores.Count,
            experts = scores.Width,
            choices = rows * k;
        if (_rows.Length < choices)
        {
            _experts = new int[choices];
            _weights = new float[choices];
            _rows = new int[choices];
            _rowWeights = new float[choices];
        }
        if (_starts.Length != experts + 1)
            _starts = new int[experts + 1];

        for (int row = 0; row < rows; row++)
            TopK.Softmax(scores[row], _experts.AsSpan(row * k, k), _weights.AsSpan(row * k, k));

        // Counting sort. starts[e] first counts the rows of expert e, then becomes the end of its part of the list, and
        // each row that is put there moves it down by one, so that it is the part's beginning at last. With 2 rows of
        // expert 0 and 1 of expert 1 the starts are 2, 1, 0, then 2, 3, 3, then 0, 2, 3.
        Array.Clear(_starts);
        for (int i = 0; i < choices; i++)
            _starts[_experts[i]]++;
        for (int e = 1; e <= experts; e++)
            _starts[e] += _starts[e - 1];
        for (int i = choices - 1; i >= 0; i--)
        {
            int at = --_starts[_experts[i]];
            _rows[at] = i / k;
            _rowWeights[at] = _weights[i];
        }
        return this;
    }

    /// <summary>
    /// The experts that have rows, ascending, in groups: a group's experts run together, as one job of the team for
    /// each of their products.
    /// </summary>
    /// <remarks>
    /// A group takes experts while they have at most <see cref="RowsPerGroup"/> rows together, and at least one. A
    /// token of each of 8 sequences makes one group of some 21 experts and 32 rows; with 512 tokens of a prompt nearly
    /// every expert is a group of its own. So memory for activations follows the larger of the two and not the sum.
    /// </remarks>
    public Groups InGroups => new(this);

    /// <summary>Walks over the groups.</summary>
    /// <param name="routing">What was chosen last.</param>
    public ref struct Groups(Routing routing)
    {
        private int _first,
            _end;

        public readonly Groups GetEnumerator() => this;

        public readonly ExpertGroup Current => new(routing, _first, _end);

        public bool MoveNext()
        {
            int[] starts = routing._starts;
            int experts = starts.Length - 1;
            for (_first = _end; _first < experts && starts[_first + 1] == starts[_first]; _first++) { }
            if (_first == experts)
                return false;
            for (_end = _first + 1; _end < experts && starts[_end + 1] - starts[_first] <= RowsPerGroup; _end++) { }
            return true;
        }
    }

    internal Expert this[int expert] => new(expert, RowsOf(expert, expert + 1), WeightsOf(expert, expert + 1));

    /// <summary>The rows of some experts that follow each other, expert after expert.</summary>
    internal ReadOnlySpan<int> RowsOf(int first, int end) => _rows.AsSpan(_starts[first].._starts[end]);

    /// <summary>The weights of the experts in their rows, in the order of the rows.</summary>
    internal ReadOnlySpan<float> WeightsOf(int first, int end) => _rowWeights.AsSpan(_starts[first].._starts[end]);
}

/// <summary>
/// Some experts that follow each other, and the rows that chose them: the rows of each expert lie behind those of the
/// expert before, [count, width], so that a row that chose three of the experts is there three times.
/// </summary>
/// <param name="routing">Knows the rows of every expert.</param>
/// <param name="first">Number of the first expert.</param>
/// <param name="end">One more than the number of the last expert.</param>
internal readonly ref struct ExpertGroup(Routing routing, int first, int end)
{
    private readonly Routing _routing = routing;
    private readonly int _first = first,
        _end = end;

    // What makes a second worker worth waking, some ten microseconds of work: rows that are copied, and floats that are
    // added. Of columns a worker takes whole cache lines.
    private const int RowsPerWorker = 16,
        FloatsPerWorker = 1 << 15,
        ColumnsPerItem = 64;

    /// <summary>Number of rows of all experts together.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            foreach (Expert expert in this)
                count += expert.Count;
            return count;
        }
    }

    /// <summary>The most experts that can have rows, for memory that holds one thing for each.</summary>
    public int MostExperts => _end - _first;

    public Enumerator GetEnumerator() => new(_routing, _first, _end);

    /// <summary>Copies the rows of x that chose the experts to <paramref name="gathered"/>, [count, width].</summary>
    // Bound: rows of the group are as many as the routing chose (RowsOf), and their indices are below the rows of the
    // scores, which Choose has counted: those of the batch.
    public unsafe Rows Gather(Rows x, Rows gathered, WorkerTeam team)
    {
        fixed (int* rows = _routing.RowsOf(_first, _end))
        {
            var call = new MoveCall(rows, x, gathered);
            team.ForItems(gathered.Count, RowsPerWorker, &CopyRows, &call);
        }
        return gathered;
    }

    /// <summary>
    /// Adds the experts' results: x[row] += weight · y[i], expert after expert. The groups must be called in ascending
    /// order, because that is the order of the sum. Overwrites y.
    /// </summary>
    /// <remarks>
    /// The workers share the columns, since a row that chose several experts must take their results in order.
    /// </remarks>
    // Bound: rows of the group are as many as the routing chose (RowsOf), and so are the weights (WeightsOf).
    public unsafe void AddTo(Rows x, Rows y, WorkerTeam team)
    {
        fixed (int* rows = _routing.RowsOf(_first, _end))
        fixed (float* weights = _routing.WeightsOf(_first, _end))
        {
            var call = new MoveCall(rows, x, y) { Weights = weights };
            int items = (y.Width + ColumnsPerItem - 1) / ColumnsPerItem;
            team.ForItems(items, Math.Max(1, FloatsPerWorker / (ColumnsPerItem * y.Count)), &AddColumns, &call);
        }
    }

    // Bound: WorkerTeam.ForItems gives rows of the group that Gather counted.
    private static unsafe void CopyRows(void* state, int worker, int first, int end)
    {
        ref MoveCall call = ref *(MoveCall*)state;
        for (int i = first; i < end; i++)
            call.Batch(i, 0, call.Width).CopyTo(call.Group(i, 0, call.Width));
    }

    // Bound: columns end with the width, to which the last range is cut.
    private static unsafe void AddColumns(void* state, int worker, int first, int end)
    {
        ref MoveCall call = ref *(MoveCall*)state;
        int column = first * ColumnsPerItem,
            width = Math.Min(end * ColumnsPerItem, call.Width) - column;
        for (int i = 0; i < call.Count; i++)
        {
            Span<float> sum = call.Batch(i, column, width),
                y = call.Group(i, column, width);
            TensorPrimitives.Multiply(y, call.Weights[i], y);
            TensorPrimitives.Add(sum, y, sum);
        }
    }

    /// <summary>What the workers share that move rows between the batch and the group.</summary>
    /// <param name="rows">For each row of the group its index in the batch.</param>
    /// <param name="batch">The rows of the batch.</param>
    /// <param name="group">The rows of the group, of the same width.</param>
    // Bound: Batch and Group make spans within the rows that Gather and AddTo were given.
    private readonly unsafe struct MoveCall(int* rows, Rows batch, Rows group)
    {
        private readonly int* _rows = rows;
        private readonly float* _batch = batch.Pointer,
            _group = group.Pointer;

        public readonly int Count = group.Count,
            Width = group.Width;

        public float* Weights { get; init; }

        /// <summary>Some columns of the batch's row that belongs to row i of the group.</summary>
        public Span<float> Batch(int i, int column, int width) => new(_batch + (long)_rows[i] * Width + column, width);

        /// <summary>Some columns of row i of the group.</summary>
        public Span<float> Group(int i, int column, int width) => new(_group + (long)i * Width + column, width);
    }

    /// <summary>Walks over the experts that have rows, ascending.</summary>
    /// <param name="routing">Knows the rows of every expert.</param>
    /// <param name="first">Number of the first expert.</param>
    /// <param name="end">One more than the number of the last expert.</param>
    public ref struct Enumerator(Routing routing, int first, int end)
    {
        private int _expert = first - 1;

        public readonly Expert Current => routing[_expert];

        public bool MoveNext()
        {
            while (++_expert < end)
                if (routing[_expert].Count > 0)
                    return true;
            return false;
        }
    }
}

/// <summary>One expert and the rows of a batch that chose it.</summary>
/// <param name="index">Number of the expert, from 0.</param>
/// <param name="rows">The rows' indices in the batch, ascending.</param>
/// <param name="weights">The weight of the expert in each of the rows.</param>
internal readonly ref struct Expert(int index, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights)
{
    public int Index { get; } = index;
    public ReadOnlySpan<int> Rows { get; } = rows;
    public ReadOnlySpan<float> Weights { get; } = weights;
    public int Count => Rows.Length;
}

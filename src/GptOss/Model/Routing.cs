using System.Numerics.Tensors;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// Chooses the experts of each row from the router's scores, and lists for each expert the rows that chose it, with
/// their weights. Reused from layer to layer.
/// </summary>
internal sealed class Routing
{
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

    /// <summary>The experts that have rows, ascending.</summary>
    public Enumerator ByExpert => new(this);

    private Expert this[int expert]
    {
        get
        {
            int start = _starts[expert],
                count = _starts[expert + 1] - start;
            return new Expert(expert, _rows.AsSpan(start, count), _rowWeights.AsSpan(start, count));
        }
    }

    public ref struct Enumerator(Routing routing)
    {
        private int _expert = -1;

        public readonly Enumerator GetEnumerator() => this;

        public readonly Expert Current => routing[_expert];

        public bool MoveNext()
        {
            while (++_expert < routing._starts.Length - 1)
                if (routing._starts[_expert + 1] > routing._starts[_expert])
                    return true;
            return false;
        }
    }
}

/// <summary>
/// One expert and the rows of a batch that chose it: gathers their activations, and adds the expert's results to them.
/// </summary>
/// <param name="index">Number of the expert, from 0.</param>
/// <param name="rows">The rows' indices in the batch, ascending.</param>
/// <param name="weights">The weight of the expert in each of the rows.</param>
internal readonly ref struct Expert(int index, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights)
{
    private readonly ReadOnlySpan<int> _rows = rows;
    private readonly ReadOnlySpan<float> _weights = weights;

    public int Index { get; } = index;
    public int Count => _rows.Length;

    /// <summary>Copies the rows of x that chose this expert to <paramref name="gathered"/>, [count, width].</summary>
    public Rows Gather(Rows x, Rows gathered)
    {
        for (int i = 0; i < _rows.Length; i++)
            x[_rows[i]].CopyTo(gathered[i]);
        return gathered;
    }

    /// <summary>
    /// Adds the expert's results: x[row] += weight · y[i]. The experts must be called in ascending order, because that
    /// is the order of the sum. Overwrites y.
    /// </summary>
    public void AddTo(Rows x, Rows y)
    {
        for (int i = 0; i < _rows.Length; i++)
        {
            TensorPrimitives.Multiply(y[i], _weights[i], y[i]);
            TensorPrimitives.Add(x[_rows[i]], y[i], x[_rows[i]]);
        }
    }
}

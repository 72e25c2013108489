using System.Numerics.Tensors;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>Which experts work on which rows, and with what weight. Reused from layer to layer.</summary>
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
    /// <param name="scores">[rows, experts].</param>
    /// <param name="k">Experts per row.</param>
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

        // Counting sort: starts[e] first counts, then points behind expert e's rows, then to their beginning.
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

/// <summary>One expert's rows of a batch.</summary>
internal readonly ref struct Expert(int index, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights)
{
    private readonly ReadOnlySpan<int> _rows = rows;
    private readonly ReadOnlySpan<float> _weights = weights;

    public int Index { get; } = index;
    public int Count => _rows.Length;

    /// <summary>The rows of x that chose this expert: [count, width].</summary>
    public Rows Gather(Rows x, Rows gathered)
    {
        for (int i = 0; i < _rows.Length; i++)
            x[_rows[i]].CopyTo(gathered[i]);
        return gathered;
    }

    /// <summary>x[row] += weight · y[i]. Called in ascending order of experts, this is the order of the sum.</summary>
    public void AddTo(Rows x, Rows y)
    {
        for (int i = 0; i < _rows.Length; i++)
        {
            TensorPrimitives.Multiply(y[i], _weights[i], y[i]);
            TensorPrimitives.Add(x[_rows[i]], y[i], x[_rows[i]]);
        }
    }
}

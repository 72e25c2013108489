using System.Runtime.InteropServices;
using GptOss.Kernels;
using GptOss.Threading;

namespace GptOss.Model;

/// <summary>
/// The memory and the threads of a forward pass: one buffer for each intermediate result. Buffers grow to the largest
/// batch seen and are then reused, so that nothing is allocated per token.
/// </summary>
/// <remarks>One pass at a time. What a method returns is valid until the same method is called again.</remarks>
/// <param name="c">Sizes that give each buffer its width.</param>
/// <param name="team">The threads that share out the work of the pass.</param>
internal sealed class Workspace(ModelConfig c, WorkerTeam team) : IDisposable
{
    private readonly Buffer _residual = new(),
        _normed = new(),
        _query = new(),
        _key = new(),
        _value = new(),
        _heads = new();
    private readonly Buffer _projected = new(),
        _angles = new(),
        _scores = new(),
        _gathered = new(),
        _permuted = new();
    private readonly Buffer _gateUp = new(),
        _hidden = new(),
        _last = new(),
        _logits = new(),
        _scratch = new(),
        _splitStates = new(),
        _thin = new();

    public WorkerTeam Team => team;

    /// <summary>
    /// Stops the pass that runs. Products and attention look at it, so that a pass of any size ends within
    /// milliseconds.
    /// </summary>
    public CancellationToken Stop { get; set; }

    public Routing Routing { get; } = new();

    /// <summary>Bytes that all buffers have taken.</summary>
    public long Bytes => Buffers.Sum(buffer => buffer.Bytes);

    public Rows Residual(int rows) => _residual.Rows(rows, c.HiddenSize);

    public Rows Normed(int rows) => _normed.Rows(rows, c.HiddenSize);

    public Rows Angles(int rows) => _angles.Rows(rows, c.HeadDim);

    public Rows Query(int rows) => _query.Rows(rows, c.QueryWidth);

    public Rows Key(int rows) => _key.Rows(rows, c.KeyValueWidth);

    public Rows Value(int rows) => _value.Rows(rows, c.KeyValueWidth);

    public Rows Heads(int rows) => _heads.Rows(rows, c.QueryWidth);

    public Rows Projected(int rows) => _projected.Rows(rows, c.HiddenSize);

    public Rows RouterScores(int rows) => _scores.Rows(rows, c.NumLocalExperts);

    public Rows Gathered(int rows) => _gathered.Rows(rows, c.HiddenSize);

    public Rows GateUp(int rows) => _gateUp.Rows(rows, 2 * c.IntermediateSize);

    public Rows Hidden(int rows) => _hidden.Rows(rows, c.IntermediateSize);

    public Rows Last(int rows) => _last.Rows(rows, c.HiddenSize);

    public Rows Logits(int rows) => _logits.Rows(rows, c.VocabSize);

    /// <summary>
    /// Activations permuted or quantised for a kind of matrix, <paramref name="width"/> floats a row.
    /// </summary>
    public Rows Permuted(int rows, int width) => _permuted.Rows(rows, width);

    /// <summary>The values between the two thin products of an adapter, [rows, rank].</summary>
    public Rows Thin(int rows, int rank) => _thin.Rows(rows, rank);

    /// <summary>One row of floats for each worker of the team.</summary>
    public Rows Scratch(int floatsPerWorker) => _scratch.Rows(team.Workers, floatsPerWorker);

    /// <summary>The attention states of single splits of a context, <paramref name="width"/> floats each.</summary>
    public Rows SplitStates(int count, int width) => _splitStates.Rows(count, width);

    /// <summary>
    /// The most bytes that a row takes, which it does where it chooses one expert with all other rows of the pass.
    /// </summary>
    public static long MostRowBytes(ModelConfig c)
    {
        long stream = 3 * c.HiddenSize + 2 * c.QueryWidth + 2 * c.KeyValueWidth + c.HeadDim + c.NumLocalExperts,
            permuted = Math.Max(Math.Max(c.HiddenSize, c.QueryWidth), c.IntermediateSize),
            expert = c.HiddenSize + 3L * c.IntermediateSize;
        return (stream + permuted + expert) * sizeof(float);
    }

    /// <summary>The most bytes that all buffers take.</summary>
    /// <param name="c">The sizes of the model.</param>
    /// <param name="rows">The rows of the largest pass.</param>
    /// <param name="wanted">The most rows of which logits are wanted: one for each request that runs.</param>
    /// <param name="scratch">Floats of scratch memory of all threads together.</param>
    public static long MostBytes(ModelConfig c, int rows, int wanted, long scratch) =>
        rows * MostRowBytes(c) + ((long)wanted * (c.VocabSize + c.HiddenSize) + scratch) * sizeof(float);

    /// <summary>Gives all memory back to the system; the next pass takes what it needs.</summary>
    public void Trim()
    {
        foreach (Buffer buffer in Buffers)
            buffer.Free();
    }

    public void Dispose()
    {
        foreach (Buffer buffer in Buffers)
            buffer.Dispose();
    }

    private Buffer[] Buffers =>
        [
            _residual,
            _normed,
            _query,
            _key,
            _value,
            _heads,
            _projected,
            _angles,
            _scores,
            _gathered,
            _permuted,
            _gateUp,
            _hidden,
            _last,
            _logits,
            _scratch,
            _splitStates,
            _thin,
        ];

    /// <summary>
    /// Memory outside the managed heap, aligned to cache lines: its address never changes under a running kernel.
    /// </summary>
    // Bound: Rows gives out a span of the floats that it has allocated, and checks their product.
    private sealed unsafe class Buffer : IDisposable
    {
        private float* _data;
        private long _capacity;

        ~Buffer() => Free();

        public long Bytes => Volatile.Read(ref _capacity) * sizeof(float);

        public Rows Rows(int rows, int width)
        {
            int count = checked(rows * width);
            if (count > _capacity)
            {
                Free();
                _data = (float*)NativeMemory.AlignedAlloc((nuint)count * sizeof(float), 64);
                _capacity = count;
            }
            return new Rows(new Span<float>(_data, count), width);
        }

        public void Dispose()
        {
            Free();
            GC.SuppressFinalize(this);
        }

        public void Free()
        {
            NativeMemory.AlignedFree(_data);
            _data = null;
            _capacity = 0;
        }
    }
}

using GptOss.Kernels;
using GptOss.Model;
using GptOss.Sampling;
using GptOss.Threading;

namespace GptOss.Generation;

/// <summary>What one forward pass computes: which tokens, and what becomes of their logits.</summary>
internal interface IPass
{
    /// <summary>Adds the tokens of the pass to an empty batch.</summary>
    void Fill(Batch batch);

    /// <summary>
    /// Takes the logits, one row for each row of the batch that wants them. The sequences take in the pass afterwards,
    /// and only if this does not throw.
    /// </summary>
    /// <param name="logits">The logits, [wanted rows, vocab]; may be changed.</param>
    /// <param name="batch">The rows of the pass, of which some may be said not to count.</param>
    void Read(Rows logits, Batch batch);
}

/// <summary>
/// Runs forward passes over one model, one at a time. Owns the threads and the memory of a pass, and knows nothing of
/// requests.
/// </summary>
internal sealed class Engine : IDisposable
{
    private readonly WorkerTeam _team;
    private readonly Workspace _workspace;
    private readonly Batch _batch = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _closing = new();
    private readonly Func<CancellationToken, NumericFaultException> _explainFault;

    /// <param name="weights">The weights of the model.</param>
    /// <param name="threads">Number of threads that compute, the caller's among them.</param>
    /// <param name="contextLength">The most tokens of a sequence.</param>
    /// <param name="cache">Where keys and values go; the engine disposes it.</param>
    /// <param name="explainFault">Finds the cause of logits that are not finite.</param>
    /// <exception cref="InsufficientMemoryException">The system starts no more threads. The cache is
    /// disposed.</exception>
    public Engine(
        ModelWeights weights,
        int threads,
        int contextLength,
        KvCache cache,
        Func<CancellationToken, NumericFaultException> explainFault
    )
    {
        Weights = weights;
        ContextLength = contextLength;
        Cache = cache;
        try
        {
            Instruments = new Instruments(Cache);
            _team = new WorkerTeam(threads);
        }
        catch
        {
            Instruments?.Dispose();
            cache.Dispose();
            throw;
        }
        _workspace = new Workspace(weights.Config, _team);
        Samplers = new SamplerTeam(_team);
        _explainFault = explainFault;
    }

    /// <summary>The name of the model in messages.</summary>
    public string ModelName { get; init; } = "";

    public ModelWeights Weights { get; }

    public int ContextLength { get; }

    public KvCache Cache { get; }

    /// <summary>
    /// The most rows of a pass that one prompt has for itself: their activations take an eighth of the memory for keys
    /// and values at the most.
    /// </summary>
    /// <remarks>
    /// A row of gpt-oss-20b takes up to 134 KB, 2,048 rows 275 MB. Where 2.2 GB are there for keys and values, as there
    /// are by default where 4 GB are free beside the weights, a pass takes that many.
    /// </remarks>
    public int LoneRows => MemoryBudget.RowsWithin(Cache.Pool.BudgetBytes, Weights.Config);

    /// <summary>Bytes of memory for activations that are taken now.</summary>
    public long ActivationBytes => _workspace.Bytes;

    /// <summary>How many passes have begun.</summary>
    public long Passes { get; private set; }

    public Instruments Instruments { get; }

    /// <summary>Chooses tokens from the logits of a pass, while it is read.</summary>
    public SamplerTeam Samplers { get; }

    /// <summary>Set when the engine is being closed; every pass under way then ends before its next expert.</summary>
    public CancellationToken Closing => _closing.Token;

    /// <summary>Runs one pass, as soon as no other pass runs.</summary>
    /// <exception cref="OperationCanceledException">The pass was stopped; its sequences are as they were.</exception>
    /// <exception cref="ObjectDisposedException">The engine was closed.</exception>
    public void Run(IPass pass, CancellationToken stop)
    {
        _turn.Wait(stop);
        try
        {
            if (_closing.IsCancellationRequested)
                throw Disposed();
            Passes++;
            pass.Fill(_batch);
            pass.Read(Transformer.Forward(Weights, _batch, Cache, _workspace, stop), _batch);
            _batch.Advance();
        }
        finally
        {
            _batch.Clear();
            _turn.Release();
        }
    }

    /// <summary>
    /// Looks through all weights for the cause of logits that are not finite, which can take a minute.
    /// </summary>
    public NumericFaultException ExplainFault(CancellationToken stop) => _explainFault(stop);

    /// <summary>Lets every pass under way end before its next expert, and no other begin.</summary>
    public void Close() => _closing.Cancel();

    /// <summary>What is thrown to those who still want something of a closed engine.</summary>
    public ObjectDisposedException Disposed() => new(null, $"The model '{Printable.Name(ModelName)}' was disposed.");

    /// <summary>Gives the memory of activations back to the system, unless a pass runs.</summary>
    public void Rest()
    {
        if (!_turn.Wait(0))
            return;
        _workspace.Trim();
        _turn.Release();
    }

    /// <summary>Closes, waits for the pass under way, then lets go of threads and memory.</summary>
    public void Dispose()
    {
        Close();
        _turn.Wait();
        _team.Dispose();
        _workspace.Dispose();
        Cache.Dispose();
        Instruments.Dispose();
        _turn.Release(); // whoever comes now is told that the engine is closed
    }
}

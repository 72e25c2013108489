using GptOss.Kernels;
using GptOss.Model;
using GptOss.Sampling;
using GptOss.Threading;

namespace GptOss.Generation;

/// <summary>
/// Runs the forward passes of all sequences over one model, one pass at a time, and chooses a token from the logits of
/// each. Owns the threads and the memory of a pass.
/// </summary>
internal sealed class Engine : IDisposable
{
    /// <summary>
    /// The most prompt tokens of one pass: enough for each expert to work on many of them at once, and few enough that
    /// the buffers of a pass do not grow with the prompt.
    /// </summary>
    public const int PrefillChunk = 512;

    private readonly WorkerTeam _team;
    private readonly Workspace _workspace;
    private readonly Batch _batch = new();
    private readonly Sampler _sampler = new();
    private readonly LogProbabilities _probabilities = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _closing = new();
    private readonly Func<CancellationToken, NumericFaultException> _explainFault;

    /// <param name="weights">The weights of the model.</param>
    /// <param name="threads">Number of threads that compute, the caller's among them.</param>
    /// <param name="contextLength">The most tokens of a sequence.</param>
    /// <param name="cache">Where keys and values go; the engine disposes it.</param>
    /// <param name="explainFault">Finds the cause of logits that are not finite.</param>
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
        Instruments = new Instruments(Cache);
        _team = new WorkerTeam(threads);
        _workspace = new Workspace(weights.Config, _team);
        _explainFault = explainFault;
    }

    /// <summary>The name of the model in messages.</summary>
    public string ModelName { get; init; } = "";

    public ModelWeights Weights { get; }

    public int ContextLength { get; }

    public KvCache Cache { get; }

    public Instruments Instruments { get; }

    /// <summary>Set when the engine is being closed; every pass under way then ends before its next expert.</summary>
    public CancellationToken Closing => _closing.Token;

    /// <summary>
    /// Runs one pass of a sequence over a chunk of its pending tokens. Gives the token that follows if the chunk was
    /// the last, else null.
    /// </summary>
    /// <exception cref="NumericFaultException">The logits are not finite.</exception>
    /// <exception cref="OperationCanceledException">The sequence was stopped; it holds the passes that were
    /// complete.</exception>
    public GeneratedToken? Step(Sequence sequence)
    {
        TakeTurn(sequence.Stop);
        try
        {
            Rows logits = Pass(sequence.Kv, sequence.Pending, sequence.Stop);
            if (logits.Count == 0)
                return null;
            if (Sampler.CanBeSampled(logits.Values))
            {
                _batch.Advance();
                return Choose(sequence, logits);
            }
        }
        finally
        {
            EndTurn();
        }
        throw _explainFault(sequence.Stop); // after the turn, because the search through all weights takes long
    }

    /// <summary>
    /// Runs the given tokens behind what the sequence holds, in chunks, and returns the token that follows.
    /// </summary>
    /// <inheritdoc cref="Step"/>
    public int Next(
        KvSequence sequence,
        ReadOnlySpan<int> tokens,
        SamplingOptions sampling,
        ulong seed,
        CancellationToken stop
    )
    {
        int end = sequence.Length + tokens.Length;
        while (true)
        {
            TakeTurn(stop);
            try
            {
                Rows logits = Pass(sequence, tokens[^(end - sequence.Length)..], stop);
                if (logits.Count == 0)
                    continue;
                if (Sampler.CanBeSampled(logits.Values))
                {
                    _batch.Advance();
                    return _sampler.Next(logits[0], sampling, seed, (ulong)sequence.Length);
                }
            }
            finally
            {
                EndTurn();
            }
            throw _explainFault(stop);
        }
    }

    /// <summary>Runs one pass over several sequences and hands its logits [wanted rows, vocab] to a reader.</summary>
    public void Forward(Action<Batch> fill, Action<Rows> read, CancellationToken stop)
    {
        TakeTurn(stop);
        try
        {
            fill(_batch);
            Rows logits = Transformer.Forward(Weights, _batch, Cache, _workspace, stop);
            _batch.Advance();
            read(logits);
        }
        finally
        {
            EndTurn();
        }
    }

    /// <summary>Lets every pass under way end before its next expert, and no other begin.</summary>
    public void Close() => _closing.Cancel();

    /// <summary>What is thrown to those who still want something of a closed engine.</summary>
    public ObjectDisposedException Disposed() => new(null, $"The model '{Printable.Name(ModelName)}' was disposed.");

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

    // Runs one chunk of the pending tokens. Only the last chunk gives logits. The caller advances the batch once these
    // are seen to be finite, so that a fault leaves the sequence as it was.
    private Rows Pass(KvSequence sequence, ReadOnlySpan<int> pending, CancellationToken stop)
    {
        bool isLast = pending.Length <= PrefillChunk;
        _batch.Add(sequence, isLast ? pending : pending[..PrefillChunk], isLast ? Wanted.Last : Wanted.None);
        Rows logits = Transformer.Forward(Weights, _batch, Cache, _workspace, stop);
        if (!isLast)
            _batch.Advance();
        return logits;
    }

    private GeneratedToken Choose(Sequence sequence, Rows logits)
    {
        if (sequence.LogProbabilities is not null)
            _probabilities.Take(logits[0]); // before the sampler's bias and penalties change the logits
        int id = _sampler.Next(
            logits[0],
            sequence.Sampling,
            sequence.Seed,
            (ulong)sequence.Kv.Length,
            sequence.History
        );
        return sequence.LogProbabilities is { } count
            ? new GeneratedToken(id, _probabilities.Of(id), _probabilities.Best(count))
            : new GeneratedToken(id);
    }

    private void EndTurn()
    {
        _batch.Clear();
        _turn.Release();
    }

    private void TakeTurn(CancellationToken stop)
    {
        _turn.Wait(stop);
        if (!_closing.IsCancellationRequested)
            return;
        _turn.Release();
        throw Disposed();
    }
}

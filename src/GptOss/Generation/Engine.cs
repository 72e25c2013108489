using GptOss.Kernels;
using GptOss.Model;
using GptOss.Sampling;
using GptOss.Threading;

namespace GptOss.Generation;

/// <summary>Runs the forward passes of all sequences over one model, one pass at a time.</summary>
internal sealed class Engine : IDisposable
{
    /// <summary>Prompt tokens of one pass: enough for each expert to see many of them, few enough that memory stays flat.</summary>
    public const int PrefillChunk = 512;

    private readonly WorkerTeam _team;
    private readonly Workspace _workspace;
    private readonly Batch _batch = new();
    private readonly Sampler _sampler = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _closing = new();
    private readonly Func<CancellationToken, NumericFaultException> _explainFault;

    /// <param name="weights">The model.</param>
    /// <param name="threads">Compute threads, the caller's among them.</param>
    /// <param name="contextLength">The most tokens of a sequence.</param>
    /// <param name="format">How keys and values are stored.</param>
    /// <param name="explainFault">Finds the reason of logits that are not finite.</param>
    public Engine(
        ModelWeights weights, int threads, int contextLength, KeyValueFormat format,
        Func<CancellationToken, NumericFaultException> explainFault)
    {
        Weights = weights;
        ContextLength = contextLength;
        Cache = new KvCache(weights.Config, format);
        _team = new WorkerTeam(threads);
        _workspace = new Workspace(weights.Config, _team);
        _explainFault = explainFault;
    }

    public ModelWeights Weights { get; }

    public int ContextLength { get; }

    public KvCache Cache { get; }

    /// <summary>Set when the engine is being closed; every pass under way then ends before its next expert.</summary>
    public CancellationToken Closing => _closing.Token;

    /// <summary>One pass of a sequence: a chunk of what is pending, and when nothing is left pending the token that follows.</summary>
    /// <exception cref="NumericFaultException">The logits are not finite.</exception>
    /// <exception cref="OperationCanceledException">Stopped; the sequence holds what was complete.</exception>
    public GeneratedToken? Step(Sequence sequence)
    {
        ReadOnlySpan<int> pending = sequence.Pending;
        int count = Math.Min(PrefillChunk, pending.Length);
        TakeTurn(sequence.Stop);
        try
        {
            Rows logits = Pass(sequence.Kv, pending[..count], count == pending.Length, sequence.Stop);
            if (count < pending.Length) return null;
            TokenLogProbability[]? best = null;
            float logSum = 0;
            if (sequence.LogProbabilities is { } wanted) best = LogProbabilities.Best(logits[0], wanted, out logSum);
            Span<float> original = best is null ? default : logits[0].ToArray();   // bias and penalties change the logits
            int id = _sampler.Next(logits[0], sequence.Sampling, sequence.Seed, (ulong)sequence.Kv.Length, sequence.History);
            return new GeneratedToken(id, best is null ? null : original[id] - logSum, best);
        }
        finally
        {
            _batch.Clear();
            _turn.Release();
        }
    }

    /// <summary>Runs the given tokens behind what the sequence holds, in chunks, and returns the token that follows.</summary>
    /// <inheritdoc cref="Step"/>
    public int Next(KvSequence sequence, ReadOnlySpan<int> tokens, SamplingOptions sampling, ulong seed, CancellationToken stop)
    {
        while (true)
        {
            int count = Math.Min(PrefillChunk, tokens.Length);
            TakeTurn(stop);
            try
            {
                Rows logits = Pass(sequence, tokens[..count], count == tokens.Length, stop);
                if (count == tokens.Length) return _sampler.Next(logits[0], sampling, seed, (ulong)sequence.Length);
            }
            finally
            {
                _batch.Clear();
                _turn.Release();
            }
            tokens = tokens[count..];
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
            _batch.Clear();
            _turn.Release();
        }
    }

    /// <summary>Lets every pass under way end before its next expert, and no other begin.</summary>
    public void Close() => _closing.Cancel();

    /// <summary>Closes, waits for the pass under way, then lets go of threads and memory.</summary>
    public void Dispose()
    {
        Close();
        _turn.Wait();
        _team.Dispose();
        _workspace.Dispose();
        _turn.Release();   // whoever comes now is told that the engine is closed
    }

    private Rows Pass(KvSequence sequence, ReadOnlySpan<int> tokens, bool last, CancellationToken stop)
    {
        _batch.Add(sequence, tokens, last ? Wanted.Last : Wanted.None);
        Rows logits = Transformer.Forward(Weights, _batch, Cache, _workspace, stop);
        _batch.Advance();
        if (last && !Sampler.AreFinite(logits.Values)) throw _explainFault(stop);
        return logits;
    }

    private void TakeTurn(CancellationToken stop)
    {
        _turn.Wait(stop);
        if (!_closing.IsCancellationRequested) return;
        _turn.Release();
        throw new ObjectDisposedException(null, "The model was disposed.");
    }
}

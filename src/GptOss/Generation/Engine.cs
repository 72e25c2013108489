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

    /// <summary>Runs the given tokens behind what the sequence holds, in chunks, and returns the token that follows.</summary>
    /// <exception cref="NumericFaultException">The logits are not finite.</exception>
    /// <exception cref="OperationCanceledException">Stopped; the sequence holds what was complete.</exception>
    public int Next(KvSequence sequence, ReadOnlySpan<int> tokens, SamplingOptions sampling, ulong seed, CancellationToken stop)
    {
        while (true)
        {
            int count = Math.Min(PrefillChunk, tokens.Length);
            bool last = count == tokens.Length;
            TakeTurn(stop);
            try
            {
                _batch.Add(sequence, tokens[..count], last ? Wanted.Last : Wanted.None);
                Rows logits = Transformer.Forward(Weights, _batch, Cache, _workspace, stop);
                _batch.Advance();
                if (last)
                {
                    if (!Sampler.AreFinite(logits.Values)) throw _explainFault(stop);
                    return _sampler.Next(logits[0], sampling, seed, (ulong)sequence.Length);
                }
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

    /// <summary>Waits for the pass under way to end, which it does before its next expert, then lets go of threads and memory.</summary>
    public void Dispose()
    {
        if (_closing.IsCancellationRequested) return;
        _closing.Cancel();
        _turn.Wait();
        _team.Dispose();
        _workspace.Dispose();
        _turn.Release();   // whoever comes now is told that the engine is closed
    }

    private void TakeTurn(CancellationToken stop)
    {
        _turn.Wait(stop);
        if (!_closing.IsCancellationRequested) return;
        _turn.Release();
        throw new ObjectDisposedException("GptOssModel");
    }
}

using GptOss.Kernels;
using GptOss.Model;
using GptOss.Sampling;

namespace GptOss.Generation;

/// <summary>
/// Runs one stored sequence token by token, without a request and without the scheduler: for measurements and for
/// tests.
/// </summary>
/// <param name="engine">The engine that runs the passes.</param>
/// <param name="sequence">The sequence that is continued.</param>
internal sealed class Continuation(Engine engine, KvSequence sequence) : IPass
{
    private readonly Sampler _sampler = new();
    private ReadOnlyMemory<int> _pending;
    private readonly TokenChoice _choice = new() { Options = SamplingOptions.Greedy, Seed = 0 };
    private int _next;

    private ReadOnlyMemory<int> Chunk => _pending[..Math.Min(_pending.Length, engine.LoneRows)];

    /// <summary>Runs tokens behind what the sequence holds, in chunks, and returns the token that follows.</summary>
    /// <param name="tokens">The tokens to be computed, at least one.</param>
    /// <param name="sampling">How the next token is chosen.</param>
    /// <param name="seed">The seed of the choice.</param>
    /// <param name="stop">Ends the pass under way.</param>
    /// <exception cref="NumericFaultException">The logits are not finite; the last chunk is not part of the
    /// sequence.</exception>
    public int Next(ReadOnlyMemory<int> tokens, SamplingOptions sampling, ulong seed, CancellationToken stop)
    {
        (_pending, _choice.Options, _choice.Seed) = (tokens, sampling, seed);
        try
        {
            while (_pending.Length > 0)
            {
                engine.Run(this, stop);
                _pending = _pending[Chunk.Length..];
            }
        }
        catch (FaultyLogitsException)
        {
            throw engine.ExplainFault(stop);
        }
        return _next;
    }

    void IPass.Fill(Batch batch) =>
        batch.Add(sequence, Chunk.Span, Chunk.Length == _pending.Length ? Wanted.Last : Wanted.None);

    void IPass.Read(Rows logits, Batch batch)
    {
        if (logits.Count == 0)
            return;
        if (!Sampler.CanBeSampled(logits[0]))
            throw new FaultyLogitsException();
        _choice.Position = (ulong)(sequence.Length + Chunk.Length);
        _next = _sampler.Next(logits[0], _choice);
    }

    private sealed class FaultyLogitsException : Exception;
}

/// <summary>Passes without requests, for <c>bench</c>, <c>debug</c> and tests.</summary>
internal static class EnginePasses
{
    /// <summary>Runs tokens behind what the sequence holds and returns the token that follows.</summary>
    /// <inheritdoc cref="Continuation.Next"/>
    public static int Next(
        this Engine engine,
        KvSequence sequence,
        int[] tokens,
        SamplingOptions sampling,
        ulong seed,
        CancellationToken stop
    ) => new Continuation(engine, sequence).Next(tokens, sampling, seed, stop);

    /// <summary>Runs one pass over any sequences.</summary>
    /// <param name="engine">The engine that runs the pass.</param>
    /// <param name="fill">Adds the tokens of the pass to an empty batch.</param>
    /// <param name="read">Takes the logits, [wanted rows, vocab].</param>
    /// <param name="stop">Ends the pass under way.</param>
    public static void Forward(this Engine engine, Action<Batch> fill, Action<Rows> read, CancellationToken stop) =>
        engine.Run(new DelegatedPass(fill, read), stop);

    private sealed class DelegatedPass(Action<Batch> fill, Action<Rows> read) : IPass
    {
        public void Fill(Batch batch) => fill(batch);

        public void Read(Rows logits, Batch batch) => read(logits);
    }
}

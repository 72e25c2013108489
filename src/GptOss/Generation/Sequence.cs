using System.Runtime.InteropServices;
using GptOss.Model;

namespace GptOss.Generation;

/// <summary>One request's tokens over time: the prompt, then one more token with every step.</summary>
internal sealed class Sequence : IDisposable
{
    private readonly Engine _engine;
    private readonly KvSequence _kv;
    private readonly SamplingOptions _sampling;
    private readonly ulong _seed;
    private readonly CancellationTokenSource _stop;
    private readonly CancellationToken _cancellation;
    private readonly List<int> _tokens;

    /// <exception cref="ContextLengthException">The prompt leaves no room for an answer.</exception>
    /// <exception cref="ArgumentException">The prompt is empty or holds an id outside the vocabulary.</exception>
    public Sequence(Engine engine, IEnumerable<int> prompt, SamplingOptions sampling, CancellationToken cancellation)
    {
        _tokens = [.. prompt];
        if (_tokens.Count == 0) throw new ArgumentException("The prompt is empty.", nameof(prompt));
        if (_tokens.Count >= engine.ContextLength) throw new ContextLengthException(_tokens.Count, engine.ContextLength);
        int vocabulary = engine.Weights.Config.VocabSize;
        foreach (int token in _tokens)
            if ((uint)token >= (uint)vocabulary)
                throw new ArgumentOutOfRangeException(nameof(prompt), token, $"Token ids go from 0 to {vocabulary - 1}.");

        _engine = engine;
        _sampling = sampling;
        _seed = sampling.Seed ?? (ulong)Random.Shared.NextInt64();
        _cancellation = cancellation;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, engine.Closing);
        _kv = engine.Cache.NewSequence();
    }

    /// <summary>Whether the context is full, so that no further token can follow.</summary>
    public bool IsFull => _tokens.Count >= _engine.ContextLength;

    /// <summary>Runs what is not yet in the cache and appends the token that follows.</summary>
    public int Next()
    {
        try
        {
            ReadOnlySpan<int> pending = CollectionsMarshal.AsSpan(_tokens)[_kv.Length..];
            int token = _engine.Next(_kv, pending, _sampling, _seed, _stop.Token);
            _tokens.Add(token);
            return token;
        }
        catch (OperationCanceledException) when (!_cancellation.IsCancellationRequested)
        {
            throw new ObjectDisposedException("GptOssModel", "The model was disposed while it generated.");
        }
        catch (OperationCanceledException)
        {
            throw new OperationCanceledException(_cancellation);
        }
    }

    public void Dispose()
    {
        _kv.Dispose();
        _stop.Dispose();
    }
}

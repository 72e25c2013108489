using System.Diagnostics;
using GptOss.Generation;
using GptOss.Model;

namespace GptOss.Cli.Bench;

/// <summary>One of the published sizes with random weights, and an engine that answers with them.</summary>
internal sealed class RandomModel : IDisposable
{
    private readonly RandomWeights _random;
    private readonly FastWeights? _fast;

    /// <param name="shape">The size of the model.</param>
    /// <param name="layers">How many of its layers are made.</param>
    /// <param name="form">In which form they are made.</param>
    /// <param name="options">Threads, precision and keys and values, for as many requests as may run at once.</param>
    /// <param name="stop">Ends the making of the weights.</param>
    public RandomModel(PublishedShape shape, int layers, RandomForm form, ModelOptions options, CancellationToken stop)
    {
        int threads = options.Threads ?? Environment.ProcessorCount;
        _random = new RandomWeights(shape.Config(layers), form, stop);
        try
        {
            long started = Stopwatch.GetTimestamp();
            if (options.Precision == Precision.Fast)
                _fast = new FastWeights(_random.Weights, _random, threads, null, stop);
            ModelConfig config = _random.Weights.Config;
            long budget = options.KvCacheBytes
                ?? MemoryBudget.Default(
                    config,
                    options.KeyValueFormat,
                    config.MaxPositions,
                    options.MaxRunning,
                    new WeightBytes(Mapped: 0, Copied: Regions.Sum(region => region.Bytes))
                );
            Engine = new Engine(
                _fast?.Weights ?? _random.Weights,
                threads,
                config.MaxPositions,
                new KvCache(config, options.KeyValueFormat, budget),
                _ => new NumericFaultException("The random weights made logits that are not finite.", null)
            );
            Load = Stopwatch.GetElapsedTime(started);
        }
        catch
        {
            _fast?.Dispose();
            _random.Dispose();
            throw;
        }
    }

    public Engine Engine { get; }

    /// <summary>The memory of the weights that a pass reads.</summary>
    public IReadOnlyList<(nint Data, long Bytes)> Regions => [.. _random.Regions, .. _fast?.Regions ?? []];

    /// <summary>Time until the model can answer; the making of random numbers does not count.</summary>
    public TimeSpan Load { get; }

    public void Dispose()
    {
        Engine.Dispose();
        _fast?.Dispose();
        _random.Dispose();
    }
}

using System.Diagnostics;
using GptOss.Generation;
using GptOss.Kernels;
using GptOss.Model;

namespace GptOss.Cli.Bench;

/// <summary>
/// Measures a model: bandwidth, load, prefill, decode, memory; speeds are medians over the repetitions.
/// </summary>
internal static class Benchmark
{
    public static BenchResult Run(BenchRequest request, CancellationToken cancellationToken)
    {
        if (request.Shape is { } shape)
        {
            using var random = new RandomWeights(shape.Config(request.Layers), cancellationToken);
            long started = Stopwatch.GetTimestamp();
            using FastWeights? fast =
                request.Options.Precision == Precision.Fast
                    ? new FastWeights(
                        random.Weights,
                        random,
                        request.Options.Threads ?? Environment.ProcessorCount,
                        null,
                        cancellationToken
                    )
                    : null;
            ModelConfig config = random.Weights.Config;
            using var engine = new Engine(
                fast?.Weights ?? random.Weights,
                request.Options.Threads ?? Environment.ProcessorCount,
                config.MaxPositions,
                new KvCache(
                    config,
                    request.Options.KeyValueFormat,
                    MemoryBudget.Default(
                        config,
                        request.Options.KeyValueFormat,
                        config.MaxPositions,
                        running: request.Streams ?? 1,
                        new WeightBytes(Mapped: 0, Copied: Bytes(random.Regions) + Bytes(fast?.Regions ?? []))
                    )
                ),
                _ => new NumericFaultException("The random weights made logits that are not finite.", null)
            );
            return Measure(
                $"gpt-oss-{shape.Name} shape",
                request,
                engine,
                [.. random.Regions, .. fast?.Regions ?? []],
                Stopwatch.GetElapsedTime(started),
                cancellationToken
            );
        }

        long loading = Stopwatch.GetTimestamp();
        using GptOssModel model = GptOssModel
            .LoadAsync(request.Folder!, request.Options, null, cancellationToken)
            .GetAwaiter()
            .GetResult();
        TimeSpan load = Stopwatch.GetElapsedTime(loading);
        return Measure(model.Name, request, model.Engine, model.Source.Folder.WeightRegions(), load, cancellationToken);
    }

    private static long Bytes(IReadOnlyList<(nint Data, long Bytes)> regions) => regions.Sum(region => region.Bytes);

    private static BenchResult Measure(
        string name,
        BenchRequest request,
        Engine engine,
        IReadOnlyList<(nint Data, long Bytes)> regions,
        TimeSpan load,
        CancellationToken stop
    )
    {
        ModelConfig c = engine.Weights.Config;
        int threads = request.Options.Threads ?? Environment.ProcessorCount;
        if (request.PromptTokens + request.DecodeTokens > engine.ContextLength)
            throw new Shell.UsageException(
                $"-p {request.PromptTokens} and -n {request.DecodeTokens} together exceed the model's context of "
                    + $"{engine.ContextLength} tokens."
            );

        if (request.Context + request.DecodeTokens >= engine.ContextLength)
            throw new Shell.UsageException(
                $"--context {request.Context} and -n {request.DecodeTokens} together exceed the model's context of "
                    + $"{engine.ContextLength} tokens."
            );

        var prefill = new double[request.Repetitions];
        var decode = new double[request.Repetitions];
        var bandwidth = new double[request.Repetitions];
        int[] prompt = RandomTokens(request.PromptTokens, c.VocabSize);
        // The first run compiles the kernels and fills the caches, and is not measured.
        Once(engine, RandomTokens(Math.Min(8, request.PromptTokens), c.VocabSize), 2, stop);
        for (int i = 0; i < request.Repetitions; i++)
        {
            bandwidth[i] = WeightBandwidth.Measure(regions, threads) / 1e9;
            (prefill[i], decode[i]) = Once(engine, prompt, request.DecodeTokens, stop);
        }

        double prefillSpeed = Median(prefill);
        double meanContext = request.PromptTokens + request.DecodeTokens / 2.0;
        double keyValues =
            c.IsSliding.Sum(sliding => sliding ? Math.Min(c.SlidingWindow, meanContext) : meanContext)
            * engine.Cache.BytesPerPosition
            / c.NumHiddenLayers;
        return new BenchResult
        {
            Model = name,
            Precision = Shell.PrecisionChoice.Name(request.Options.Precision),
            Layers = c.NumHiddenLayers,
            Threads = threads,
            SimdBits = Lanes.Width > 1 ? Lanes.Width : 0,
            PromptTokens = request.PromptTokens,
            DecodeTokens = request.DecodeTokens,
            Repetitions = request.Repetitions,
            LoadS = load.TotalSeconds,
            PrefillTokPerS = prefillSpeed,
            DecodeTokPerS = Median(decode),
            ReadBandwidthGbPerS = Median(bandwidth),
            BytesPerToken = engine.Weights.BytesPerToken + (long)keyValues,
            PrefillGmacPerS = prefillSpeed * MultiplyAddsPerPromptToken(c) / 1e9,
            DecodeAtContext = request.Context is { } context ? AtContext(request, context, engine, stop) : null,
            DecodeOfStreams = request.Streams is { } streams ? OfStreams(request, streams, engine, stop) : null,
            PeakMemoryBytes = PeakMemory.Bytes(),
        };
    }

    /// <summary>
    /// Reads the prompt, then decodes tokens one by one; returns the speed of both in tokens per second.
    /// </summary>
    private static (double Prefill, double Decode) Once(Engine engine, int[] prompt, int count, CancellationToken stop)
    {
        using KvSequence sequence = engine.Cache.NewSequence();
        long started = Stopwatch.GetTimestamp();
        int token = engine.Next(sequence, prompt, SamplingOptions.Greedy, 0, stop);
        double prefill = Stopwatch.GetElapsedTime(started).TotalSeconds;

        started = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
            token = engine.Next(sequence, [token], SamplingOptions.Greedy, 0, stop);
        return (prompt.Length / prefill, count / Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    // Short and long by turns, so that both see the same moments of a machine that is shared.
    private static ContextFigures AtContext(BenchRequest request, int context, Engine engine, CancellationToken stop)
    {
        var near = new double[request.Repetitions];
        var far = new double[request.Repetitions];
        for (int i = 0; i < request.Repetitions; i++)
        {
            near[i] = 1 / LongContext.SecondsPerToken(engine, LongContext.Short, request.DecodeTokens, stop);
            far[i] = 1 / LongContext.SecondsPerToken(engine, context, request.DecodeTokens, stop);
        }
        return new ContextFigures
        {
            Tokens = context,
            DecodeTokPerS = Median(far),
            ShortDecodeTokPerS = Median(near),
            KeyValueBytesAdded = LongContext.BytesAdded(engine, context),
        };
    }

    private static long MultiplyAddsPerPromptToken(ModelConfig c) =>
        (long)c.NumHiddenLayers
        * c.HiddenSize
        * (2 * c.QueryWidth + 2 * c.KeyValueWidth + c.NumLocalExperts + 3 * c.IntermediateSize * c.ExpertsPerToken);

    private static int[] RandomTokens(int count, int vocabulary)
    {
        var random = new Random(2);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
    }

    // One and several by turns, so that both see the same moments of a machine that is shared.
    private static StreamFigures OfStreams(BenchRequest request, int streams, Engine engine, CancellationToken stop)
    {
        var alone = new double[request.Repetitions];
        var total = new double[request.Repetitions];
        for (int i = 0; i < request.Repetitions; i++)
        {
            alone[i] = ManyStreams.TokensPerSecondAsync(engine, 1, request.DecodeTokens, stop).GetAwaiter().GetResult();
            total[i] = ManyStreams
                .TokensPerSecondAsync(engine, streams, request.DecodeTokens, stop)
                .GetAwaiter()
                .GetResult();
        }
        return new StreamFigures
        {
            Streams = streams,
            TotalTokPerS = Median(total),
            AloneTokPerS = Median(alone),
        };
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

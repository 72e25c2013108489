using System.Diagnostics;
using GptOss.Generation;
using GptOss.Kernels.Registers;
using GptOss.Model;
using GptOss.Tokenization;

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
            using var random = new RandomModel(shape, request.Layers, request.Form, request.Options, cancellationToken);
            return Measure(
                $"gpt-oss-{shape.Name} shape",
                request,
                new Measured(random.Engine, Tokenizer.O200kHarmony, random.Regions, random.Load),
                cancellationToken
            );
        }

        long loading = Stopwatch.GetTimestamp();
        using GptOssModel model = GptOssModel
            .LoadAsync(request.Folder!, request.Options, null, cancellationToken)
            .GetAwaiter()
            .GetResult();
        TimeSpan load = Stopwatch.GetElapsedTime(loading);
        return Measure(
            model.Name,
            request,
            new Measured(model.Engine, model.Tokenizer.Inner, model.Source.Folder.WeightRegions(), load),
            cancellationToken
        );
    }

    private static BenchResult Measure(string name, BenchRequest request, Measured measured, CancellationToken stop)
    {
        Engine engine = measured.Engine;
        ModelConfig c = engine.Weights.Config;
        int threads = request.Options.Threads ?? Environment.ProcessorCount;
        if (request.LongestPrompt + request.DecodeTokens > engine.ContextLength)
            throw new Shell.UsageException(
                $"A prompt of {request.LongestPrompt} and -n {request.DecodeTokens} together exceed the model's "
                    + $"context of {engine.ContextLength} tokens."
            );

        if (request.Context + request.DecodeTokens >= engine.ContextLength)
            throw new Shell.UsageException(
                $"--context {request.Context} and -n {request.DecodeTokens} together exceed the model's context of "
                    + $"{engine.ContextLength} tokens."
            );

        var prefill = new double[request.Repetitions];
        var decode = new double[request.Repetitions];
        var bandwidth = new double[request.Repetitions];
        IReadOnlyList<int> lengths = request.Prefills ?? [];
        var prefills = new double[lengths.Count][];
        for (int i = 0; i < prefills.Length; i++)
            prefills[i] = new double[request.Repetitions];
        int[] prompt = RandomTokens(request.PromptTokens, c.VocabSize);
        // The first run compiles the kernels and fills the caches, and is not measured.
        Once(engine, RandomTokens(Math.Min(8, request.PromptTokens), c.VocabSize), 2, stop);
        for (int i = 0; i < request.Repetitions; i++)
        {
            bandwidth[i] = WeightBandwidth.Measure(measured.Regions, threads) / 1e9;
            (prefill[i], decode[i]) = Once(engine, prompt, request.DecodeTokens, stop);
            for (int j = 0; j < prefills.Length; j++)
                (prefills[j][i], _) = Once(engine, RandomTokens(lengths[j], c.VocabSize), 0, stop);
        }

        double prefillSpeed = Median.Of(prefill);
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
            LoadS = measured.Load.TotalSeconds,
            PrefillTokPerS = prefillSpeed,
            DecodeTokPerS = Median.Of(decode),
            ReadBandwidthGbPerS = Median.Of(bandwidth),
            BytesPerToken = engine.Weights.BytesPerToken + (long)keyValues,
            PrefillGmacPerS = prefillSpeed * MultiplyAddsPerPromptToken(c) / 1e9,
            Prefills = [.. lengths.Zip(prefills, (tokens, speeds) => new PrefillFigures(tokens, Median.Of(speeds)))],
            DecodeAtContext = request.Context is { } context ? AtContext(request, context, engine, stop) : null,
            DecodeOfStreams = request.Streams is { } streams ? OfStreams(request, streams, engine, stop) : null,
            Edit = request.HasEdit ? Edit(request, measured, stop) : null,
            Schemas = request.HasSchemas ? Schemas(request, measured, stop) : null,
            Cancels = request.HasCancels ? Cancelled(request, engine, stop) : null,
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
            DecodeTokPerS = Median.Of(far),
            ShortDecodeTokPerS = Median.Of(near),
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
            TotalTokPerS = Median.Of(total),
            AloneTokPerS = Median.Of(alone),
        };
    }

    private static EditFigures Edit(BenchRequest request, Measured measured, CancellationToken stop)
    {
        using var workload = new EditWorkload(measured.Engine, measured.Tokenizer, stop);
        return workload.Run(request.Repetitions);
    }

    private static SchemaFigures Schemas(BenchRequest request, Measured measured, CancellationToken stop) =>
        new SchemaWorkload(measured.Engine, measured.Tokenizer, stop)
            .RunAsync(request.DecodeTokens, request.Repetitions)
            .GetAwaiter()
            .GetResult();

    private static CancelFigures[] Cancelled(BenchRequest request, Engine engine, CancellationToken stop)
    {
        using var cancels = new Cancels(engine, stop);
        int[] contexts = request.Context is { } context ? [context] : Cancels.Contexts(engine.ContextLength);
        return [.. contexts.SelectMany(context => cancels.Run(context, request.Repetitions))];
    }

    /// <summary>The model that is measured.</summary>
    /// <param name="Engine">Runs the passes of the model.</param>
    /// <param name="Tokenizer">Turns texts into tokens of the model.</param>
    /// <param name="Regions">The memory of its weights.</param>
    /// <param name="Load">Time until it could answer.</param>
    private readonly record struct Measured(
        Engine Engine,
        Tokenizer Tokenizer,
        IReadOnlyList<(nint Data, long Bytes)> Regions,
        TimeSpan Load
    );
}

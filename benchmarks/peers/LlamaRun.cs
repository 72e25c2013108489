using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using GptOss.Cli.Bench;
using LLama;
using LLama.Common;
using LLama.Native;

namespace GptOss.Peers;

/// <summary>
/// Measures llama.cpp through LLamaSharp as <c>gptoss bench</c> measures GptOss: the same steps on random token ids.
/// </summary>
internal static class LlamaRun
{
    /// <exception cref="InvalidOperationException">llama.cpp could not load or compute, or the memory does not hold the
    /// model.</exception>
    public static Figures Measure(string file, int layers, int threads, int prompt, int decode, int repetitions)
    {
        long bytes = new FileInfo(file).Length,
            memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (bytes > memory)
            throw new InvalidOperationException(
                $"The GGUF has {bytes / 1e9:F1} GB, and the machine {memory / 1e9:F1} GB of memory."
            );

        NativeLogConfig.llama_log_set(
            (level, text) =>
            {
                if (level == LLamaLogLevel.Error)
                    Console.Error.Write(text);
            }
        );
        var parameters = new ModelParams(file)
        {
            ContextSize = 4096,
            BatchSize = 2048,
            UBatchSize = 512,
            Threads = threads,
            BatchThreads = threads,
            GpuLayerCount = 0,
        };
        long loading = Stopwatch.GetTimestamp();
        using LLamaWeights weights = LLamaWeights.LoadFromFile(parameters);
        TimeSpan load = Stopwatch.GetElapsedTime(loading);
        using LLamaContext context = weights.CreateContext(parameters);

        var prefillSpeeds = new double[repetitions];
        var decodeSpeeds = new double[repetitions];
        var bandwidths = new double[repetitions];
        Once(context, Math.Min(8, prompt), 2); // the threads' and the caches' first time
        for (int i = 0; i < repetitions; i++)
        {
            bandwidths[i] = ReadBandwidth(file, bytes, threads);
            (prefillSpeeds[i], decodeSpeeds[i]) = Once(context, prompt, decode);
        }
        return new Figures(
            load.TotalSeconds,
            Figures.Median(prefillSpeeds),
            Figures.Median(decodeSpeeds),
            Figures.Median(bandwidths),
            Shape.BytesPerToken(layers),
            IsPeer: true
        );
    }

    /// <summary>Prefills a prompt, then decodes tokens one by one; returns both speeds in tokens per second.</summary>
    private static (double Prefill, double Decode) Once(LLamaContext context, int prompt, int decode)
    {
        // Below every special token.
        const int Ids = 150000;
        var random = new Random(2);
        context.NativeHandle.MemoryClear(true);
        var batch = new LLamaBatch();
        for (int i = 0; i < prompt; i++)
            batch.Add((LLamaToken)random.Next(Ids), i, LLamaSeqId.Zero, i == prompt - 1);
        long started = Stopwatch.GetTimestamp();
        Decode(context, batch);
        double prefill = Stopwatch.GetElapsedTime(started).TotalSeconds;

        started = Stopwatch.GetTimestamp();
        for (int i = 0; i < decode; i++)
        {
            batch.Clear();
            batch.Add((LLamaToken)random.Next(Ids), prompt + i, LLamaSeqId.Zero, true);
            Decode(context, batch);
        }
        return (prompt / prefill, decode / Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <exception cref="InvalidOperationException">llama.cpp failed, or made logits that are not finite.</exception>
    internal static void Decode(LLamaContext context, LLamaBatch batch)
    {
        DecodeResult result = context.NativeHandle.Decode(batch);
        if (result != DecodeResult.Ok)
            throw new InvalidOperationException($"llama.cpp failed to compute {batch.TokenCount} tokens: {result}.");
        // llama.cpp may still compute: asking for the logits waits for them.
        if (!float.IsFinite(context.NativeHandle.GetLogits()[0]))
            throw new InvalidOperationException("llama.cpp made logits that are not finite.");
    }

    /// <summary>
    /// 10⁹ bytes per second of a plain read of the file's pages, by the routine of <c>gptoss bench</c>.
    /// </summary>
    private static unsafe double ReadBandwidth(string file, long bytes, int threads)
    {
        using var mapping = MemoryMappedFile.CreateFromFile(file, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using MemoryMappedViewAccessor view = mapping.CreateViewAccessor(0, bytes, MemoryMappedFileAccess.Read);
        byte* data = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref data);
        try
        {
            // The first pass pays for the mapping's page faults, which the engine's own mapping has behind it.
            WeightBandwidth.Measure([((nint)data, bytes)], threads);
            return WeightBandwidth.Measure([((nint)data, bytes)], threads) / 1e9;
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }
}

using System.Diagnostics;
using GptOss.Generation;
using GptOss.Kernels;
using GptOss.Model;

namespace GptOss.Cli.Bench;

/// <summary>What decoding costs behind a long context, beside a short one.</summary>
/// <remarks>
/// The context is not computed: its keys and values are random numbers of a trained model's size, stored directly.
/// Reading them costs the same, and 32,768 tokens take a second instead of minutes.
/// </remarks>
internal static class LongContext
{
    /// <summary>Tokens of the context that the long one is compared with.</summary>
    public const int Short = 256;

    /// <summary>Seconds that decoding one token takes behind a context of the given length.</summary>
    public static double SecondsPerToken(Engine engine, int context, int count, CancellationToken stop)
    {
        using KvSequence sequence = engine.Cache.NewSequence();
        Fill(engine, sequence, context, stop);
        // The first pass touches what was stored last and is not measured.
        int token = engine.Next(sequence, [1], SamplingOptions.Greedy, 0, stop);
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
            token = engine.Next(sequence, [token], SamplingOptions.Greedy, 0, stop);
        return Stopwatch.GetElapsedTime(started).TotalSeconds / count;
    }

    /// <summary>
    /// Bytes of keys and values that a token reads behind the long context and not behind the short one.
    /// </summary>
    public static long BytesAdded(Engine engine, int context)
    {
        ModelConfig c = engine.Weights.Config;
        return Read(context) - Read(Short);

        long Read(int tokens) =>
            c.IsSliding.Sum(sliding => (long)(sliding ? Math.Min(c.SlidingWindow, tokens) : tokens))
            * (engine.Cache.BytesPerPosition / c.NumHiddenLayers);
    }

    /// <summary>Stores keys and values of the given number of positions in an empty sequence.</summary>
    public static void Fill(Engine engine, KvSequence sequence, int context, CancellationToken stop)
    {
        ModelConfig c = engine.Weights.Config;
        var random = new Random(3);
        float[] values =
        [
            .. Enumerable.Range(0, 4 * PageGroup.Positions * c.KeyValueWidth).Select(_ => 4 * random.NextSingle() - 2),
        ];
        int[] tokens = new int[PageGroup.Positions];
        var batch = new Batch();
        while (sequence.Length < context)
        {
            stop.ThrowIfCancellationRequested();
            int rows = Math.Min(PageGroup.Positions, context - sequence.Length);
            batch.Add(sequence, tokens.AsSpan(0, rows), Wanted.None);
            for (int layer = 0; layer < c.NumHiddenLayers; layer++)
            {
                int at = random.Next(values.Length - 2 * rows * c.KeyValueWidth + 1);
                var keys = new Rows(values.AsSpan(at, rows * c.KeyValueWidth), c.KeyValueWidth);
                engine
                    .Cache[layer]
                    .Store(
                        batch,
                        keys,
                        new Rows(values.AsSpan(at + keys.Values.Length, keys.Values.Length), c.KeyValueWidth)
                    );
            }
            batch.Advance();
        }
    }
}

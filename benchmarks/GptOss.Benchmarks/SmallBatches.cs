using System.Diagnostics;
using System.Globalization;
using GptOss.Cli.Bench;
using GptOss.Model;
using GptOss.Threading;

namespace GptOss.Benchmarks;

/// <summary>
/// Decoding speed of one pass with a token each of 1 to 16 sequences: what many conversations at once gain over one.
/// </summary>
/// <remarks>
/// The weights are random, so each sequence chooses its own experts: 8 sequences read about 21 of a layer's 32 experts.
/// The numbers of sequences take turns, so that all see the same moments of a busy machine; the medians are printed.
/// Beside the time a pass takes stands the processors' time, which other programs disturb less.
/// </remarks>
internal static class SmallBatches
{
    private const int Layers = 6,
        Prompt = 32,
        Rounds = 9;

    private static readonly int[] _sizes = [1, 2, 4, 8, 16];

    public static void Run()
    {
        using var random = new RandomWeights(
            PublishedShape.Small.Config(Layers),
            RandomForm.Safetensors,
            CancellationToken.None
        );
        int threads = Environment.ProcessorCount;
        Print("checkpoint", random.Weights, threads);
        // Last, because packing gives the memory of the dense weights back.
        using var fast = new FastWeights(random.Weights, random, threads, null, CancellationToken.None);
        Print("fast", fast.Weights, threads);
    }

    private static void Print(string precision, ModelWeights weights, int threads)
    {
        using var team = new WorkerTeam(threads);
        using var workspace = new Workspace(weights.Config, team);
        var cache = new KvCache(weights.Config, KeyValueFormat.Float32, 8L << 30);
        var tokens = new Random(5);
        var batch = new Batch();
        KvSequence[] sequences = [.. Enumerable.Range(0, _sizes[^1]).Select(_ => cache.NewSequence())];
        foreach (KvSequence sequence in sequences)
        {
            batch.Add(sequence, [.. Enumerable.Range(0, Prompt).Select(_ => Next())], Wanted.None);
            Transformer.Forward(weights, batch, cache, workspace, CancellationToken.None);
            batch.Advance();
        }
        var speeds = _sizes.ToDictionary(size => size, _ => new List<double>());
        var work = _sizes.ToDictionary(size => size, _ => new List<double>());
        for (int round = -1; round < Rounds; round++) // the first round compiles what is still to be compiled
            foreach (int size in _sizes)
            {
                int passes = Math.Max(1, 4 / size);
                TimeSpan used = Environment.CpuUsage.TotalTime;
                long started = Stopwatch.GetTimestamp();
                for (int pass = 0; pass < passes; pass++)
                {
                    foreach (KvSequence sequence in sequences.AsSpan(0, size))
                        batch.Add(sequence, [Next()], Wanted.Last);
                    Transformer.Forward(weights, batch, cache, workspace, CancellationToken.None);
                    batch.Advance();
                }
                if (round < 0)
                    continue;
                speeds[size].Add(size * passes / Stopwatch.GetElapsedTime(started).TotalSeconds);
                work[size].Add((Environment.CpuUsage.TotalTime - used).TotalMilliseconds / passes);
            }
        foreach (KvSequence sequence in sequences)
            sequence.Dispose();

        foreach (int size in _sizes)
        {
            double speed = Median(speeds[size]),
                one = Median(speeds[1]);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{precision, -10} {size, 3} sequences {speed, 7:0.00} tok/s, {speed / one:0.00} of one, "
                        + $"{1000 * size / speed:0} ms a pass, {Median(work[size]):0} ms of processor time"
                )
            );
        }

        int Next() => tokens.Next(weights.Config.VocabSize);
    }

    internal static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

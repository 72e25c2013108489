using System.Diagnostics;
using System.Globalization;
using GptOss.Cli.Bench;
using GptOss.Kernels;
using GptOss.Model;
using GptOss.Threading;

namespace GptOss.Benchmarks;

/// <summary>The time from a cancellation to the end of the pass, behind a context of 131,072 positions.</summary>
/// <remarks>
/// The keys and values are random numbers, stored directly: the pass works as long as with computed ones.
/// </remarks>
internal static class QuickCancels
{
    private const int Layers = 2,
        Tries = 12;

    public static void Run()
    {
        ModelConfig c = PublishedShape.Small.Config(Layers);
        using var random = new RandomWeights(c, CancellationToken.None);
        using var team = new WorkerTeam(Environment.ProcessorCount);
        using var workspace = new Workspace(c, team);
        var cache = new KvCache(c, KeyValueFormat.Float32, 8L << 30);
        using KvSequence sequence = cache.NewSequence();
        var batch = new Batch();
        Fill(cache, sequence, batch, c.MaxPositions - 512);
        foreach (int rows in (int[])[1, 512])
            Print(rows);

        void Print(int rows)
        {
            var moments = new Random(7);
            List<double> milliseconds = [];
            for (int i = 0; i < Tries; i++)
            {
                using var source = new CancellationTokenSource();
                long cancelled = 0;
                TimeSpan moment = (rows == 1 ? 60 : 2000) * TimeSpan.FromMilliseconds(moments.NextDouble());
                var canceller = new Thread(() =>
                {
                    Thread.Sleep(moment);
                    cancelled = Stopwatch.GetTimestamp();
                    source.Cancel();
                });
                canceller.Start();
                bool stopped = Pass(rows, source.Token);
                long ended = Stopwatch.GetTimestamp();
                canceller.Join();
                if (stopped)
                    milliseconds.Add((ended - cancelled) * 1000.0 / Stopwatch.Frequency);
            }
            milliseconds.Sort();
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{rows, 4} rows: {milliseconds.Count} of {Tries} passes were stopped, "
                        + $"median {milliseconds[milliseconds.Count / 2]:0.0} ms, worst {milliseconds[^1]:0.0} ms"
                )
            );
        }

        bool Pass(int rows, CancellationToken stop)
        {
            batch.Add(sequence, new int[rows], Wanted.Last);
            try
            {
                Transformer.Forward(random.Weights, batch, cache, workspace, stop);
                return false;
            }
            catch (OperationCanceledException)
            {
                return true;
            }
            finally
            {
                batch.Clear();
            }
        }
    }

    private static void Fill(KvCache cache, KvSequence sequence, Batch batch, int context)
    {
        ModelConfig c = cache.Config;
        var random = new Random(3);
        float[] numbers =
        [
            .. Enumerable.Range(0, 2 * PageGroup.Positions * c.KeyValueWidth).Select(_ => 4 * random.NextSingle() - 2),
        ];
        while (sequence.Length < context)
        {
            int rows = Math.Min(PageGroup.Positions, context - sequence.Length),
                floats = rows * c.KeyValueWidth;
            batch.Add(sequence, new int[rows], Wanted.None);
            var keys = new Rows(numbers.AsSpan(0, floats), c.KeyValueWidth);
            var values = new Rows(numbers.AsSpan(floats, floats), c.KeyValueWidth);
            for (int layer = 0; layer < c.NumHiddenLayers; layer++)
                cache[layer].Store(batch, keys, values);
            batch.Advance();
        }
    }
}

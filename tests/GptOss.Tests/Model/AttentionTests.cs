using GptOss.Kernels;
using GptOss.Model;
using GptOss.Tests.Kernels;
using GptOss.Tests.Oracles;
using GptOss.Threading;

namespace GptOss.Tests.Model;

/// <summary>Whoever shares the work of attention out, each result has the bits of the definition.</summary>
public sealed class AttentionTests
{
    // Positions that a sequence has before its rows of the batch: none; rows on two pages and in two query blocks; rows
    // on two splits of 4,096 positions; three splits, of which the window sees the last.
    private static readonly (int Context, int Rows)[] Runs = [(0, 3), (50, 20), (4094, 4), (8300, 2)];

    [Theory]
    [InlineData(KeyValueFormat.Float32, 32)]
    [InlineData(KeyValueFormat.Float16, 32)]
    [InlineData(KeyValueFormat.Int8, 32)]
    [InlineData(KeyValueFormat.Float32, 10)] // less than a register
    [InlineData(KeyValueFormat.Int8, 72)] // more than registers of 16
    public void Every_way_to_share_the_work_gives_the_bits_of_the_definition(KeyValueFormat format, int headDim)
    {
        var shape = new TinyShape
        {
            LayerTypes = "sf",
            SlidingWindow = 100,
            HeadDim = headDim,
        };
        using var model = LoadedModel.Random(shape, seed: 4, format: format);
        KvSequence[] sequences = [.. Runs.Select(run => model.Remembering(run.Context))];
        var batch = new Batch();
        for (int i = 0; i < Runs.Length; i++)
            batch.Add(sequences[i], new int[Runs[i].Rows], Wanted.None);
        for (int layer = 0; layer < shape.NumHiddenLayers; layer++)
        {
            ModelConfig c = model.Engine.Weights.Config;
            KvLayer kv = model.Engine.Cache[layer];
            kv.Store(batch, Random(batch.Count, c.KeyValueWidth, 1), Random(batch.Count, c.KeyValueWidth, 2));
            float[] q = Random(batch.Count, c.QueryWidth, 3).Values.ToArray();
            for (int i = 0; i < q.Length; i++)
                q[i] *= 8; // scores below the sinks and above them

            float[] expected = Defined(q, kv, batch, model, layer);
            // One worker takes each query block whole; sixteen, more than there are blocks, share its splits.
            foreach (int threads in (int[])[1, 16])
                Sample.AssertSameBits(
                    expected,
                    Shared(q, kv, batch, model, layer, threads),
                    $"layer {layer}, {threads} threads"
                );
        }
        foreach (KvSequence sequence in sequences)
            sequence.Dispose();
    }

    private static float[] Shared(float[] q, KvLayer kv, Batch batch, LoadedModel model, int layer, int threads)
    {
        ModelWeights w = model.Engine.Weights;
        using var team = new WorkerTeam(threads);
        using var ws = new Workspace(w.Config, team);
        Rows query = ws.Query(batch.Count);
        q.CopyTo(query.Values);
        return Attention.Causal(query, kv, batch, w.Layers[layer].Attention, w.Config, ws).Values.ToArray();
    }

    private static float[] Defined(float[] q, KvLayer kv, Batch batch, LoadedModel model, int layer)
    {
        ModelConfig c = model.Engine.Weights.Config;
        AttentionWeights w = model.Engine.Weights.Layers[layer].Attention;
        float[] heads = new float[q.Length];
        foreach (RowRun run in batch.Runs)
            for (int head = 0; head < c.NumAttentionHeads; head++)
            {
                (float[] keys, float[] values) = Stored(kv, run, head / c.HeadsPerKeyValueHead, w.Window, c.HeadDim);
                for (int row = 0; row < run.Count; row++)
                {
                    int at = (run.FirstRow + row) * c.QueryWidth + head * c.HeadDim,
                        seen = (run.Start + row + 1) * c.HeadDim;
                    AttentionDefinition
                        .Of(
                            q.AsSpan(at, c.HeadDim),
                            new Rows(keys.AsSpan(0, seen), c.HeadDim),
                            new Rows(values.AsSpan(0, seen), c.HeadDim),
                            w.Sinks[head],
                            w.Window
                        )
                        .CopyTo(heads, at);
                }
            }
        return heads;
    }

    // The head's keys and values by position, as its pages give them back. What lies before the window of the first row
    // is NaN: no result may know of it.
    private static (float[] Keys, float[] Values) Stored(KvLayer kv, RowRun run, int head, int window, int headDim)
    {
        int end = run.Start + run.Count,
            first = Math.Max(0, run.Start - window + 1);
        float[] keys = new float[end * headDim],
            values = new float[end * headDim],
            scratch = new float[64 * headDim];
        Array.Fill(keys, float.NaN);
        Array.Fill(values, float.NaN);
        for (int page = first / 64; 64 * page < end; page++)
        {
            int from = Math.Max(first, 64 * page),
                to = Math.Min(end, 64 * page + 64);
            ReadOnlySpan<float> stored = kv.Keys(run.Sequence, page, head, scratch);
            for (int p = from; p < to; p++)
            for (int d = 0; d < headDim; d++)
                keys[p * headDim + d] = stored[d * 64 + p % 64];
            stored = kv.Values(run.Sequence, page, head, scratch);
            stored[(from % 64 * headDim)..((to - 64 * page) * headDim)].CopyTo(values.AsSpan(from * headDim));
        }
        return (keys, values);
    }

    private static Rows Random(int rows, int width, int seed) => new(Sample.Floats(rows * width, seed), width);
}

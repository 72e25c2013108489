using GptOss.Generation;
using GptOss.Kernels;
using GptOss.Model;
using GptOss.Tests.Kernels;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>A loaded folder, run in all the ways that an engine may run it.</summary>
internal sealed class LoadedModel : IDisposable
{
    private readonly TemporaryFolder? _temporary;

    public LoadedModel(
        string folder,
        int threads = 1,
        KeyValueFormat format = KeyValueFormat.Float32,
        Precision precision = Precision.Checkpoint,
        string? adapter = null
    )
    {
        Folder = folder;
        var options = new ModelOptions
        {
            Threads = threads,
            KeyValueFormat = format,
            Precision = precision,
            Adapter = adapter,
        };
        Model = GptOssModel.LoadAsync(folder, options).GetAwaiter().GetResult();
    }

    private LoadedModel(TemporaryFolder folder, int threads, KeyValueFormat format, Precision precision)
        : this(folder.Path, threads, format, precision) => _temporary = folder;

    public string Folder { get; }

    public GptOssModel Model { get; }

    public Engine Engine => Model.Engine;

    public static LoadedModel Random(
        TinyShape shape,
        int seed,
        int threads = 1,
        KeyValueFormat format = KeyValueFormat.Float32,
        Precision precision = Precision.Checkpoint
    ) => Written(folder => TinyCheckpoint.Write(folder.Path, shape, seed), threads, format, precision);

    /// <summary>A model of a folder that is written now and goes with it.</summary>
    public static LoadedModel Written(
        Action<TemporaryFolder> write,
        int threads = 1,
        KeyValueFormat format = KeyValueFormat.Float32,
        Precision precision = Precision.Checkpoint
    )
    {
        var folder = new TemporaryFolder();
        try
        {
            write(folder);
            return new LoadedModel(folder, threads, format, precision);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Token ids from a seed.</summary>
    public static int[] Prompt(int count, int vocabulary, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
    }

    /// <summary>The logits of every position, fed in pieces of <paramref name="chunk"/> tokens.</summary>
    public float[][] Logits(int[] tokens, int chunk = int.MaxValue)
    {
        using KvSequence sequence = Engine.Cache.NewSequence();
        var logits = new List<float[]>();
        for (int at = 0; at < tokens.Length; at += Math.Min(chunk, tokens.Length))
            logits.AddRange(Pass((sequence, tokens[at..Math.Min(tokens.Length, at + Math.Min(chunk, tokens.Length))])));
        return [.. logits];
    }

    /// <summary>A sequence of the given length, whose keys and values are random numbers stored directly.</summary>
    public KvSequence Remembering(int positions)
    {
        ModelConfig c = Model.Engine.Weights.Config;
        KvSequence sequence = Engine.Cache.NewSequence();
        var batch = new Batch();
        while (sequence.Length < positions)
        {
            int rows = Math.Min(PageGroup.Positions, positions - sequence.Length);
            batch.Add(sequence, new int[rows], Wanted.None);
            for (int layer = 0; layer < c.NumHiddenLayers; layer++)
            {
                int seed = sequence.Length + layer;
                Engine.Cache[layer].Store(batch, Random(seed), Random(seed + 1_000_000));
            }
            batch.Advance();

            Rows Random(int seed) => new(Sample.Floats(rows * c.KeyValueWidth, seed), c.KeyValueWidth);
        }
        return sequence;
    }

    /// <summary>One pass over pieces of several sequences; the logits of every row, in the order of the rows.</summary>
    public float[][] Pass(params (KvSequence Sequence, int[] Tokens)[] pieces)
    {
        float[][] rows = [];
        Engine.Forward(
            batch =>
            {
                foreach ((KvSequence sequence, int[] tokens) in pieces)
                    batch.Add(sequence, tokens, Wanted.All);
            },
            logits =>
            {
                rows = new float[logits.Count][];
                for (int row = 0; row < rows.Length; row++)
                    rows[row] = logits[row].ToArray();
            },
            CancellationToken.None
        );
        return rows;
    }

    /// <summary>
    /// Several prompts in shared passes: prompt i begins i passes later and goes in pieces of its own size, so that
    /// other places of other prompts meet in one batch.
    /// </summary>
    /// <returns>The logits of every position of every prompt.</returns>
    public float[][][] Interleaved(int[][] prompts, int[] chunks)
    {
        KvSequence[] sequences = [.. prompts.Select(_ => Engine.Cache.NewSequence())];
        List<float[]>[] logits = [.. prompts.Select(_ => new List<float[]>())];
        for (int pass = 0; prompts.Where((prompt, i) => sequences[i].Length < prompt.Length).Any(); pass++)
        {
            var owners = new List<int>();
            var pieces = new List<(KvSequence, int[])>();
            for (int i = 0; i < prompts.Length && i <= pass; i++)
            {
                int at = sequences[i].Length,
                    count = Math.Min(chunks[i], prompts[i].Length - at);
                if (count == 0)
                    continue;
                pieces.Add((sequences[i], prompts[i][at..(at + count)]));
                owners.AddRange(Enumerable.Repeat(i, count));
            }
            float[][] rows = Pass([.. pieces]);
            for (int row = 0; row < rows.Length; row++)
                logits[owners[row]].Add(rows[row]);
        }
        foreach (KvSequence sequence in sequences)
            sequence.Dispose();
        return [.. logits.Select(rows => rows.ToArray())];
    }

    /// <summary>The most likely token after the prompt, then after that one, and so on, one token a pass.</summary>
    public int[] Greedy(int[] prompt, int count)
    {
        using KvSequence sequence = Engine.Cache.NewSequence();
        var answer = new List<int>();
        for (int[] next = prompt; answer.Count < count; next = [answer[^1]])
        {
            float[] last = Pass((sequence, next))[^1];
            answer.Add(Array.IndexOf(last, last.Max()));
        }
        return [.. answer];
    }

    public void Dispose()
    {
        Model.Dispose();
        _temporary?.Dispose();
    }
}

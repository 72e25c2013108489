using GptOss.Generation;
using GptOss.Model;

namespace GptOss.Tests.Model;

/// <summary>Runs a prompt through a model in the ways an engine may, and keeps every row of logits.</summary>
internal static class Logits
{
    public static GptOssModel Load(string folder, int? threads = null, KeyValueFormat format = KeyValueFormat.Float32) =>
        GptOssModel.LoadAsync(folder, new ModelOptions { Threads = threads, KeyValueFormat = format }).GetAwaiter().GetResult();

    /// <summary>[prompt, vocab], the prompt fed in pieces of <paramref name="chunk"/>.</summary>
    public static float[][] Of(GptOssModel model, int[] prompt, int chunk = int.MaxValue)
    {
        using KvSequence sequence = model.Engine.Cache.NewSequence();
        return Of(model.Engine, sequence, prompt, chunk);
    }

    public static float[][] Of(Engine engine, KvSequence sequence, int[] prompt, int chunk = int.MaxValue)
    {
        var logits = new List<float[]>();
        foreach (int[] piece in prompt.Chunk(Math.Min(chunk, prompt.Length)))
            engine.Forward(
                batch => batch.Add(sequence, piece, Wanted.All),
                rows =>
                {
                    for (int i = 0; i < rows.Count; i++) logits.Add(rows[i].ToArray());
                },
                CancellationToken.None);
        return [.. logits];
    }

    /// <summary>Three copies in one batch, each a pass behind the one before and in other pieces.</summary>
    public static float[][][] OfThreeInterleaved(GptOssModel model, int[] prompt)
    {
        KvSequence[] sequences = [.. Enumerable.Range(0, 3).Select(_ => model.Engine.Cache.NewSequence())];
        int[] chunks = [5, 1, 19], fed = [0, 0, 0];
        List<float[]>[] logits = [[], [], []];
        for (int pass = 0; fed.Any(count => count < prompt.Length); pass++)
        {
            var rowsOf = new List<int>();
            model.Engine.Forward(
                batch =>
                {
                    for (int i = 0; i < 3 && i <= pass; i++)
                    {
                        int count = Math.Min(chunks[i], prompt.Length - fed[i]);
                        if (count == 0) continue;
                        batch.Add(sequences[i], prompt.AsSpan(fed[i], count), Wanted.All);
                        fed[i] += count;
                        rowsOf.AddRange(Enumerable.Repeat(i, count));
                    }
                },
                rows =>
                {
                    for (int row = 0; row < rows.Count; row++) logits[rowsOf[row]].Add(rows[row].ToArray());
                },
                CancellationToken.None);
        }
        foreach (KvSequence sequence in sequences) sequence.Dispose();
        return [.. logits.Select(list => list.ToArray())];
    }

    public static void AssertSameBits(float[][] expected, float[][] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int row = 0; row < expected.Length; row++)
            Assert.True(
                expected[row].AsSpan().SequenceEqual(actual[row]) && expected[row].Select(BitConverter.SingleToInt32Bits)
                    .SequenceEqual(actual[row].Select(BitConverter.SingleToInt32Bits)),
                $"Row {row} differs.");
    }

    public static double WorstDifference(float[][] actual, double[][] expected) =>
        actual.Zip(expected, (a, e) => a.Zip(e, (x, y) => Math.Abs(x - y)).Max()).Max();

    public static int[] RandomPrompt(int seed, int count, int vocabulary)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
    }
}

using GptOss.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>A logit's bits depend on the model and on the tokens before it, and on nothing else (docs/decisions/0002).</summary>
public sealed class SameBitsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Shapes => ["mxfp4", "bf16 columns", "bf16 rows", "odd sizes"];

    private string Write(string shape)
    {
        TinyCheckpoint.Write(_folder.Path, shape switch
        {
            "mxfp4" => new TinyShape(),
            "bf16 columns" => new TinyShape { Experts = TinyExperts.BFloat16 },
            "bf16 rows" => new TinyShape { Experts = TinyExperts.BFloat16, Layout = TinyLayout.Original },
            _ => new TinyShape
            {
                HiddenSize = 72, IntermediateSize = 41, HeadDim = 10, NumAttentionHeads = 6, NumKeyValueHeads = 3,
                Experts = TinyExperts.BFloat16, SlidingWindow = 65,
            },
        }, seed: 11);
        return _folder.Path;
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Chunks_of_a_prompt_change_nothing(string shape)
    {
        using GptOssModel model = Logits.Load(Write(shape));
        int[] prompt = Logits.RandomPrompt(1, 150, model.VocabularySize);
        float[][] whole = Logits.Of(model, prompt);
        foreach (int chunk in (int[])[1, 7, 64]) Logits.AssertSameBits(whole, Logits.Of(model, prompt, chunk));
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Neighbours_in_the_batch_change_nothing(string shape)
    {
        using GptOssModel model = Logits.Load(Write(shape));
        int[] prompt = Logits.RandomPrompt(2, 90, model.VocabularySize);
        float[][] alone = Logits.Of(model, prompt);
        Assert.All(Logits.OfThreeInterleaved(model, prompt), copy => Logits.AssertSameBits(alone, copy));
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Threads_change_nothing(string shape)
    {
        string folder = Write(shape);
        int[] prompt = Logits.RandomPrompt(3, 80, 512);
        using GptOssModel single = Logits.Load(folder, threads: 1);
        float[][] expected = Logits.Of(single, prompt, 17);
        foreach (int threads in (int[])[2, 3])
        {
            using GptOssModel model = Logits.Load(folder, threads);
            Logits.AssertSameBits(expected, Logits.Of(model, prompt, 17));
        }
    }

    [Fact]
    public void Rows_in_one_call_equal_as_many_calls_of_one_row_for_1_to_70()
    {
        using GptOssModel model = Logits.Load(Write("mxfp4"));
        int[] prompt = Logits.RandomPrompt(4, 70, model.VocabularySize);
        float[][] single = Logits.Of(model, prompt, chunk: 1);
        for (int n = 1; n <= 70; n++) Logits.AssertSameBits(single[..n], Logits.Of(model, prompt[..n]));
    }

    [Fact]
    public void Float16_keys_and_values_are_read_back_as_stored_in_every_chunking()
    {
        using GptOssModel model = Logits.Load(Write("mxfp4"), format: KeyValueFormat.Float16);
        int[] prompt = Logits.RandomPrompt(5, 100, model.VocabularySize);
        float[][] whole = Logits.Of(model, prompt);
        foreach (int chunk in (int[])[1, 13]) Logits.AssertSameBits(whole, Logits.Of(model, prompt, chunk));

        // Rounding keys and values to 11 bits moves logits of a size of about 5 by some hundredths, and it must move them.
        using GptOssModel exact = Logits.Load(_folder.Path);
        double moved = Logits.Of(exact, prompt).Zip(whole, (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Average()).Average();
        Assert.InRange(moved, 1e-6, 0.02);
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Beyond_a_segment_of_4096_positions_chunks_change_nothing()
    {
        TinyCheckpoint.Write(_folder.Path, new TinyShape { NumHiddenLayers = 2, LayerTypes = "sf" }, seed: 12);
        using GptOssModel model = Logits.Load(_folder.Path);
        int[] prompt = Logits.RandomPrompt(6, 4200, model.VocabularySize);
        Logits.AssertSameBits(Logits.Of(model, prompt, 512), Logits.Of(model, prompt, 375));
    }

    [Fact]
    public void A_pass_that_was_stopped_leaves_the_sequence_as_it_was()
    {
        using GptOssModel model = Logits.Load(Write("mxfp4"));
        int[] prompt = Logits.RandomPrompt(8, 60, model.VocabularySize);
        float[][] expected = Logits.Of(model, prompt);

        using KvSequence sequence = model.Engine.Cache.NewSequence();
        float[][] begin = Logits.Of(model.Engine, sequence, prompt[..20]);
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => model.Engine.Forward(
            batch => batch.Add(sequence, prompt.AsSpan(20, 30), Wanted.All), _ => { }, stop.Token));
        Assert.Equal(20, sequence.Length);
        Logits.AssertSameBits(expected, [.. begin, .. Logits.Of(model.Engine, sequence, prompt[20..])]);
    }

    [Fact]
    public void Blocks_behind_the_window_are_let_go_and_all_of_them_at_the_end()
    {
        TinyCheckpoint.Write(_folder.Path, new TinyShape { NumHiddenLayers = 1, LayerTypes = "s", SlidingWindow = 70 }, seed: 13);
        using GptOssModel model = Logits.Load(_folder.Path);
        KvCache cache = model.Engine.Cache;
        KvSequence sequence = cache.NewSequence();
        Logits.Of(model.Engine, sequence, Logits.RandomPrompt(9, 400, model.VocabularySize), chunk: 10);
        Assert.InRange(cache.Bytes, 1, 3 * cache.BlockBytes);   // a window of 70 touches at most three blocks of 64
        sequence.Dispose();
        Assert.Equal(0, cache.Bytes);
    }
}

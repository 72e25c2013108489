using GptOss.Model;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

public sealed class EngineTests
{
    /// <summary>The calling thread is one of the compute threads; with one thread it does all the work.</summary>
    [Theory]
    [InlineData(0f, 1f, Precision.Checkpoint)]
    [InlineData(1f, 0.9f, Precision.Checkpoint)] // the sampler's buffers
    [InlineData(0f, 1f, Precision.Fast)]
    public void Decoding_allocates_nothing(float temperature, float topP, Precision precision)
    {
        using var random = LoadedModel.Random(new TinyShape { NumHiddenLayers = 4 }, seed: 1);
        using var model = new LoadedModel(random.Folder, precision: precision);
        var sampling = new SamplingOptions { Temperature = temperature, TopP = topP };
        using KvSequence sequence = model.Engine.Cache.NewSequence();
        int[] next = [model.Engine.Next(sequence, LoadedModel.Prompt(64, 512), sampling, 1, CancellationToken.None)];
        Decode(8); // the first tokens of a block of positions, and code that runs for the first time

        // The least of some: the runtime's own work beside it can only add.
        Assert.Equal(
            0,
            Enumerable
                .Range(0, 4)
                .Min(_ =>
                {
                    long before = GC.GetAllocatedBytesForCurrentThread();
                    Decode(40);
                    return GC.GetAllocatedBytesForCurrentThread() - before;
                })
        );

        void Decode(int count)
        {
            for (int i = 0; i < count; i++)
                next[0] = model.Engine.Next(sequence, next, sampling, 1, CancellationToken.None);
        }
    }

    [Fact]
    [Trait("speed", "slow")]
    public void A_new_block_of_positions_allocates_its_handle_in_each_layer_and_nothing_else()
    {
        const int Layers = 4;
        using var model = LoadedModel.Random(new TinyShape { NumHiddenLayers = Layers, LayerTypes = "ffff" }, seed: 1);
        Decode(100); // code that runs for the first time, the crossing into a new block too
        // The least of some: the runtime's own work beside it can only add.
        double perToken = Enumerable.Range(0, 4).Min(_ => Decode(640) / 640.0);
        TestContext.Current.TestOutputHelper?.WriteLine($"{perToken:f1} bytes a token");
        // A block's object and the delegate of its end are below 200 bytes; lists of blocks double now and then.
        Assert.InRange(perToken, 0, Layers * 200 / 64.0 + 4);

        long Decode(int count)
        {
            using KvSequence sequence = model.Engine.Cache.NewSequence();
            int[] next =
            [
                model.Engine.Next(
                    sequence,
                    LoadedModel.Prompt(200, 512),
                    SamplingOptions.Greedy,
                    1,
                    CancellationToken.None
                ),
            ];
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < count; i++)
                next[0] = model.Engine.Next(sequence, next, SamplingOptions.Greedy, 1, CancellationToken.None);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void A_prompt_longer_than_a_chunk_gives_the_token_of_one_pass()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1, threads: 2);
        int[] prompt = LoadedModel.Prompt(GptOss.Generation.Engine.PrefillChunk + 100, 512);
        float[] last = model.Logits(prompt)[^1];
        using KvSequence sequence = model.Engine.Cache.NewSequence();

        int next = model.Engine.Next(sequence, prompt, SamplingOptions.Greedy, 1, CancellationToken.None);

        Assert.Equal(Array.IndexOf(last, last.Max()), next);
        Assert.Equal(prompt.Length, sequence.Length);
    }
}

using GptOss.Generation;
using GptOss.Kernels;
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
        var continuation = new Continuation(model.Engine, sequence);
        int[] next = [continuation.Next(LoadedModel.Prompt(64, 512), sampling, 1, CancellationToken.None)];
        Decode(8); // the first tokens of a page, and code that runs for the first time

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
                next[0] = continuation.Next(next, sampling, 1, CancellationToken.None);
        }
    }

    [Fact]
    [Trait("speed", "slow")]
    public void A_new_page_allocates_no_object()
    {
        using var model = LoadedModel.Random(new TinyShape { NumHiddenLayers = 4, LayerTypes = "ffff" }, seed: 1);
        Decode(100); // code that runs for the first time, the crossing into a new page too
        // The least of some: the runtime's own work beside it can only add.
        double perToken = Enumerable.Range(0, 4).Min(_ => Decode(640) / 640.0);
        Figure.Tell($"{perToken:f1} bytes a token");
        // Lists of page numbers double now and then: 4 bytes a page.
        Assert.InRange(perToken, 0, 4);

        long Decode(int count)
        {
            using KvSequence sequence = model.Engine.Cache.NewSequence();
            var continuation = new Continuation(model.Engine, sequence);
            int[] next = [continuation.Next(LoadedModel.Prompt(200, 512), SamplingOptions.Greedy, 1, default)];
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < count; i++)
                next[0] = continuation.Next(next, SamplingOptions.Greedy, 1, default);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    /// <summary>A buffer of the vocabulary would be 800 KB a token; the list of five tokens is 64 bytes.</summary>
    [Fact]
    public void Log_probabilities_allocate_their_lists_and_nothing_of_the_vocabulary_s_size()
    {
        const int Vocabulary = 201_088;
        using var model = LoadedModel.Random(new TinyShape { NumHiddenLayers = 1, VocabSize = Vocabulary }, seed: 1);
        var request = new GenerationRequest
        {
            Prompt = [1, 2, 3],
            LogProbabilities = 5,
            Sampling = new SamplingOptions { TopP = 0.9f, Seed = 1 },
        };
        using KvSequence kv = model.Engine.Cache.NewSequence();
        using var sequence = new Sequence(request, kv, model.Engine.Instruments, () => { }, default, default);
        float[] logits = [.. Enumerable.Range(0, Vocabulary).Select(token => token % 97 / 10f)];
        Decode(8); // the buffers, and code that runs for the first time

        // The least of some: the runtime's own work beside it can only add.
        long perToken = Enumerable.Range(0, 4).Min(_ => Decode(8)) / 8;

        Figure.Tell($"{perToken} bytes a token");
        Assert.InRange(perToken, 0, 1024);
        sequence.Release();

        long Decode(int count)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < count; i++)
            {
                model.Engine.Samplers.Choose(new Rows(logits, Vocabulary), [sequence.Choice]);
                sequence.Take(
                    new GeneratedToken(sequence.Choice.Token, sequence.Choice.LogProbability, sequence.Choice.Likely),
                    contextLength: 1000
                );
                sequence.Deliver();
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void A_prompt_longer_than_a_chunk_gives_the_token_of_one_pass()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1, threads: 2);
        int[] prompt = LoadedModel.Prompt(PassBudget.ChunkRows + 100, 512);
        float[] last = model.Logits(prompt)[^1];
        using KvSequence sequence = model.Engine.Cache.NewSequence();

        int next = model.Engine.Next(sequence, prompt, SamplingOptions.Greedy, 1, CancellationToken.None);

        Assert.Equal(Array.IndexOf(last, last.Max()), next);
        Assert.Equal(prompt.Length, sequence.Length);
    }
}

using System.Diagnostics;
using GptOss.Generation;
using GptOss.Model;
using GptOss.Tests.Model;
using GptOss.Tests.TinyModel;

namespace GptOss.Tests.Generation;

/// <summary>One very long prompt beside short chats, of the trained tiny model.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class LongPromptTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>
    /// Answers keep a quarter of their speed beside a prompt, and the first token of one comes no later than twice the
    /// time of a chunk of the prompt at its quickest, for whoever arrives waits for the pass under way. Where the
    /// machine is given to this test alone, it asks for half of either.
    /// </summary>
    [Fact, Trait("kind", "long")]
    public async Task Short_answers_go_on_beside_a_prompt_that_is_very_long()
    {
        int length = Long.IsLong ? 100_000 : 2_500;
        using var wide = new WideTinyModel();
        var options = new ModelOptions { KvCacheBytes = 1L << 31 };
        using GptOssModel model = await GptOssModel.LoadAsync(wide.Path, options, null, Stop);
        var brief = new GenerationRequest
        {
            Prompt = LoadedModel.Prompt(40, 900),
            MaxTokens = 60,
            Sampling = SamplingOptions.Greedy,
        };
        int[] right = await Ask(brief); // code that runs for the first time, and the prompt's pages
        double alone = Median([await RestOf(), await RestOf(), await RestOf()]),
            chunk = Median([await ChunkOf(3), await ChunkOf(4), await ChunkOf(5)]);

        long begun = Stopwatch.GetTimestamp();
        Task<int[]> reading = Ask(brief with { Prompt = LoadedModel.Prompt(length, 900, seed: 2), MaxTokens = 1 });
        List<double> waits = [],
            beside = [];
        while (!reading.IsCompleted)
        {
            (double first, double rest) = await TimeOf(brief);
            waits.Add(first);
            beside.Add(rest);
        }
        Assert.Single(await reading);

        Figure.Tell(
            $"{length} tokens took {Stopwatch.GetElapsedTime(begun).TotalSeconds:f1} s; of {beside.Count} answers beside "
                + $"them a token took {Median(beside) / alone:f2} times as long as alone, {beside.Max() / alone:f2} at "
                + $"most; the first one came after {Median(waits) / chunk:f2} chunks of 512 tokens, "
                + $"{waits.Max() / chunk:f2} at most"
        );
        Assert.NotEmpty(beside);
        if (Long.IsLong)
        {
            Assert.InRange(Median(beside) / alone, 0, 8);
            Assert.InRange(Median(waits) / chunk, 0, 4);
        }

        async Task<int[]> Ask(GenerationRequest request)
        {
            using ITokenStream stream = model.Source.Submit(request, Stop);
            return (await Answer.Of(stream, Stop)).Ids;
        }

        async Task<double> RestOf() => (await TimeOf(brief)).Others;

        async Task<double> ChunkOf(int seed)
        {
            int[] prompt = LoadedModel.Prompt(MemoryBudget.ChunkRows, 900, seed: seed);
            long started = Stopwatch.GetTimestamp();
            await Ask(brief with { Prompt = prompt, MaxTokens = 1 });
            return Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        async Task<(double First, double Others)> TimeOf(GenerationRequest request)
        {
            long started = Stopwatch.GetTimestamp(),
                came = 0;
            using ITokenStream stream = model.Source.Submit(request, Stop);
            List<int> ids = [];
            await foreach (GeneratedToken token in stream.ReadAsync(Stop))
            {
                if (ids.Count == 0)
                    came = Stopwatch.GetTimestamp();
                ids.Add(token.Id);
            }
            Assert.Equal(right, ids);
            return (Stopwatch.GetElapsedTime(started, came).TotalSeconds, Stopwatch.GetElapsedTime(came).TotalSeconds);
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

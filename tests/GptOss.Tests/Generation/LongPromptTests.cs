using System.Diagnostics;
using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.TinyModel;

namespace GptOss.Tests.Generation;

/// <summary>One very long prompt beside short chats, of the trained tiny model.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class LongPromptTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>
    /// Answers keep a quarter of their speed beside a prompt. Where the machine is given to this test alone, it asks
    /// for half of that.
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
        Answer right = await Ask(brief); // code that runs for the first time, and the prompt's pages
        double alone = Median([await TimeOf(brief), await TimeOf(brief), await TimeOf(brief)]);

        long begun = Stopwatch.GetTimestamp();
        Task<Answer> reading = Ask(brief with { Prompt = LoadedModel.Prompt(length, 900, seed: 2), MaxTokens = 1 });
        List<double> beside = [];
        while (!reading.IsCompleted)
            beside.Add(await TimeOf(brief));
        Assert.Single((await reading).Ids);

        Figure.Tell(
            $"{length} tokens took {Stopwatch.GetElapsedTime(begun).TotalSeconds:f1} s; {beside.Count} answers beside "
                + $"them took {Median(beside) / alone:f2} times as long as alone, {beside.Max() / alone:f2} at most"
        );
        Assert.NotEmpty(beside);
        if (Long.IsLong)
            Assert.InRange(Median(beside) / alone, 0, 8);

        async Task<Answer> Ask(GenerationRequest request)
        {
            using ITokenStream stream = model.Source.Submit(request, Stop);
            return await Answer.Of(stream, Stop);
        }

        async Task<double> TimeOf(GenerationRequest request)
        {
            long started = Stopwatch.GetTimestamp();
            Assert.Equal(right, await Ask(request));
            return Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

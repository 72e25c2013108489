using System.Diagnostics.Metrics;
using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>Guessed tokens change how long an answer takes, and nothing else.</summary>
public sealed class PromptLookupTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void A_guess_follows_the_last_place_of_the_same_three_tokens_and_runs_into_itself()
    {
        List<int> tokens = [1, 2, 3, 4, 5, 1, 2, 3];
        Assert.Equal([4, 5, 1, 2, 3, 4, 5], new PromptLookup(tokens).Guess(7).ToArray());
    }

    [Theory]
    [InlineData(99, 25)] // 24 was replaced
    [InlineData(25, 26)] // 24 was left out
    public void After_an_edit_the_guess_goes_on_behind_it(int instead, int next)
    {
        List<int> tokens = [.. Enumerable.Range(20, 10), 20, 21, 22];
        var lookup = new PromptLookup(tokens);
        foreach (int token in new[] { 23, instead })
        {
            tokens.Add(token);
            lookup.Follow();
        }
        Assert.Equal([next, next + 1], lookup.Guess(2).ToArray());
    }

    [Fact]
    public void Without_an_earlier_place_nothing_is_guessed() =>
        Assert.Equal(0, new PromptLookup([1, 2, 3, 4, 5, 6]).Length);

    /// <summary>The copies are scripted, since random weights copy nothing; every third answer is unforced.</summary>
    [Theory]
    [InlineData("ff", 1)]
    [InlineData("sf", 1)]
    [InlineData("ss", 3)]
    [Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
    public async Task Answers_are_the_same_bit_for_bit_in_a_crowd_and_where_pages_run_out(string layers, int pages)
    {
        using var model = LoadedModel.Random(new TinyShape { LayerTypes = layers, SlidingWindow = 128 }, seed: 1);
        using var sizes = new SchedulerUnderTest(model, new ModelOptions());
        long budget = sizes.Engine.Cache.BytesFor(500, PassBudget.ChunkRows) * pages;
        using var tested = new SchedulerUnderTest(model, new ModelOptions { KvCacheBytes = budget, Threads = 2 });
        using var counted = new Counted();
        GenerationRequest[] requests = [.. Enumerable.Range(0, 18).Select(Request)];
        Task<Answer>[] asked =
        [
            .. requests.Select(
                (request, i) => tested.Ask(request with { PromptLookup = i % 4 != 0, Guide = Guide(i) })
            ),
        ];
        for (int i = 0; i < requests.Length; i++)
            Assert.Equal(await sizes.AskAlone(requests[i] with { Guide = Guide(i) }), await asked[i].WaitAsync(Stop));
        Assert.True(counted.Accepted > 0, $"only {counted.Accepted} of {counted.Drafted} guesses were accepted");
        Assert.True(counted.Accepted < counted.Drafted, "no guess was wrong");
        Assert.Equal(0, tested.Pool.HeldBytes);
    }

    [Theory]
    [InlineData(0)] // greedy
    [InlineData(1)] // sampled
    [Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
    public async Task A_guide_dictates_in_the_midst_of_right_guesses_and_the_answer_is_the_same(int kind)
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        GenerationRequest request = Request(kind) with { MaxTokens = 80 };
        // Every token is a right guess, but for those that the guide dictates, which the script has too.
        int[] script = [.. request.Prompt];
        foreach (int at in (int[])[20, 41, 44, 60])
            ((int[])[1, 2, 3]).CopyTo(script, at);
        request = request with { Script = script };
        Answer plain = await tested.AskAlone(request with { Guide = Dictating() });
        Assert.Equal([1, 2, 3], plain.Ids[20..23]);

        using Sequence sequence = tested.Scheduler.Submit(
            request with
            {
                Guide = Dictating(),
                PromptLookup = true,
            },
            Stop
        );
        Assert.Equal(plain, await Answer.Of(sequence, Stop));
        Assert.InRange(sequence.Telemetry.RightTokens, 1, sequence.Telemetry.GuessedTokens);

        static Listening Dictating() => new(_ => { }, made => made is 20 or 41 or 42 or 60 ? [1, 2, 3] : []);
    }

    private static GenerationRequest Request(int i)
    {
        int[] prompt = LoadedModel.Prompt(100 + 10 * i, 512, i);
        int[] edit = [.. prompt.Select((token, at) => at % 10 == 9 ? (token + 1) % 512 : token)];
        if (i % 6 == 3)
            ((int[])[1, 2, 3]).CopyTo(edit, 25); // as the guide of these requests dictates
        return new GenerationRequest
        {
            Prompt = prompt,
            Script = i % 3 == 2 ? null : edit,
            MaxTokens = 60 + i,
            StopTokens = i % 5 == 4 ? [edit[44]] : [],
            LogProbabilities = i % 2 == 0 ? 2 : null,
            Sampling = (i % 3) switch
            {
                0 => SamplingOptions.Greedy,
                1 => new SamplingOptions { Seed = (ulong)i, TopP = 0.9f },
                _ => new SamplingOptions
                {
                    Seed = (ulong)i,
                    FrequencyPenalty = -1.5f,
                    RepetitionPenalty = 0.2f,
                },
            },
        };
    }

    private static Listening? Guide(int i) =>
        i % 6 == 3 ? new Listening(made => { }, made => made == 25 ? [1, 2, 3] : []) : null;

    /// <summary>Adds up the counters of speculation while it lives.</summary>
    private sealed class Counted : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _drafted;
        private long _accepted;

        public Counted()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name.StartsWith("gptoss.speculation", StringComparison.Ordinal))
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>(
                (instrument, value, _, _) =>
                    Interlocked.Add(
                        ref instrument.Name.EndsWith("drafted", StringComparison.Ordinal)
                            ? ref _drafted
                            : ref _accepted,
                        value
                    )
            );
            _listener.Start();
        }

        public long Drafted => Volatile.Read(ref _drafted);

        public long Accepted => Volatile.Read(ref _accepted);

        public void Dispose() => _listener.Dispose();
    }
}

using GptOss.Cli.Bench;
using GptOss.Generation;
using GptOss.Model;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>The large passes of a prompt that runs alone, and what becomes of them when somebody arrives.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class LonePromptTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>
    /// The engine is held, so that the pass of the long prompt cannot end but by being stopped. The budget was told of
    /// a pass that took minutes, so that whoever arrives in this test is early.
    /// </summary>
    [Fact]
    public async Task A_request_that_arrives_early_in_a_large_pass_ends_it()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, Roomy(), budget: Taught(seconds: 512));
        using var held = new HeldEngine(tested.Engine);
        Instruments.Present now = tested.Engine.Instruments.Now;
        long unread = tested.Engine.Cache.Bytes;
        List<int> read = [];
        GenerationRequest reading = Request(2100) with { PromptRead = at => read.Add(at.Processed) };
        Task<Answer> first = tested.Ask(reading, Stop);
        // The pass is planned, and pages for its rows are taken.
        await SchedulerUnderTest.Until(() => now.Active == 1 && tested.Engine.Cache.Bytes > unread);
        Task<Answer> second = tested.Ask(Request(20), Stop);

        await SchedulerUnderTest.Until(() => (now.Waiting, now.Active) == (0, 2)); // joined, though no pass has ended

        held.LetGo();
        Answer answer = await first;
        // The pass was lost, so that no large one follows before 2,048 rows were computed in others.
        Assert.All(read.Zip(read.Skip(1)), step => Assert.InRange(step.Second - step.First, 1, PassBudget.ChunkRows));
        Assert.Equal(await tested.AskAlone(Request(2100)), answer);
        Assert.Equal(await tested.AskAlone(Request(20)), await second);
    }

    /// <summary>With one place nobody could join, so that ending the pass would only lose its time.</summary>
    [Fact]
    public async Task Where_nobody_can_join_a_large_pass_goes_on()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, Roomy() with { MaxRunning = 1 }, budget: Taught(512));
        using var held = new HeldEngine(tested.Engine);
        Instruments.Present now = tested.Engine.Instruments.Now;
        List<int> read = [];
        Task<Answer> first = tested.Ask(Request(2100) with { PromptRead = at => read.Add(at.Processed) }, Stop);
        await SchedulerUnderTest.Until(() => (now.Waiting, now.Active) == (0, 1));
        Task<Answer> second = tested.Ask(Request(20), Stop);

        held.LetGo();
        await Task.WhenAll(first, second);
        // 2,048 rows, then those that are left as fast as they may be while the other waits, and the other's 20.
        Assert.Equal([0, 2048], read[..2]);
    }

    [Fact]
    public async Task Large_passes_give_the_answer_of_small_ones_also_where_pages_are_few()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, Roomy());
        GenerationRequest request = Request(2600);
        long tight = tested.Engine.Cache.BytesFor(2700, PassBudget.ChunkRows);
        using var few = new SchedulerUnderTest(
            model,
            Roomy() with
            {
                KvCacheBytes = tight,
            },
            budget: Taught(seconds: 512)
        );

        List<int> read = [];
        Answer large = await tested.Ask(request with { PromptRead = at => read.Add(at.Processed) }, Stop);
        Assert.Equal([0, 512, 2560], read[..3]);
        Assert.Equal(large, await few.Ask(request, Stop));
        Assert.Equal(PassBudget.LoneRows, tested.Engine.LoneRows);
    }

    [Fact]
    public void Activations_of_a_large_pass_take_an_eighth_of_the_memory_for_keys_and_values()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var roomy = new SchedulerUnderTest(model, Roomy());
        long row = Workspace.MostRowBytes(roomy.Engine.Weights.Config);
        foreach ((long rows, int expected) in ((long, int)[])[(100, 512), (1000, 1000), (9000, 2048)])
        {
            using var tested = new SchedulerUnderTest(model, Roomy() with { KvCacheBytes = 8 * rows * row });
            Assert.Equal(expected, tested.Engine.LoneRows);
        }
        // hidden 2,880, intermediate 2,880, queries 4,096, keys and values 512 each, head 64, 32 experts
        Assert.Equal(134_272, Workspace.MostRowBytes(PublishedShape.Small.Config(1)));
    }

    [Fact]
    public void A_pass_yields_only_while_it_may_and_only_once()
    {
        using var stop = new PassStop();
        stop.Arrive();
        Assert.False(stop.Begin([], isLong: true, yieldSeconds: 0).IsCancellationRequested);
        stop.Arrive();
        Assert.False(stop.HasYielded, "the pass is one that nobody ends");
        stop.End();

        CancellationToken pass = stop.Begin([], isLong: true, yieldSeconds: 1000);
        stop.Arrive();
        Assert.True(pass.IsCancellationRequested && stop.HasYielded);
        stop.End();

        CancellationToken next = stop.Begin([], isLong: true, yieldSeconds: 1000);
        stop.End();
        stop.Arrive(); // behind the pass
        Assert.False(next.IsCancellationRequested || stop.HasYielded);
    }

    [Fact]
    public async Task Memory_of_activations_goes_back_when_nothing_is_asked_and_answers_stay_the_same()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, Roomy(), restAfter: TimeSpan.FromMilliseconds(1));
        long taken = 0;
        Answer before = await tested.AskAlone(
            Request(700) with
            {
                PromptRead = _ => taken = Math.Max(taken, tested.Engine.ActivationBytes),
            }
        );
        Assert.NotEqual(0, taken);
        await SchedulerUnderTest.Until(() => tested.Engine.ActivationBytes == 0);
        Assert.Equal(before, await tested.AskAlone(Request(700)));
    }

    private static ModelOptions Roomy() => new() { ContextLength = 4000, KvCacheBytes = 1L << 30 };

    private static GenerationRequest Request(int prompt) =>
        new()
        {
            Prompt = LoadedModel.Prompt(prompt, 512),
            MaxTokens = 1,
            LogProbabilities = 2,
            Sampling = SamplingOptions.Greedy,
        };

    private static PassBudget Taught(double seconds)
    {
        var budget = new PassBudget(maxSeconds: 0.2);
        budget.Learn(decodingRows: 0, promptRows: PassBudget.ChunkRows, seconds);
        return budget;
    }

    /// <summary>Holds an engine by a pass that does not end, until it is let go.</summary>
    private sealed class HeldEngine : IDisposable
    {
        private readonly ManualResetEventSlim _leave = new();
        private readonly Task _pass;

        public HeldEngine(Engine engine)
        {
            using var entered = new ManualResetEventSlim();
            _pass = Task.Run(
                () =>
                {
                    using KvSequence sequence = engine.Cache.NewSequence();
                    engine.Forward(
                        batch => batch.Add(sequence, [1], Wanted.Last),
                        _ =>
                        {
                            entered.Set();
                            _leave.Wait(Stop);
                        },
                        Stop
                    );
                },
                Stop
            );
            entered.Wait(Stop);
        }

        public void LetGo() => _leave.Set();

        public void Dispose()
        {
            LetGo();
            _pass.Wait(Stop);
            _leave.Dispose();
        }
    }
}

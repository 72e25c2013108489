using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>Too few pages, too few places, readers that are slow: all finish, and with their own answers.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class PressureTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The stream of a reader that takes nothing is full after 64 tokens.</summary>
    [Theory]
    [InlineData(1, null)] // no place to run beside the one that is not read
    [InlineData(4, 330)] // no pages beside it
    public async Task A_reader_that_never_reads_holds_up_nobody(int maxRunning, int? positions)
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var sizes = new SchedulerUnderTest(model, new ModelOptions());
        var options = new ModelOptions
        {
            MaxRunning = maxRunning,
            KvCacheBytes = positions is { } count ? sizes.Engine.Cache.BytesFor(count, PassBudget.ChunkRows) : null,
        };
        using var tested = new SchedulerUnderTest(model, options);
        var unread = new GenerationRequest
        {
            Prompt = LoadedModel.Prompt(200, 512),
            MaxTokens = 100,
            Sampling = SamplingOptions.Greedy,
        };
        using ITokenStream first = tested.Submit(unread, Stop);
        await SchedulerUnderTest.Until(() => tested.Engine.Cache.Bytes > 0);
        GenerationRequest[] others = [.. ManyRequests.Draw(4, seed: 4, longest: 250)];
        foreach (GenerationRequest request in others)
            Assert.Equal(
                await sizes.AskAlone(request),
                await tested.Ask(request, Stop).WaitAsync(TimeSpan.FromSeconds(20), Stop)
            );

        // Read at last, it has the answer that it would have had.
        Assert.Equal(
            (await sizes.AskAlone(unread)).Tokens,
            (await Answer.Of(first, Stop).WaitAsync(TimeSpan.FromSeconds(20), Stop)).Tokens
        );
    }

    [Fact]
    public async Task A_slow_reader_gets_all_of_its_answer_although_it_was_paused()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var sizes = new SchedulerUnderTest(model, new ModelOptions());
        long budget = sizes.Engine.Cache.BytesFor(420, PassBudget.ChunkRows);
        using var tested = new SchedulerUnderTest(model, new ModelOptions { KvCacheBytes = budget });
        GenerationRequest[] requests =
        [
            .. ManyRequests.Draw(5, seed: 8, longest: 100).Select(request => request with { MaxTokens = 250 }),
        ];
        string[] slow = await Task.WhenAll(requests.Select(Read));
        Assert.True(tested.Engine.Instruments.Now.Pauses > 0, "nothing was paused");
        for (int i = 0; i < requests.Length; i++)
            Assert.Equal((await sizes.AskAlone(requests[i])).Tokens, slow[i]);

        async Task<string> Read(GenerationRequest request)
        {
            using ITokenStream stream = tested.Submit(request, Stop);
            List<int> tokens = [];
            await foreach (GeneratedToken token in stream.ReadAsync(Stop))
            {
                if (tokens.Count % 50 == 0)
                    await Task.Delay(20, Stop);
                tokens.Add(token.Id);
            }
            return string.Join(' ', tokens);
        }
    }

    /// <summary>The one with the lower priority came first, and yet gives its pages to the other.</summary>
    [Fact]
    public async Task Where_pages_run_out_the_lowest_priority_is_paused()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var sizes = new SchedulerUnderTest(model, new ModelOptions());
        long budget = sizes.Engine.Cache.BytesFor(420, PassBudget.ChunkRows);
        using var tested = new SchedulerUnderTest(model, new ModelOptions { KvCacheBytes = budget });
        List<string> told = [];
        // No choice while the readers are far behind. So no stream is ever full, which would let the other answer pass
        // by, however late a busy machine's readers are. A guide that waited would owe the time, and sit passes out.
        using var places = new SemaphoreSlim(50);
        tested.Engine.Samplers.Choosing = () => places.Wait(Stop);
        var request = new GenerationRequest
        {
            Prompt = LoadedModel.Prompt(100, 512),
            MaxTokens = 250,
            Sampling = SamplingOptions.Greedy,
        };
        // The first begins only when the second is there, or it could be done by then.
        using var isHighThere = new ManualResetEventSlim();
        Task low = Ask("low", request with { Priority = -1, PromptRead = _ => isHighThere.Wait(Stop) });
        Task high = Ask("high", request with { Scope = "other" });
        isHighThere.Set();
        await Task.WhenAll(low, high);
        Assert.True(tested.Engine.Instruments.Now.Pauses > 0, "nothing was paused");
        Assert.True(told.LastIndexOf("high") < told.LastIndexOf("low"), string.Join(' ', told));

        async Task Ask(string name, GenerationRequest asked)
        {
            using ITokenStream stream = tested.Submit(asked with { Guide = new Diary(name, told) }, Stop);
            await foreach (GeneratedToken _ in stream.ReadAsync(Stop))
                places.Release();
        }
    }

    /// <summary>Writes down, on the scheduler's loop, whose answer grew.</summary>
    private sealed class Diary(string name, List<string> told) : ITokenGuide
    {
        public string Name => name;

        public Guidance Begin() => default;

        public Guidance After(int token)
        {
            told.Add(name);
            return default;
        }

        public int CountAllowed(ReadOnlySpan<int> guess) => guess.Length;
    }

    /// <summary>
    /// A pass of 512 rows needs more pages of sliding layers than decoding did. Alone in the pool, the sequence is
    /// computed again by smaller passes.
    /// </summary>
    [Fact]
    public async Task A_long_answer_is_computed_again_within_the_pages_that_it_had()
    {
        var shape = new TinyShape { LayerTypes = "ss", SlidingWindow = 128 };
        using var model = LoadedModel.Random(shape, seed: 1);
        using var sizes = new SchedulerUnderTest(model, new ModelOptions());
        var options = new ModelOptions { KvCacheBytes = 6 * sizes.Engine.Cache.PageBytes };
        using var tested = new SchedulerUnderTest(model, options);
        var request = new GenerationRequest
        {
            Prompt = LoadedModel.Prompt(60, 512),
            MaxTokens = 600,
            Sampling = SamplingOptions.Greedy,
        };
        List<int> tokens = [];
        using ITokenStream stream = tested.Submit(request, Stop);
        await foreach (GeneratedToken token in stream.ReadAsync(Stop))
        {
            tokens.Add(token.Id);
            if (tokens.Count == 450) // while this reader waits, a prompt takes all six pages
                await tested.Ask(request with { Prompt = LoadedModel.Prompt(330, 512, 2), MaxTokens = 20 }, Stop);
        }
        Assert.Equal(1, tested.Engine.Instruments.Now.Pauses);
        Assert.Equal((await sizes.AskAlone(request)).Ids, tokens);
    }

    /// <summary>Whoever joins is counted with the whole prompt, though it holds no page yet.</summary>
    [Fact]
    public async Task Prompts_that_come_at_once_join_as_far_as_there_is_room_for_all_of_them()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var sizes = new SchedulerUnderTest(model, new ModelOptions());
        long budget = sizes.Engine.Cache.BytesFor(1500, PassBudget.ChunkRows);
        using var tested = new SchedulerUnderTest(model, new ModelOptions { KvCacheBytes = budget });
        Answer[] answers = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(i =>
                    tested.Ask(
                        new GenerationRequest { Prompt = LoadedModel.Prompt(400, 512, seed: i), MaxTokens = 4 },
                        Stop
                    )
                )
        );
        Assert.All(answers, answer => Assert.Equal(4, answer.Ids.Length));
        Assert.Equal(0, tested.Engine.Instruments.Now.Pauses);
    }

    [Fact]
    public async Task What_a_guide_dictates_comes_in_its_order_whatever_the_reader_and_the_memory_do()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var sizes = new SchedulerUnderTest(model, new ModelOptions());
        long budget = sizes.Engine.Cache.BytesFor(420, PassBudget.ChunkRows);
        using var tested = new SchedulerUnderTest(model, new ModelOptions { KvCacheBytes = budget });
        int[][] answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(Read));
        foreach (int[] answer in answers)
            for (int i = 0; i + 6 < answer.Length; i++)
                if (i % 7 == 0)
                    Assert.Equal([1, 2, 3, 4, 5, 6], answer[(i + 1)..(i + 7)]);

        async Task<int[]> Read(int seed)
        {
            using ITokenStream stream = tested.Submit(
                new GenerationRequest
                {
                    Prompt = LoadedModel.Prompt(30, 512, seed),
                    MaxTokens = 280,
                    Sampling = new SamplingOptions { Seed = 1 },
                    Guide = new Listening(made => { }, made => made % 7 == 1 ? [1, 2, 3, 4, 5, 6] : []),
                }
            );
            List<int> tokens = [];
            await foreach (GeneratedToken token in stream.ReadAsync(Stop))
            {
                if (tokens.Count % 40 == 0)
                    await Task.Delay(10, Stop);
                tokens.Add(token.Id);
            }
            Assert.Equal(280, tokens.Count);
            return [.. tokens];
        }
    }

    [Fact]
    public async Task Memory_of_free_pages_goes_back_when_nothing_was_asked_for_long_and_prefixes_stay()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions(), TimeSpan.FromMilliseconds(20));
        await tested.Ask(new GenerationRequest { Prompt = LoadedModel.Prompt(500, 512), MaxTokens = 2 }, Stop);
        await SchedulerUnderTest.Until(() => tested.Engine.Cache.Bytes == 0);
        long most = tested.Pool.CommittedBytes;
        tested.Scheduler.Prefixes.Clear();
        var asked = new GenerationRequest { Prompt = LoadedModel.Prompt(100, 512), MaxTokens = 2 };
        await tested.Ask(asked, Stop);
        await SchedulerUnderTest.Until(() => tested.Pool.CommittedBytes == tested.Pool.RentedBytes);
        Assert.InRange(tested.Pool.CommittedBytes, 1, most / 2);
        Assert.Equal(99, (await tested.Ask(asked, Stop)).Cached);
    }

    [Fact]
    public void A_prompt_that_all_the_memory_cannot_hold_is_refused_with_pages_needed_and_there()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var sizes = new SchedulerUnderTest(model, new ModelOptions());
        long page = sizes.Engine.Cache.PageBytes;
        using var tested = new SchedulerUnderTest(model, new ModelOptions { KvCacheBytes = 3 * page - 1 });
        var error = Assert.Throws<ContextLengthException>(() =>
            tested.Submit(new GenerationRequest { Prompt = LoadedModel.Prompt(640, 512) }, Stop)
        );
        long needed = sizes.Engine.Cache.BytesFor(641, PassBudget.ChunkRows) * 2 / page;
        Assert.Equal((640, needed, 5), (error.PromptTokens, error.NeededPages, error.AvailablePages));
        Assert.InRange(error.ContextLength, 64, 640);
        Assert.Contains($"need {needed} pages", error.Message);
        Assert.Contains("which is 5 pages", error.Message);
    }
}

using GptOss.Generation;
using GptOss.Model;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;
using Microsoft.Extensions.AI;

namespace GptOss.Tests.Generation;

/// <summary>What is found again of earlier prompts and answers, and what is not.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class PrefixCacheTests : IDisposable
{
    private readonly LoadedModel _full = LoadedModel.Random(new TinyShape { LayerTypes = "ff" }, seed: 1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _full.Dispose();

    [Fact]
    public async Task Full_layers_find_the_longest_beginning_that_was_computed_before_but_for_the_last_token()
    {
        using var tested = new SchedulerUnderTest(_full, new ModelOptions());
        List<int[]> computed = [];
        int found = 0;
        foreach (GenerationRequest request in ManyRequests.Draw(60, seed: 1, longest: 300, longestAnswer: 20))
        {
            int[] prompt = [.. request.Prompt];
            Answer answer = await tested.Ask(request, Stop);
            int expected = computed.Select(tokens => prompt.AsSpan().CommonPrefixLength(tokens)).Append(0).Max();
            Assert.Equal(Math.Min(expected, prompt.Length - 1), answer.Cached);
            computed.Add([.. prompt, .. answer.Ids[..^1]]); // the last token was chosen and never computed
            found += answer.Cached;
        }
        Assert.True(found > 400, $"only {found} tokens were found again");
        Assert.Equal(0, tested.Pool.HeldBytes);
    }

    /// <summary>
    /// A query sees the 128 positions up to its own. The prompt of 600 tokens is read by passes of 512 and 88 rows; the
    /// pages that the window no longer sees are kept before the sequence lets them go.
    /// </summary>
    [Theory]
    [InlineData(600, 599)] // all but the token whose logits are wanted
    [InlineData(580, 580)] // within the last page
    [InlineData(300, 300)] // within the rows of one pass
    [InlineData(100, 100)]
    public async Task Sliding_layers_find_a_prefix_wherever_it_branches(int common, int atLeast)
    {
        var shape = new TinyShape { SlidingWindow = 128 };
        using var model = LoadedModel.Random(shape, seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        int[] prompt = LoadedModel.Prompt(600, 512);
        var request = new GenerationRequest
        {
            Prompt = prompt,
            MaxTokens = 5,
            LogProbabilities = 2,
        };
        await tested.Ask(request, Stop);
        int[] other = common == 600 ? prompt : [.. prompt[..common], 511 - prompt[common], 1, 2, 3];

        Answer answer = await tested.Ask(request with { Prompt = other, Sampling = SamplingOptions.Greedy }, Stop);

        Assert.InRange(answer.Cached, atLeast, Math.Min(common, other.Length - 1));
        Assert.Equal(await tested.AskAlone(request with { Prompt = other, Sampling = SamplingOptions.Greedy }), answer);
    }

    /// <summary>
    /// The most frequent use: conversations with the same instructions and tools, and different first questions.
    /// </summary>
    [Theory]
    [InlineData(300)]
    [InlineData(700)]
    [InlineData(2000)]
    public async Task Instructions_in_common_are_found_by_every_other_conversation(int common)
    {
        using var model = LoadedModel.Random(new TinyShape { SlidingWindow = 128 }, seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions { ContextLength = 4000 });
        int[] instructions = LoadedModel.Prompt(common, 512);
        for (int question = 0; question < 3; question++)
        {
            var request = new GenerationRequest
            {
                Prompt = [.. instructions, 500 + question, .. LoadedModel.Prompt(40, 500, question)],
                MaxTokens = 3,
                LogProbabilities = 2,
                Sampling = SamplingOptions.Greedy,
            };
            Answer answer = await tested.Ask(request, Stop);
            Assert.Equal(question == 0 ? 0 : common, answer.Cached);
            Assert.Equal(await tested.AskAlone(request), answer);
        }
    }

    [Fact]
    public async Task Branches_within_a_page_change_nothing_for_each_other()
    {
        using var tested = new SchedulerUnderTest(_full, new ModelOptions());
        int[] prompt = LoadedModel.Prompt(90, 512);
        var trunk = new GenerationRequest
        {
            Prompt = prompt,
            MaxTokens = 20,
            LogProbabilities = 2,
            Sampling = SamplingOptions.Greedy,
        };
        Answer before = await tested.Ask(trunk, Stop);
        GenerationRequest[] branches =
        [
            .. Enumerable.Range(0, 8).Select(i => trunk with { Prompt = [.. prompt[..(70 + 2 * i)], i, i + 1] }),
        ];
        Task<Answer>[] asked = [.. branches.Select(branch => tested.Ask(branch, Stop))];
        for (int i = 0; i < branches.Length; i++)
        {
            Answer branch = await asked[i];
            Assert.InRange(branch.Cached, 70 + 2 * i, 71 + 2 * i);
            Assert.Equal(await tested.AskAlone(branches[i]), branch);
        }
        Answer after = await tested.Ask(trunk, Stop);
        Assert.Equal((before, 89), (after, after.Cached));
    }

    [Theory]
    [InlineData(null, "a")]
    [InlineData("a", null)]
    [InlineData("a", "b")]
    [InlineData("", null)] // an empty name is a scope like any other
    public async Task Scopes_do_not_see_each_other(string? one, string? other)
    {
        using var tested = new SchedulerUnderTest(_full, new ModelOptions());
        var request = new GenerationRequest { Prompt = LoadedModel.Prompt(200, 512), MaxTokens = 2 };
        Assert.Equal(0, (await tested.Ask(request with { Scope = one }, Stop)).Cached);
        Assert.Equal(0, (await tested.Ask(request with { Scope = other }, Stop)).Cached);
        Assert.Equal(199, (await tested.Ask(request with { Scope = one }, Stop)).Cached);
        Assert.Equal(199, (await tested.Ask(request with { Scope = other }, Stop)).Cached);
    }

    [Fact]
    public void A_scope_whose_prefixes_are_gone_takes_no_memory()
    {
        using var cache = new KvCache(_full.Engine.Weights.Config, KeyValueFormat.Float32, budgetBytes: 1 << 30);
        var prefixes = new PrefixCache(cache.Pool);
        for (int i = 0; i < 5; i++)
        {
            using KvSequence sequence = cache.NewSequence();
            sequence.Reserve(70);
            sequence.Advance(70);
            prefixes.Keep(sequence, LoadedModel.Prompt(70, 512), $"scope {i}", isComplete: true);
            prefixes.Adopt(cache.NewSequence(), LoadedModel.Prompt(70, 512), "never kept");
        }
        Assert.Equal(5, prefixes.Scopes);
        prefixes.Clear();
        Assert.Equal((0, 0L), (prefixes.Scopes, cache.Pool.RentedBytes));
    }

    /// <summary>
    /// The pool has room for little more than two prompts. The prefix that is used again is then the oldest, and its
    /// own pages must make room for the copy of its last page.
    /// </summary>
    [Fact]
    public async Task A_prefix_that_is_dropped_while_it_is_used_does_no_harm()
    {
        using var sizes = new SchedulerUnderTest(_full, new ModelOptions());
        for (int pages = 4; pages < 12; pages++)
        {
            var options = new ModelOptions { KvCacheBytes = pages * sizes.Engine.Cache.PageBytes };
            using var tested = new SchedulerUnderTest(_full, options);
            foreach (int seed in (int[])[1, 2, 1, 2, 3, 1, 1, 2, 3, 2])
            {
                var request = new GenerationRequest
                {
                    Prompt = LoadedModel.Prompt(150, 512, seed),
                    MaxTokens = 30,
                    LogProbabilities = 2,
                    Sampling = SamplingOptions.Greedy,
                };
                Assert.Equal(await sizes.AskAlone(request), await tested.Ask(request, Stop));
            }
            Assert.Equal(0, tested.Pool.HeldBytes);
            Assert.InRange(tested.Pool.RentedBytes, 1, tested.Pool.BudgetBytes);
            Assert.InRange(tested.Pool.CommittedBytes, tested.Pool.RentedBytes, tested.Pool.BudgetBytes);
        }
    }

    [Fact]
    public async Task All_that_is_rented_at_the_end_is_kept_and_can_be_let_go()
    {
        using var sizes = new SchedulerUnderTest(_full, new ModelOptions());
        var options = new ModelOptions { KvCacheBytes = sizes.Engine.Cache.BytesFor(800, PassBudget.ChunkRows) };
        using var tested = new SchedulerUnderTest(_full, options);
        await Task.WhenAll(ManyRequests.Draw(30, seed: 9).Select(request => tested.Ask(request, Stop)));
        Assert.Equal(0, tested.Pool.HeldBytes);
        Assert.True(tested.Pool.RentedBytes > 0);
        while (tested.Pool.MakeRoom!(1)) { }
        Assert.Equal(0, tested.Pool.RentedBytes);
    }

    /// <summary>
    /// Of every turn but the first, all but the new question and what the chat format dropped is found again.
    /// </summary>
    [Fact]
    public async Task A_chat_of_ten_turns_finds_its_history_again()
    {
        using GptOssChatClient client = await GptOssChatClient.LoadAsync(TinyGptOss.Folder, cancellationToken: Stop);
        List<ChatMessage> history = [];
        List<UsageDetails> turns = [];
        for (int turn = 0; turn < 10; turn++)
        {
            history.Add(new(ChatRole.User, $"What is {345 + 7 * turn} + {678 - 5 * turn}?"));
            ChatResponse response = await client.GetResponseAsync(
                history,
                new ChatOptions { Temperature = 0, MaxOutputTokens = 200 },
                Stop
            );
            history.AddRange(response.Messages);
            turns.Add(response.Usage!);
        }
        AssertFound(turns, 0.7);
    }

    [Fact]
    public async Task A_loop_of_five_calls_finds_its_history_again()
    {
        using GptOssChatClient client = await GptOssChatClient.LoadAsync(TinyGptOss.Folder, cancellationToken: Stop);
        var options = new ChatOptions
        {
            Temperature = 0,
            MaxOutputTokens = 100,
            Tools = [AIFunctionFactory.Create((string[] cities) => cities[0], "compare_weather")],
        };
        List<ChatMessage> history = [];
        List<UsageDetails> turns = [];
        for (int call = 0; call < 5; call++)
        {
            history.Add(new(ChatRole.User, "Weather in Gazapu, Ghent and Miami"));
            ChatResponse response = await client.GetResponseAsync(history, options, Stop);
            turns.Add(response.Usage!);
            history.AddRange(response.Messages);
            FunctionCallContent called = Assert.Single(
                response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>()
            );
            history.Add(new(ChatRole.Tool, [new FunctionResultContent(called.CallId, "sweet wind")]));
            response = await client.GetResponseAsync(history, options, Stop);
            turns.Add(response.Usage!);
            history.AddRange(response.Messages);
        }
        AssertFound(turns, 0.6);
    }

    private static void AssertFound(List<UsageDetails> turns, double share)
    {
        Figure.Tell(
            "cached of prompt: "
                + string.Join(", ", turns.Select(turn => $"{turn.CachedInputTokenCount ?? 0}/{turn.InputTokenCount}"))
        );
        for (int turn = 1; turn < turns.Count; turn++)
            Assert.InRange(
                turns[turn].CachedInputTokenCount ?? 0,
                (long)(share * turns[turn].InputTokenCount!.Value),
                turns[turn].InputTokenCount!.Value - 1
            );
    }
}

using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>
/// First come, first served: no request gets its first token more than 2 passes before one that came earlier with the
/// same priority and no longer prompt.
/// </summary>
/// <remarks>
/// The prompts of these tests have no beginnings in common. A prompt that begins as an earlier one did is as long as
/// what is left of it to compute.
/// </remarks>
public sealed class FairnessTests : IDisposable
{
    private const int Context = 2000;

    private readonly LoadedModel _model = LoadedModel.Random(new TinyShape(), seed: 1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _model.Dispose();

    /// <summary>
    /// Plans passes and computes none: the keys and values are said to be there. Half of the loads let every pass
    /// compute the same number of rows of prompts, so that nothing evens out; the others draw it for each pass, few at
    /// times and many at others.
    /// </summary>
    [Fact]
    public void Rows_of_prompts_go_to_those_that_came_first()
    {
        using var tested = new SchedulerUnderTest(_model, new ModelOptions());
        for (int seed = 0; seed < 400; seed++)
            AssertFair(Planned(tested.Engine, new Random(seed)), $"seed {seed}");
    }

    [Theory]
    [Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
    [InlineData(0)] // pages for all
    [InlineData(420)]
    [InlineData(330)] // requests are paused, and wait for pages
    public async Task First_tokens_come_in_the_order_of_the_requests_whatever_is_paused(int positions)
    {
        using var sizes = new SchedulerUnderTest(_model, new ModelOptions());
        int pauses = 0;
        for (int seed = 0; seed < 12; seed++)
        {
            var options = new ModelOptions
            {
                MaxRunning = 2 + 2 * (seed % 4),
                KvCacheBytes = positions > 0 ? sizes.Engine.Cache.BytesFor(positions, PassBudget.ChunkRows) : null,
            };
            using var tested = new SchedulerUnderTest(_model, options);
            AssertFair(await Run(tested, new Random(seed)), $"seed {seed}");
            pauses += tested.Engine.Instruments.Now.Pauses;
            Assert.Equal(0, tested.Pool.HeldBytes);
        }
        Assert.Equal(positions > 0, pauses > 0);
    }

    private static void AssertFair(List<First> firsts, string load)
    {
        for (int late = 0; late < firsts.Count; late++)
        for (int early = 0; early < late; early++)
            if (firsts[early].Priority == firsts[late].Priority && firsts[early].Prompt <= firsts[late].Prompt)
                Assert.True(
                    firsts[late].Pass >= firsts[early].Pass - 2,
                    $"{load}: request {late}, {firsts[late]}, came before request {early}, {firsts[early]}"
                );
    }

    private static List<First> Planned(Engine engine, Random random)
    {
        var plan = new PassPlan(engine.Samplers, Context);
        int count = random.Next(2, 12),
            spread = random.Next(1, 100),
            longest = random.Next(10, 1900),
            fixedRows = random.Next(2) * random.Next(1, 100);
        int[] arrivals = [.. Enumerable.Range(0, count).Select(_ => random.Next(spread)).Order()];
        int[] lengths = [.. Enumerable.Range(0, count).Select(_ => random.Next(3) == 0 ? longest : Length())];
        List<Sequence> all = [.. lengths.Select(length => NewSequence(engine, length))],
            running = [NewSequence(engine, 1)]; // decodes all the time, or the prompts would get a whole chunk
        running[0].Kv.Advance(1);
        int[] passes = new int[count];
        for (int pass = 0; passes.Contains(0); pass++)
        {
            running.AddRange(all.Where((_, i) => arrivals[i] == pass));
            Decode(running[0]);
            int rows = fixedRows > 0 ? fixedRows : random.Next(1, random.Next(10) == 0 ? 512 : 40);
            plan.Make(running, BudgetOf(rows), isBrief: random.Next(10) == 0);
            foreach ((Sequence sequence, int share) in plan.Shares)
            {
                sequence.Kv.Advance(share);
                if (sequence.Pending.Length > 0 || sequence == running[0])
                    continue;
                passes[all.IndexOf(sequence)] = pass + 1;
                running.Remove(sequence);
            }
        }
        foreach (Sequence sequence in all.Concat(running))
            sequence.Release();
        return [.. passes.Select((pass, i) => new First(pass, lengths[i], Priority: 0))];

        int Length() => 1 + random.Next(longest);
    }

    private static Sequence NewSequence(Engine engine, int length) =>
        new(
            new GenerationRequest { Prompt = new int[length] },
            engine.Cache.NewSequence(),
            engine.Instruments,
            () => { },
            default,
            default
        );

    private static void Decode(Sequence sequence) => sequence.Take(new GeneratedToken(1), Context);

    // Three seconds are left for prompts beside rows that decode, which take one.
    private static PassBudget BudgetOf(int promptRows)
    {
        var budget = new PassBudget(maxSeconds: 100);
        budget.Learn(decodingRows: 1, promptRows: 0, seconds: 1);
        budget.Learn(decodingRows: 0, promptRows: 1, seconds: 3 / (promptRows + 0.01));
        return budget;
    }

    // A request of high priority submits the others, while the loop deals its tokens out. The loop is the only one
    // that looks at the number of passes, too.
    private static async Task<List<First>> Run(SchedulerUnderTest tested, Random random)
    {
        int count = random.Next(8, 14);
        int[] lengths = [.. Enumerable.Range(0, count).Select(_ => 1 + random.Next(4) * random.Next(90))];
        int[] priorities = [.. lengths.Select(_ => random.Next(3) / 2)];
        int[] arrivals = [.. lengths.Select(_ => 1 + random.Next(15)).Order()];
        long[] passes = new long[count];
        List<Task<Answer>> asked = [];
        var driver = new GenerationRequest
        {
            Prompt = LoadedModel.Prompt(5, 512),
            MaxTokens = 15,
            Priority = 5,
            Guide = new Listening(made =>
            {
                while (asked.Count < count && arrivals[asked.Count] == made)
                    asked.Add(tested.Ask(Request(asked.Count), Stop));
            }),
        };
        await tested.Ask(driver, Stop);
        await Task.WhenAll(asked);
        return [.. passes.Select((pass, i) => new First(pass, lengths[i], priorities[i]))];

        GenerationRequest Request(int i) =>
            new()
            {
                Prompt = LoadedModel.Prompt(lengths[i], 512, seed: 100 + i),
                MaxTokens = 1 + random.Next(50),
                Priority = priorities[i],
                Guide = new Listening(made => passes[i] = made == 1 ? tested.Engine.Passes : passes[i]),
            };
    }

    /// <summary>The first token of a request.</summary>
    /// <param name="Pass">The number of the pass that made the token.</param>
    /// <param name="Prompt">Tokens of the prompt.</param>
    /// <param name="Priority">The priority of the request.</param>
    private sealed record First(long Pass, int Prompt, int Priority);
}

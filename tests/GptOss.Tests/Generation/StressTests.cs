using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>Very many requests at once, some of them cancelled, left or never finished.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
[Promise(16)]
public sealed class StressTests
{
    [Fact]
    public Task Four_hundred_requests_from_sixteen_threads_have_their_serial_answers() => Stress(400, 16, seed: 1);

    [Fact]
    [Trait("speed", "slow")]
    public Task Three_thousand_two_hundred_requests_from_sixty_four_threads_have_their_serial_answers() =>
        Stress(3200, 64, seed: 2);

    private static async Task Stress(int count, int threads, int seed)
    {
        using var model = LoadedModel.Random(new TinyShape { SlidingWindow = 40 }, seed: 1);
        using var roomy = new SchedulerUnderTest(model, new ModelOptions());
        GenerationRequest[] requests = ManyRequests.Draw(40, seed, longest: 120, longestAnswer: 160);
        List<Answer> serial = [];
        foreach (GenerationRequest request in requests)
            serial.Add(await roomy.AskAlone(request));

        using var tested = new SchedulerUnderTest(
            model,
            new ModelOptions
            {
                Threads = 2,
                MaxRunning = 8,
                MaxQueuedRequests = threads,
                KvCacheBytes = roomy.Engine.Cache.BytesFor(290, PassBudget.ChunkRows),
            }
        );
        int survived = 0,
            left = 0;
        await Task.WhenAll(
            Enumerable.Range(0, threads).Select(thread => Task.Run(() => Ask(new Random(1000 * seed + thread))))
        );

        Instruments.Present now = tested.Engine.Instruments.Now;
        await SchedulerUnderTest.Until(() => now.Active == 0 && tested.Pool.HeldBytes == 0);
        Figure.Tell($"{survived} survived, {left} left, {now.Pauses} pauses");
        Assert.Equal(count, survived + left);
        Assert.InRange(survived, count / 2, count - 1);
        Assert.Equal(0, now.Waiting);
        // What is rented yet are prefixes: when they go, so is everything.
        Assert.InRange(tested.Pool.RentedBytes, 1, tested.Pool.BudgetBytes);
        tested.Scheduler.Prefixes.Clear();
        Assert.Equal((0L, 0), (tested.Pool.RentedBytes, tested.Scheduler.Prefixes.Scopes));

        async Task Ask(Random random)
        {
            for (int i = 0; i < count / threads; i++)
            {
                int which = random.Next(requests.Length);
                GenerationRequest request = requests[which] with { Priority = random.Next(3) };
                if (random.Next(4) == 0)
                    request = request with { Scope = $"{random.Next(3)}" };
                if (random.Next(4) == 0)
                    request = request with { PromptLookup = true };
                using var cancel = new CancellationTokenSource();
                using ITokenStream stream = tested.Submit(request, cancel.Token);
                switch (random.Next(8))
                {
                    case 0: // cancelled some time
                        cancel.CancelAfter(random.Next(30));
                        try
                        {
                            Assert.Equal(serial[which], await Answer.Of(stream));
                            Interlocked.Increment(ref survived);
                        }
                        catch (OperationCanceledException)
                        {
                            Interlocked.Increment(ref left);
                        }
                        break;
                    case 1: // left after some tokens, or after none
                        int wanted = random.Next(3);
                        if (wanted > 0)
                            await foreach (GeneratedToken _ in stream.ReadAsync())
                                if (--wanted == 0)
                                    break;
                        Interlocked.Increment(ref left);
                        break;
                    default:
                        Assert.Equal(serial[which], await Answer.Of(stream));
                        Interlocked.Increment(ref survived);
                        break;
                }
            }
        }
    }
}

// Longer, because waiting begins and ends in many ways, which are tried with one loop that a test holds.
using GptOss.Generation;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>Who waits, in which order, and how waiting ends.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
public sealed class RequestQueueTests : IDisposable
{
    private readonly LoadedModel _model = LoadedModel.Random(new TinyShape(), seed: 1);
    private readonly ManualResetEventSlim _goOn = new();
    private readonly ManualResetEventSlim _isHeld = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _goOn.Set();
        _model.Dispose();
        _goOn.Dispose();
        _isHeld.Dispose();
    }

    [Fact]
    public async Task Higher_priority_goes_first_and_among_equals_who_came_first()
    {
        using var tested = new SchedulerUnderTest(_model, new ModelOptions { MaxRunning = 1 });
        using HeldLoop held = HoldTheLoop(tested);
        List<string> begun = [];
        (string, int)[] each7 = [("a", 0), ("b", 1), ("c", 0), ("d", 2), ("e", 1), ("f", -1), ("g", 2)];
        Task<Answer>[] waiting = each7
            .Select(each =>
                tested.Ask(
                    new GenerationRequest
                    {
                        Prompt = [1, 2],
                        MaxTokens = 2,
                        Priority = each.Item2,
                        PromptRead = read =>
                        {
                            if (begun.LastOrDefault() != each.Item1)
                                begun.Add(each.Item1);
                        },
                    },
                    Stop
                )
            )
            .ToArray();
        _goOn.Set();
        await Task.WhenAll(waiting);
        Assert.Equal("dgbeacf", string.Concat(begun));
    }

    [Fact]
    public async Task A_full_queue_refuses_with_its_length_and_takes_again_when_one_that_waited_has_left()
    {
        using var tested = new SchedulerUnderTest(_model, new ModelOptions { MaxRunning = 1, MaxQueuedRequests = 2 });
        using HeldLoop held = HoldTheLoop(tested);
        var request = new GenerationRequest { Prompt = [1, 2], MaxTokens = 2 };
        using var cancel = new CancellationTokenSource();
        Task<Answer> cancelled = tested.Ask(request, cancel.Token);
        Assert.False(tested.Scheduler.IsFull);
        Task<Answer> waits = tested.Ask(request, Stop);
        Assert.True(tested.Scheduler.IsFull);
        var busy = Assert.Throws<EngineBusyException>(() => tested.Submit(request, Stop));
        Assert.Equal(2, busy.QueueLength);

        // The loop is held by a long pass; neither the reader nor the next request waits for it.
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            cancelled.WaitAsync(TimeSpan.FromSeconds(5), Stop)
        );
        Assert.False(tested.Scheduler.IsFull);
        Task<Answer> next = tested.Ask(request, Stop);
        Assert.Throws<EngineBusyException>(() => tested.Submit(request, Stop));

        _goOn.Set();
        Assert.Equal(2, (await waits).Ids.Length);
        Assert.Equal(2, (await next).Ids.Length);
        Assert.Equal(2, (await Answer.Of(held.Stream, Stop)).Ids.Length);
    }

    [Fact]
    public async Task Requests_that_come_at_once_find_the_free_places_and_then_the_queue()
    {
        using var tested = new SchedulerUnderTest(_model, new ModelOptions { MaxRunning = 4, MaxQueuedRequests = 2 });
        using HeldLoop held = HoldTheLoop(tested);
        var request = new GenerationRequest { Prompt = [1, 2], MaxTokens = 2 };
        Task<Answer>[] taken = [.. Enumerable.Range(0, 5).Select(_ => tested.Ask(request, Stop))];
        Assert.Equal(2, Assert.Throws<EngineBusyException>(() => tested.Submit(request, Stop)).QueueLength);
        _goOn.Set();
        await Task.WhenAll(taken);
    }

    [Fact]
    public async Task Threads_that_come_at_once_do_not_pass_the_limit_together()
    {
        using var tested = new SchedulerUnderTest(_model, new ModelOptions { MaxRunning = 1, MaxQueuedRequests = 5 });
        using HeldLoop held = HoldTheLoop(tested);
        var request = new GenerationRequest { Prompt = [1, 2], MaxTokens = 2 };
        for (int round = 0; round < 50; round++)
        {
            using var barrier = new Barrier(8);
            ITokenStream?[] taken = await Task.WhenAll(
                Enumerable
                    .Range(0, 8)
                    .Select(_ =>
                        Task.Factory.StartNew(
                            () =>
                            {
                                barrier.SignalAndWait(Stop);
                                try
                                {
                                    return tested.Submit(request, Stop);
                                }
                                catch (EngineBusyException busy)
                                {
                                    Assert.Equal(5, busy.QueueLength);
                                    return null;
                                }
                            },
                            TaskCreationOptions.LongRunning
                        )
                    )
            );
            Assert.Equal(5, taken.Count(stream => stream is not null));
            foreach (ITokenStream? stream in taken)
                stream?.Dispose();
        }
        _goOn.Set();
    }

    [Fact]
    public void An_answer_that_was_accepted_goes_on_though_the_queue_is_full()
    {
        using var tested = new SchedulerUnderTest(_model, new ModelOptions { MaxRunning = 1, MaxQueuedRequests = 1 });
        using HeldLoop held = HoldTheLoop(tested);
        var request = new GenerationRequest { Prompt = [1, 2], MaxTokens = 2 };
        using ITokenStream waits = tested.Submit(request, Stop);
        Assert.Throws<EngineBusyException>(() => tested.Submit(request, Stop));
        using ITokenStream owed = tested.Submit(request with { IsOwed = true }, Stop);
        Assert.Equal(2, Assert.Throws<EngineBusyException>(() => tested.Submit(request, Stop)).QueueLength);
        _goOn.Set();
    }

    [Fact]
    public async Task A_place_that_was_taken_counts_until_its_request_has_come_or_it_is_freed()
    {
        using var tested = new SchedulerUnderTest(_model, new ModelOptions { MaxRunning = 1, MaxQueuedRequests = 2 });
        using HeldLoop held = HoldTheLoop(tested);
        var request = new GenerationRequest { Prompt = [1, 2], MaxTokens = 2 };
        QueuePlace given = tested.Scheduler.Reserve(),
            freed = tested.Scheduler.Reserve();
        Assert.Throws<EngineBusyException>(tested.Scheduler.Reserve);
        Assert.Throws<EngineBusyException>(() => tested.Submit(request, Stop));
        using var waits = new ForgettableStream(tested.Scheduler.Submit(request, Stop, given));
        Assert.True(tested.Scheduler.IsFull);
        given.Dispose(); // the request has it
        Assert.True(tested.Scheduler.IsFull);
        freed.Dispose();
        freed.Dispose();
        Task<Answer> next = tested.Ask(request, Stop);
        Assert.Equal(2, Assert.Throws<EngineBusyException>(() => tested.Submit(request, Stop)).QueueLength);
        _goOn.Set();
        Assert.Equal(2, (await Answer.Of(waits, Stop)).Ids.Length);
        Assert.Equal(2, (await next).Ids.Length);
    }

    [Fact]
    public async Task Disposing_ends_all_who_run_wait_or_are_paused()
    {
        using var sizes = new SchedulerUnderTest(_model, new ModelOptions());
        var options = new ModelOptions
        {
            MaxRunning = 6,
            KvCacheBytes = sizes.Engine.Cache.BytesFor(420, PassBudget.ChunkRows),
        };
        for (int round = 0; round < 5; round++)
        {
            using var tested = new SchedulerUnderTest(_model, options);
            Task<Answer>[] asked =
            [
                .. ManyRequests
                    .Draw(20, seed: round, longest: 100)
                    .Select(request => tested.Ask(request with { MaxTokens = 320 }, Stop)),
            ];
            await SchedulerUnderTest.Until(() =>
                tested.Engine.Instruments.Now.Pauses > 0 || asked.All(task => task.IsCompleted)
            );
            tested.Dispose();
            int disposed = 0;
            foreach (Task<Answer> task in asked)
                if (await Record.ExceptionAsync(() => task.WaitAsync(TimeSpan.FromSeconds(10), Stop)) is { } error)
                {
                    Assert.IsType<ObjectDisposedException>(error);
                    disposed++;
                }
            Assert.InRange(disposed, 1, 20);
            Assert.Equal((0L, 0L), (tested.Pool.HeldBytes, tested.Pool.CommittedBytes));
            Assert.Equal(0, tested.Engine.Instruments.Now.Active);
        }
    }

    [Fact]
    public async Task A_request_that_comes_while_the_model_is_disposed_ends_too()
    {
        for (int round = 0; round < 100; round++)
        {
            using var tested = new SchedulerUnderTest(_model, new ModelOptions());
            using var barrier = new Barrier(2);
            Task<Exception?> asking = Task.Run(() =>
            {
                barrier.SignalAndWait(Stop);
                return Record
                    .ExceptionAsync(async () =>
                    {
                        for (int i = 0; i < 1000; i++)
                            await tested.Ask(new GenerationRequest { Prompt = [1], MaxTokens = 1 }, Stop);
                    })
                    .AsTask();
            });
            barrier.SignalAndWait(Stop);
            Thread.SpinWait(round * 200);
            tested.Dispose();
            Assert.IsType<ObjectDisposedException>(await asking.WaitAsync(TimeSpan.FromSeconds(10), Stop));
        }
    }

    [Fact]
    public void A_queue_that_was_closed_takes_nothing()
    {
        using var tested = new SchedulerUnderTest(_model, new ModelOptions());
        var queue = new RequestQueue(capacity: 5, maxRunning: 1);
        using Sequence first = NewSequence(tested),
            late = NewSequence(tested);
        Assert.True(queue.TryAdd(first));
        Assert.Equal([first], queue.Close());
        Assert.False(queue.TryAdd(late));
        Assert.Empty(queue.Close());
    }

    /// <summary>A cancellation may come at any moment of the look for it.</summary>
    [Fact]
    public async Task Every_request_that_is_cancelled_while_it_waits_is_taken_once()
    {
        using var tested = new SchedulerUnderTest(_model, new ModelOptions());
        for (int round = 0; round < 200; round++)
        {
            var queue = new RequestQueue(capacity: 100, maxRunning: 1);
            Sequence[] waiting = [.. Enumerable.Range(0, 100).Select(_ => NewSequence(tested))];
            foreach (Sequence sequence in waiting)
                Assert.True(queue.TryAdd(sequence));
            Task cancelling = Task.Run(
                () =>
                {
                    foreach (Sequence sequence in waiting)
                        sequence.Dispose();
                },
                Stop
            );
            List<Sequence> taken = [];
            bool isOver;
            do
            {
                isOver = cancelling.IsCompleted;
                taken.AddRange(queue.TakeStopped());
            } while (!isOver);
            await cancelling;
            Assert.Equal(waiting.Length, taken.Distinct().Count());
            foreach (Sequence sequence in taken)
                sequence.Release();
        }
    }

    [Fact]
    public void Whoever_was_paused_waits_before_those_who_came_later_and_behind_those_who_came_first()
    {
        using var tested = new SchedulerUnderTest(_model, new ModelOptions());
        var queue = new RequestQueue(capacity: 100, maxRunning: 3);
        Sequence[] all = [.. Enumerable.Range(0, 4).Select(_ => NewSequence(tested))];
        foreach (Sequence sequence in all)
            Assert.True(queue.TryAdd(sequence));
        Sequence[] begun = [Take(), Take(), Take()];
        Assert.Equal(all[..3], begun);
        queue.PutBack(all[0]);
        queue.PutBack(all[2]);
        queue.PutBack(all[1]); // not before the first, though it was paused last
        Assert.Equal(all, queue.TakeAll());
        foreach (Sequence sequence in all)
            sequence.Dispose();

        Sequence Take()
        {
            Assert.True(queue.TryTake(_ => true, out Sequence? taken));
            return taken;
        }
    }

    private static Sequence NewSequence(SchedulerUnderTest tested) =>
        new(
            new GenerationRequest { Prompt = [1] },
            tested.Engine.Cache.NewSequence(),
            tested.Engine.Instruments,
            () => { },
            default,
            Stop
        );

    // A request whose listener keeps the scheduler's thread until the test lets it go on.
    private HeldLoop HoldTheLoop(SchedulerUnderTest tested)
    {
        ITokenStream held = tested.Submit(
            new GenerationRequest
            {
                Prompt = [5, 6, 7],
                MaxTokens = 2,
                PromptRead = _ =>
                {
                    _isHeld.Set();
                    _goOn.Wait();
                },
            }
        );
        Assert.True(_isHeld.Wait(TimeSpan.FromSeconds(10)));
        return new HeldLoop(held, _goOn);
    }

    // Lets the loop go on before the scheduler is disposed, which waits for the loop, also where an assertion fails.
    private sealed record HeldLoop(ITokenStream Stream, ManualResetEventSlim GoOn) : IDisposable
    {
        public void Dispose()
        {
            GoOn.Set();
            Stream.Dispose();
        }
    }
}

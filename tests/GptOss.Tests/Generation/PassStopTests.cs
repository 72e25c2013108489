using GptOss.Generation;
using GptOss.Model;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>When a cancellation ends a pass of several sequences, and when the pass goes on for the others.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
[Promise(15)]
public sealed class PassStopTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>
    /// The engine is held, so that the pass of three prompts cannot end but by being stopped. Nothing was measured
    /// before, so that the pass counts as long.
    /// </summary>
    [Fact]
    public async Task A_long_pass_ends_for_one_of_its_sequences_but_not_twice_in_a_row()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        using var letGo = new LetGo(leave.Set);
        var occupied = Task.Run(() => Occupy(tested.Engine, entered, leave), Stop);
        entered.Wait(Stop);
        Instruments.Present now = tested.Engine.Instruments.Now;
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        GenerationRequest[] requests =
        [
            .. ManyRequests.Draw(3, seed: 3, longest: 300).Select(request => request with { Priority = 0 }),
        ];
        using var opener = new CancellationTokenSource();
        Task<Answer> opening = tested.Ask(requests[0], opener.Token);
        await SchedulerUnderTest.Until(() => now.Waiting == 0); // the pass of this one alone has begun
        Task<Answer>[] asked =
        [
            tested.Ask(requests[0], first.Token),
            tested.Ask(requests[1], second.Token),
            tested.Ask(requests[2], Stop),
        ];
        await opener.CancelAsync();
        await SchedulerUnderTest.Until(() => (now.Waiting, now.Active) == (0, 3));

        await first.CancelAsync();
        await SchedulerUnderTest.Until(() => now.Active == 2);
        await second.CancelAsync();
        await Task.Delay(200, Stop);
        Assert.Equal(2, now.Active);

        leave.Set();
        Assert.Equal(await tested.AskAlone(requests[2]), await asked[2]);
        await SchedulerUnderTest.Until(() => now.Active == 0);
        foreach (Task<Answer> cancelled in (Task<Answer>[])[opening, asked[0], asked[1]])
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Equal(0, tested.Pool.HeldBytes);
        await occupied;
    }

    /// <summary>Three times in a row the passes are long, and clients leave.</summary>
    [Fact]
    public void The_first_cancellation_ends_a_long_pass_and_the_pass_behind_it_only_all()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        using var stop = new PassStop();
        Assert.Equal((1, true), Cancelled(stop, tested.Engine, sequences: 3, isLong: true));
        Assert.Equal((3, false), Cancelled(stop, tested.Engine, sequences: 3, isLong: true));
        Assert.Equal((1, true), Cancelled(stop, tested.Engine, sequences: 2, isLong: true));
    }

    [Theory]
    [InlineData(3, false)] // a short pass waits until nobody wants it
    [InlineData(1, true)]
    [InlineData(1, false)]
    public void A_pass_that_nobody_wants_any_more_ends_and_costs_nobody(int sequences, bool isLong)
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        using var stop = new PassStop();
        Assert.Equal((sequences, false), Cancelled(stop, tested.Engine, sequences, isLong));
        Assert.Equal((1, true), Cancelled(stop, tested.Engine, sequences: 2, isLong: true));
    }

    [Fact]
    public void A_cancellation_behind_a_pass_ends_no_other_pass()
    {
        using var model = LoadedModel.Random(new TinyShape(), seed: 1);
        using var tested = new SchedulerUnderTest(model, new ModelOptions());
        using var stop = new PassStop();
        Sequence[] all = [.. Enumerable.Range(0, 3).Select(_ => NewSequence(tested.Engine))];
        stop.Begin([.. all[..2].Select(sequence => (sequence, 1))], isLong: true);
        stop.End();
        CancellationToken second = stop.Begin([.. all[1..].Select(sequence => (sequence, 1))], isLong: true);
        all[0].Dispose();
        Assert.False(second.IsCancellationRequested, "it is none of this pass");
        stop.End();
        Assert.False(stop.HasCostOthers);
        foreach (Sequence sequence in all)
            sequence.Release();
    }

    // How many sequences are cancelled until a pass of them ends, and whether its end has cost others.
    private static (int Count, bool HasCostOthers) Cancelled(PassStop stop, Engine engine, int sequences, bool isLong)
    {
        Sequence[] all = [.. Enumerable.Range(0, sequences).Select(_ => NewSequence(engine))];
        CancellationToken token = stop.Begin([.. all.Select(sequence => (sequence, 1))], isLong);
        int count = 0;
        while (!token.IsCancellationRequested && count < sequences)
            all[count++].Dispose();
        Assert.True(token.IsCancellationRequested, "all are cancelled, and the pass goes on");
        stop.End();
        foreach (Sequence sequence in all)
            sequence.Release();
        return (count, stop.HasCostOthers);
    }

    private static Sequence NewSequence(Engine engine) =>
        new(
            new GenerationRequest { Prompt = [1] },
            engine.Cache.NewSequence(),
            engine.Instruments,
            () => { },
            default,
            default
        );

    [Theory]
    [InlineData(0, 512, true)] // a chunk that nobody has measured
    [InlineData(4, 0, false)] // 4 rows take 10 ms
    [InlineData(4, 10, false)] // and 10 rows of prompts 10 ms more
    [InlineData(4, 40, true)]
    public void A_pass_is_long_if_it_is_expected_to_take_more_than_30_ms(int decoding, int prompts, bool isLong)
    {
        var budget = new PassBudget(maxSeconds: 0.2);
        if (decoding > 0)
        {
            Assert.True(budget.IsLong(decoding, 0), "nothing was measured yet");
            budget.Learn(4, 0, 0.01);
            budget.Learn(4, 10, 0.02);
        }
        Assert.Equal(isLong, budget.IsLong(decoding, prompts));
    }

    [Fact]
    public void The_pass_behind_a_stopped_one_is_brief()
    {
        var budget = new PassBudget(maxSeconds: 0.2);
        budget.Learn(0, 100, 0.1);
        Assert.Equal(PassBudget.ChunkRows, budget.PromptRows(0));
        Assert.Equal(30, budget.PromptRows(0, isBrief: true));
    }

    private static void Occupy(Engine engine, ManualResetEventSlim entered, ManualResetEventSlim leave)
    {
        using KvSequence sequence = engine.Cache.NewSequence();
        engine.Forward(
            batch => batch.Add(sequence, [1], Wanted.Last),
            _ =>
            {
                entered.Set();
                leave.Wait(Stop);
            },
            Stop
        );
    }
}

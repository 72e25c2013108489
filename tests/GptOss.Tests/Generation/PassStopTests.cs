using GptOss.Generation;
using GptOss.Model;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>When a cancellation ends a pass of several sequences, and when the pass goes on for the others.</summary>
[Trait("speed", "slow")] // without fused multiply-add in the processor these passes take minutes
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

using GptOss.Chat;

namespace GptOss.Tests.Chat;

/// <summary>Whose request is read next, and what becomes of those that wait.</summary>
public sealed class ReadingTurnsTests
{
    private readonly ReadingTurns _turns = new(places: 1);
    private readonly List<string> _read = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Scopes_take_turns_and_within_a_scope_the_oldest_comes_first()
    {
        using var goOn = new ManualResetEventSlim();
        Task held = Hold(goOn);
        Task[] waiting =
        [
            Read("a", "a1"),
            Read("a", "a2"),
            Read("a", "a3"),
            Read(null, "n1"),
            Read("b", "b1"),
            Read(null, "n2"),
            Read("a", "a4"),
        ];
        Assert.Empty(_read);
        goOn.Set();
        await Task.WhenAll([held, .. waiting]).WaitAsync(TimeSpan.FromSeconds(30), Stop);
        Assert.Equal("a1 n1 b1 a2 n2 a3 a4", string.Join(' ', _read));
    }

    [Fact]
    public async Task Whoever_is_cancelled_while_waiting_leaves_at_once_and_is_never_read()
    {
        using var goOn = new ManualResetEventSlim();
        using var cancel = new CancellationTokenSource();
        Task held = Hold(goOn),
            before = Read("a", "before"),
            gone = Read("a", "gone", cancel.Token),
            alone = Read("alone in its scope", "alone", cancel.Token),
            behind = Read("a", "behind");
        await cancel.CancelAsync();
        foreach (Task cancelled in (Task[])[gone, alone])
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                cancelled.WaitAsync(TimeSpan.FromSeconds(10), Stop)
            );
        Assert.False(held.IsCompleted);
        goOn.Set();
        await Task.WhenAll(held, before, behind).WaitAsync(TimeSpan.FromSeconds(30), Stop);
        Assert.Equal(["before", "behind"], _read);
    }

    /// <summary>Whoever waits for the reading leaves, and the place is taken until the reading has ended.</summary>
    [Fact]
    public async Task A_cancelled_reading_has_its_place_until_it_ends()
    {
        using var goOn = new ManualResetEventSlim();
        using var cancel = new CancellationTokenSource();
        Task held = Hold(goOn, cancel.Token),
            next = Read("a", "next");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held.WaitAsync(TimeSpan.FromSeconds(10), Stop));
        await Task.Delay(50, Stop);
        Assert.Empty(_read);
        goOn.Set();
        await next.WaitAsync(TimeSpan.FromSeconds(30), Stop);
    }

    [Fact]
    public async Task As_many_are_read_at_once_as_there_are_places_whatever_ends_them()
    {
        const int Places = 3;
        var turns = new ReadingTurns(Places);
        int now = 0,
            most = 0;
        await Task.WhenAll(Enumerable.Range(0, 300).Select(OneAsync)).WaitAsync(TimeSpan.FromSeconds(60), Stop);
        Assert.InRange(most, 1, Places);
        // Every place is free again.
        using var barrier = new Barrier(Places);
        await Task.WhenAll(
            Enumerable
                .Range(0, Places)
                .Select(_ => turns.RunAsync(null, () => barrier.SignalAndWait(TimeSpan.FromSeconds(30)), Stop))
        );

        async Task OneAsync(int number)
        {
            using var cancel = new CancellationTokenSource();
            Task reading = turns.RunAsync($"{number % 7}", () => Counted(number), cancel.Token);
            if (number % 3 == 0)
                cancel.CancelAfter(TimeSpan.FromMilliseconds(number % 10));
            try
            {
                await reading;
                Assert.NotEqual(1, number % 5);
            }
            catch (OperationCanceledException)
            {
                Assert.Equal(0, number % 3);
            }
            catch (FormatException)
            {
                Assert.Equal(1, number % 5);
            }
        }

        int Counted(int number)
        {
            int running = Interlocked.Increment(ref now);
            lock (_read)
                most = Math.Max(most, running);
            Thread.Sleep(1);
            Interlocked.Decrement(ref now);
            return number % 5 == 1 ? throw new FormatException() : number;
        }
    }

    // Takes the only place until the test lets it go on.
    private Task<bool> Hold(ManualResetEventSlim goOn, CancellationToken? stop = null)
    {
        var begun = new ManualResetEventSlim();
        Task<bool> held = _turns.RunAsync(
            "a",
            () =>
            {
                begun.Set();
                return goOn.Wait(TimeSpan.FromSeconds(30), Stop);
            },
            stop ?? Stop
        );
        Assert.True(begun.Wait(TimeSpan.FromSeconds(30), Stop));
        return held;
    }

    private Task<int> Read(string? scope, string name, CancellationToken? stop = null) =>
        _turns.RunAsync(
            scope,
            () =>
            {
                lock (_read)
                    _read.Add(name);
                return 0;
            },
            stop ?? Stop
        );
}

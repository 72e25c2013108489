using System.Runtime.CompilerServices;
using GptOss.Threading;

namespace GptOss.Tests.Threading;

public sealed class LoopThreadTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    [Fact]
    public void Work_that_comes_while_the_thread_works_is_done_too()
    {
        var counting = new Counting();
        using var thread = new LoopThread(counting, "test", Long);
        for (int i = 1; i <= 10_000; i++)
        {
            Interlocked.Increment(ref counting.Todo);
            thread.Wake();
        }
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref counting.Done) == 10_000, 10_000));
    }

    [Fact]
    public void An_exception_of_the_work_does_not_end_the_thread()
    {
        var counting = new Counting { Throws = true };
        using var thread = new LoopThread(counting, "test", Long);
        for (int i = 1; i <= 100; i++)
        {
            Interlocked.Increment(ref counting.Todo);
            thread.Wake();
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref counting.Done) == i, 10_000));
        }
    }

    [Fact]
    public void The_thread_carries_the_context_of_neither_its_maker_nor_its_waker()
    {
        var local = new AsyncLocal<string> { Value = "maker" };
        string? seen = "nothing";
        var counting = new Counting { Todo = 1, Doing = () => seen = local.Value };
        using var thread = new LoopThread(counting, "test", Long);
        local.Value = "waker";
        thread.Wake();
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref counting.Done) == 1, 10_000));
        Assert.Null(seen);
    }

    [Fact]
    public void The_owner_rests_once_after_work_that_no_other_followed()
    {
        var counting = new Counting { Throws = true }; // also resting throws, which is lost as that of the work is
        using var thread = new LoopThread(counting, "test", TimeSpan.FromMilliseconds(5));
        for (int i = 1; i <= 3; i++)
        {
            Interlocked.Increment(ref counting.Todo);
            thread.Wake();
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref counting.Rests) == i, 10_000), $"no rest {i}");
            Thread.Sleep(50);
            Assert.Equal((i, i), (counting.Done, counting.Rests));
        }
    }

    [Fact]
    public void The_owner_does_not_rest_before_the_time_and_not_after_the_end()
    {
        var counting = new Counting { Todo = 1 };
        using (var thread = new LoopThread(counting, "test", Long))
        {
            thread.Wake();
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref counting.Done) == 1, 10_000));
        }
        Assert.Equal(0, counting.Rests);
    }

    [Fact]
    public void The_work_may_dispose_its_own_thread()
    {
        LoopThread? thread = null;
        Thread? current = null;
        var counting = new Counting
        {
            Todo = 1,
            Doing = () =>
            {
                current = Thread.CurrentThread;
                thread!.Dispose();
            },
        };
        thread = new LoopThread(counting, "test", Long);
        thread.Wake();
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref current) is not null, 10_000));
        Assert.True(current!.Join(10_000), "the thread goes on");
        Assert.Equal(1, counting.Done);
    }

    [Fact]
    public void Disposing_waits_for_the_work_under_way_and_no_more_is_done()
    {
        var counting = new Counting { Todo = 1, Doing = () => Thread.Sleep(50) };
        using var thread = new LoopThread(counting, "test", Long);
        thread.Wake();
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref counting.Begun) == 1, 10_000));
        thread.Dispose();
        Assert.Equal(1, counting.Done);
        counting.Todo = 1;
        thread.Wake();
        Assert.Equal(1, counting.Begun);
    }

    [Fact]
    public void An_owner_that_was_forgotten_is_collected_with_the_thread()
    {
        (WeakReference owner, Thread thread) = MakeAndForget();
        for (int i = 0; i < 50 && !thread.Join(20); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.False(thread.IsAlive, "the thread lives");
        Assert.False(owner.IsAlive, "the owner lives");

        [MethodImpl(MethodImplOptions.NoInlining)]
        static (WeakReference, Thread) MakeAndForget()
        {
            Thread? current = null;
            var owner = new Counting { Todo = 1, Doing = () => current = Thread.CurrentThread };
            owner.Thread = new LoopThread(owner, "test", Long);
            owner.Thread.Wake();
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref owner.Done) == 1, 10_000));
            return (new WeakReference(owner), current!);
        }
    }

    [Fact]
    public void Work_that_was_asked_for_is_done_though_everybody_forgot_its_owner()
    {
        for (int i = 0; i < 200; i++)
        {
            using var done = new ManualResetEventSlim();
            WakeAndForget(done);
            GC.Collect(); // comes before the thread in most rounds
            Assert.True(done.Wait(10_000, TestContext.Current.CancellationToken), $"round {i}: the work was not done");
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void WakeAndForget(ManualResetEventSlim done)
        {
            var owner = new Counting { Todo = 1, Doing = done.Set };
            owner.Thread = new LoopThread(owner, "test", Long);
            owner.Thread.Wake();
        }
    }

    private sealed class Counting : ILoop
    {
        public int Todo,
            Begun,
            Done,
            Rests;

        public Action? Doing { get; init; }

        public bool Throws { get; init; }

        public LoopThread? Thread { get; set; }

        public void Work()
        {
            while (Interlocked.Exchange(ref Todo, 0) is > 0 and var count)
            {
                Interlocked.Add(ref Begun, count);
                Doing?.Invoke();
                Interlocked.Add(ref Done, count);
            }
            if (Throws)
                throw new InvalidOperationException("lost");
        }

        public void Rest()
        {
            Interlocked.Increment(ref Rests);
            if (Throws)
                throw new InvalidOperationException("lost");
        }
    }
}

// Over 300 lines: whatever threads may do wrong is tried on one team, and the tests must run alone.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using GptOss.Threading;

namespace GptOss.Tests.Threading;

/// <summary>Runs while no other test does: one of its tests measures the CPU time of the process.</summary>
[CollectionDefinition(nameof(WorkerTeamTests), DisableParallelization = true)]
public sealed class WorkerTeamTestsAlone;

[Collection(nameof(WorkerTeamTests))]
public sealed unsafe class WorkerTeamTests
{
    /// <summary>The threads of a team by their numbers: what a function of unmanaged state cannot be handed.</summary>
    private static readonly ConcurrentDictionary<int, Thread> Met = new();

    private static CancellationTokenSource? Stopper;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)] // more than the machine may have
    public void Every_item_is_in_exactly_one_range(int workers)
    {
        using var team = new WorkerTeam(workers);
        foreach (int items in (int[])[0, 1, 2, 3, 7, 15, 16, 17, 31, 64, 65, 1000, 5761])
        foreach (int minimum in (int[])[0, 1, 2, 16, 100])
        {
            var seen = new int[items];
            int[] strangers = [0];
            fixed (
                int* s = seen,
                    wrong = strangers
            )
            {
                var count = new Count
                {
                    Seen = s,
                    Workers = workers,
                    Items = items,
                    Strangers = wrong,
                };
                team.ForItems(items, minimum, &CountItems, &count);
            }
            Assert.All(seen, times => Assert.Equal(1, times));
            Assert.Equal(0, strangers[0]);
        }
    }

    [Fact]
    public void Ranges_are_as_long_as_asked_except_the_last()
    {
        using var team = new WorkerTeam(3);
        var lengths = new int[1000];
        fixed (int* length = lengths)
            team.ForItems(1000, 150, &KeepLength, length);

        (int First, int Length)[] ranges = [.. lengths.Select((n, first) => (first, n)).Where(range => range.n > 0)];
        int covered = 0;
        Assert.All(ranges, range =>
        {
            Assert.Equal(covered, range.First); // each begins where the one before ended: every item once
            covered += range.Length;
        });
        Assert.Equal(1000, covered);
        Assert.All(ranges[..^1], range => Assert.True(range.Length >= 150));
        Assert.True(ranges.Length > 1, "The work was not shared out.");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_range_is_no_longer_than_asked(int workers)
    {
        using var team = new WorkerTeam(workers);
        var lengths = new int[1000];
        fixed (int* length = lengths)
            team.ForItems(1000, 1, 7, &KeepLength, length, CancellationToken.None);

        Assert.Equal(1000, lengths.Sum());
        Assert.InRange(lengths.Max(), 1, 7);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void A_stopped_job_begins_no_further_range_and_the_team_stays_usable(int workers)
    {
        using var team = new WorkerTeam(workers);
        for (int round = 0; round < 50; round++)
        {
            using var source = new CancellationTokenSource();
            CancellationToken stop = source.Token;
            Stopper = source;
            long late = 0;
            long* counter = &late;
            OperationCanceledException stopped = Assert.ThrowsAny<OperationCanceledException>(() =>
                team.ForItems(100_000, 1, 10, &StopAtItem500, counter, stop)
            );
            Assert.Equal(stop, stopped.CancellationToken);
            // A thread that looked at the flag just before it was set may begin one range more.
            Assert.InRange(late, 0, workers - 1);
        }
        Every_item_is_in_exactly_one_range(workers);
    }

    [Fact]
    public void A_job_that_was_stopped_before_it_began_does_nothing()
    {
        foreach (int workers in (int[])[1, 2])
        {
            using var team = new WorkerTeam(workers);
            var lengths = new int[1000];
            fixed (int* length = lengths)
            {
                int* first = length;
                Assert.ThrowsAny<OperationCanceledException>(() =>
                    team.ForItems(1000, 1, 10, &KeepLength, first, new CancellationToken(canceled: true))
                );
            }
            Assert.Equal(0, lengths.Sum());
        }
    }

    [Fact]
    public void Many_thousand_quick_calls_lose_nothing()
    {
        using var team = new WorkerTeam(2);
        long[] total = [0];
        fixed (long* sum = total)
            for (int call = 0; call < 20_000; call++)
                team.ForItems(16, 1, &AddItems, sum);

        Assert.Equal(20_000L * 16, total[0]);
    }

    // A thread may look at the stop flag of a job that has just ended. What it throws there would end the process. Code
    // that is not optimised yet read the field twice: with DOTNET_JITMinOpts=1 one of three runs ended so.
    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void A_thread_that_comes_late_to_a_job_with_a_stop_flag_does_no_harm(int workers)
    {
        using var team = new WorkerTeam(workers, processors: workers);
        using var stop = new CancellationTokenSource();
        long[] total = [0];
        fixed (long* sum = total)
            for (int call = 0; call < 200_000; call++)
                team.ForItems(4, 1, 1, &AddItems, sum, stop.Token);

        Assert.Equal(200_000L * 4, total[0]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(6)] // threads that the system holds up while others are awake again
    public void Calls_after_pauses_of_every_length_wake_all_who_sleep(int workers)
    {
        using var team = new WorkerTeam(workers);
        long[] total = [0];
        var work = new Thread(() =>
        {
            fixed (long* sum = total)
                for (int call = 0; call < 3000; call++)
                {
                    team.ForItems(64, 1, &AddItems, sum);
                    // 0 to 150 µs: about when they fall asleep
                    long until = Stopwatch.GetTimestamp() + Stopwatch.Frequency * (call % 23) / 150_000;
                    while (Stopwatch.GetTimestamp() < until)
                        Thread.SpinWait(4);
                }
        })
        {
            IsBackground = true,
        };
        work.Start();

        Assert.True(work.Join(TimeSpan.FromSeconds(60)), "a call never returned");
        Assert.Equal(3000L * 64, total[0]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void An_exception_surfaces_at_the_caller_and_the_team_stays_usable(int workers)
    {
        using var team = new WorkerTeam(workers);
        for (int bad = 0; bad < 100; bad += 7)
        {
            var fault = Assert.Throws<InvalidOperationException>(() => RefuseOne(team, bad));
            Assert.Equal($"item {bad}", fault.Message);
            Assert.Contains(nameof(Refuse), fault.StackTrace, StringComparison.Ordinal);

            long[] total = [0];
            fixed (long* sum = total)
                team.ForItems(100, 1, &AddItems, sum);
            Assert.Equal(100, total[0]);
        }
    }

    [Fact]
    public void All_workers_may_fail_at_once()
    {
        using var team = new WorkerTeam(4);
        for (int turn = 0; turn < 200; turn++)
            Assert.Throws<InvalidOperationException>(() => team.ForItems(100, 1, &RefuseAll, null));
    }

    [Fact]
    public void Both_threads_of_two_take_part()
    {
        using var team = new WorkerTeam(2, processors: 2);
        int[] met = [0, 0];
        fixed (int* both = met)
            team.ForItems(8, 1, &MeetTheOther, both);
        Assert.Equal([1, 1], met);
    }

    [Theory]
    [InlineData(16, 2)]
    [InlineData(5, 3)]
    [InlineData(4, 1)] // the caller alone
    public void No_more_threads_work_than_there_are_processors(int workers, int processors)
    {
        using var team = new WorkerTeam(workers, processors);
        Thread.Sleep(50); // all start awake, and the surplus goes to sleep
        for (int call = 0; call < 300; call++)
        {
            int[] met = new int[workers];
            fixed (int* who = met)
                team.ForItems(200, 1, &NoteWorker, who);
            Assert.InRange(met.Sum(), 1, processors);
        }
    }

    [Fact]
    public void A_team_larger_than_the_machine_costs_at_most_a_few_times_the_best()
    {
        using var small = new WorkerTeam(Math.Min(2, Environment.ProcessorCount));
        using var large = new WorkerTeam(16 * Environment.ProcessorCount);
        List<string> tries = [];
        for (int attempt = 0; attempt < 5; attempt++)
        {
            long best = LeastTicks(small),
                most = LeastTicks(large);
            if (most <= 3 * best)
                return; // where the caller waits for every thread: 90 times and more
            tries.Add($"{most / (double)best:F1}");
        }
        Assert.Fail(
            $"a team of {large.Workers} takes {string.Join(", ", tries)} times as long as one of {small.Workers}"
        );
    }

    [Fact]
    public void The_threads_of_a_team_that_nobody_closed_end_when_it_is_collected()
    {
        Thread[] hired = MeetForgottenTeam();
        Assert.NotEmpty(hired);
        for (int turn = 0; turn < 100 && hired.Any(thread => thread.IsAlive); turn++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(20);
        }
        Assert.All(hired, thread => Assert.False(thread.IsAlive));
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // a frame that is gone holds no team
    private static Thread[] MeetForgottenTeam()
    {
        Met.Clear();
        new WorkerTeam(3, processors: 3).ForItems(12, 1, &MeetTwoOthers, null);
        return [.. Met.Values.Where(thread => thread != Thread.CurrentThread)];
    }

    /// <summary>The quickest of some runs of 300 works of about 30 µs, as a token of a small model has them.</summary>
    private static long LeastTicks(WorkerTeam team)
    {
        long least = long.MaxValue;
        for (int run = 0; run < 7; run++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int call = 0; call < 300; call++)
                team.ForItems(64, 1, &SpinAWhile, null);
            least = Math.Min(least, Stopwatch.GetTimestamp() - start);
        }
        return least;
    }

    [Fact]
    public void An_idle_team_sleeps()
    {
        using var team = new WorkerTeam(4);
        long[] total = [0];
        fixed (long* sum = total)
            team.ForItems(100, 1, &AddItems, sum);
        List<long> used = [];
        // The least of some tries: the runtime has work of its own, as compiling what the tests before made hot. This
        // can keep a processor busy for two seconds.
        for (int attempt = 0; attempt < 20; attempt++)
        {
            Thread.Sleep(20);
            using var process = Process.GetCurrentProcess();
            TimeSpan before = process.TotalProcessorTime;
            Thread.Sleep(300);
            process.Refresh();
            used.Add((process.TotalProcessorTime - before).Ticks / TimeSpan.TicksPerMillisecond);
            if (used[^1] <= 60)
                return;
        }
        // Spinning would be 300 to 900
        Assert.Fail($"three idle threads used {string.Join(", ", used)} ms of CPU in 300 ms each");
    }

    [Fact]
    public void A_closed_team_has_no_threads_left_may_be_closed_again_and_refuses_work()
    {
        var team = new WorkerTeam(3, processors: 3);
        Met.Clear();
        team.ForItems(12, 1, &MeetTwoOthers, null);
        Thread[] hired = [.. Met.Values.Where(thread => thread != Thread.CurrentThread)];
        Assert.Equal([true, true], hired.Select(thread => thread.IsAlive));

        team.Dispose();
        team.Dispose();

        Assert.Equal([false, false], hired.Select(thread => thread.IsAlive));
        Assert.Throws<ObjectDisposedException>(() => team.ForItems(100, 1, &AddItems, null));
    }

    [Fact]
    public void Closing_wakes_and_joins_threads_in_any_state()
    {
        for (int turn = 0; turn < 50; turn++)
        {
            var team = new WorkerTeam(3);
            // 0 to 200 µs: starting, spinning, asleep
            long until = Stopwatch.GetTimestamp() + Stopwatch.Frequency * turn / 250_000;
            while (Stopwatch.GetTimestamp() < until)
                Thread.SpinWait(4);
            var close = new Thread(team.Dispose) { IsBackground = true };
            close.Start();
            Assert.True(close.Join(TimeSpan.FromSeconds(30)), "a thread never ended");
        }
    }

    [Fact]
    public void A_team_of_nobody_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerTeam(0));

    private struct Count
    {
        public int* Seen;
        public int* Strangers;
        public int Workers;
        public int Items;
    }

    private static void CountItems(void* state, int worker, int first, int end)
    {
        var count = (Count*)state;
        if (worker < 0 || worker >= count->Workers || first >= end || end > count->Items)
            Interlocked.Increment(ref *count->Strangers);
        for (int i = first; i < end; i++)
            Interlocked.Increment(ref count->Seen[i]);
    }

    private static void NoteWorker(void* state, int worker, int first, int end)
    {
        Volatile.Write(ref ((int*)state)[worker], 1);
        Thread.SpinWait(20); // long enough for others to come
    }

    private static void SpinAWhile(void* state, int worker, int first, int end) => Thread.SpinWait(10 * (end - first));

    private static void KeepLength(void* state, int worker, int first, int end) => ((int*)state)[first] = end - first;

    // Counts the ranges that begin although the job was stopped.
    private static void StopAtItem500(void* state, int worker, int first, int end)
    {
        if (Stopper!.IsCancellationRequested)
            Interlocked.Increment(ref *(long*)state);
        if (first <= 500 && 500 < end)
            Stopper.Cancel();
    }

    private static void AddItems(void* state, int worker, int first, int end) =>
        Interlocked.Add(ref *(long*)state, end - first);

    private static void RefuseOne(WorkerTeam team, int item) => team.ForItems(100, 1, &Refuse, &item);

    private static void Refuse(void* state, int worker, int first, int end)
    {
        int bad = *(int*)state;
        if (first <= bad && bad < end)
            throw new InvalidOperationException($"item {bad}");
    }

    private static void RefuseAll(void* state, int worker, int first, int end) => throw new InvalidOperationException();

    private static void MeetTwoOthers(void* state, int worker, int first, int end)
    {
        Met[worker] = Thread.CurrentThread;
        long deadline = Stopwatch.GetTimestamp() + 20 * Stopwatch.Frequency;
        while (Met.Count < 3 && Stopwatch.GetTimestamp() < deadline)
            Thread.Sleep(0);
    }

    // Whoever comes first waits for the other: with one thread doing all of it this would not end.
    private static void MeetTheOther(void* state, int worker, int first, int end)
    {
        var met = (int*)state;
        Volatile.Write(ref met[worker], 1);
        long deadline = Stopwatch.GetTimestamp() + 20 * Stopwatch.Frequency;
        while (Volatile.Read(ref met[1 - worker]) == 0 && Stopwatch.GetTimestamp() < deadline)
            Thread.Sleep(0);
    }
}

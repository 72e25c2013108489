// Over 300 lines: the rules of one pool, each on the same two small groups.
using System.Runtime.CompilerServices;
using GptOss.Model;

namespace GptOss.Tests.Model;

/// <summary>Pages of two groups: those of group 0 have 3,000 bytes, those of group 1 have 1,000.</summary>
public sealed class PagePoolTests
{
    private static readonly PageGroup[] Groups =
    [
        new([0, 1, 2], window: int.MaxValue, layerBytes: 1000),
        new([3], window: 128, layerBytes: 1000),
    ];

    [Fact]
    public void A_page_lives_until_its_last_holder_lets_go()
    {
        using PagePool pool = New(budget: 10_000);
        int page = Rent(pool, 1);
        pool.AddReference(1, page);
        Bytes(pool, 1, page).Fill(7);

        pool.Release(1, page);

        Assert.Equal(1000, pool.RentedBytes);
        Assert.NotEqual(page, Rent(pool, 1));
        Assert.DoesNotContain(Bytes(pool, 1, page).ToArray(), value => value != 7);
        pool.Release(1, page);
        Assert.Equal(1000, pool.RentedBytes);
        Assert.Equal(page, Rent(pool, 1));
    }

    [Fact]
    public void A_page_is_aligned_to_a_cache_line_and_apart_from_every_other()
    {
        using PagePool pool = New(budget: 1_000_000);
        var pages = new List<(int Group, int Page)>();
        for (int i = 0; i < 100; i++)
            pages.Add((i % 2, Rent(pool, i % 2)));
        for (int i = 0; i < pages.Count; i++)
            Bytes(pool, pages[i].Group, pages[i].Page).Fill((byte)i);

        for (int i = 0; i < pages.Count; i++)
        {
            Assert.DoesNotContain(Bytes(pool, pages[i].Group, pages[i].Page).ToArray(), value => value != i);
            Assert.Equal(0, Address(pool, pages[i].Group, pages[i].Page) % 64);
        }
    }

    [Fact]
    public void A_copy_has_the_bytes_of_the_page_and_is_another_one()
    {
        using PagePool pool = New(budget: 10_000);
        int from = Rent(pool, 0),
            to = Rent(pool, 0);
        Random.Shared.NextBytes(Bytes(pool, 0, from));
        pool.Copy(0, from, to);
        byte[] copied = Bytes(pool, 0, to).ToArray();
        Assert.Equal(Bytes(pool, 0, from).ToArray(), copied);

        Bytes(pool, 0, from).Clear();

        Assert.Equal(copied, Bytes(pool, 0, to).ToArray());
    }

    [Theory]
    [InlineData(3999, 1, 0)] // one byte short
    [InlineData(4000, 1, 1)]
    [InlineData(6999, 1, 3)]
    [InlineData(7000, 2, 1)]
    public void Rented_bytes_of_all_groups_stay_within_the_budget(long budget, int large, int small)
    {
        using PagePool pool = New(budget);
        for (int i = 0; i < large; i++)
            Rent(pool, 0);
        for (int i = 0; i < small; i++)
            Rent(pool, 1);
        Assert.Equal(budget - large * 3000 - small * 1000, pool.FreeBytes);
        Assert.Equal(pool.FreeBytes >= 1000, pool.TryRent(1, out _));
        Assert.InRange(pool.RentedBytes, 0, budget);
    }

    [Fact]
    public void A_free_page_keeps_its_memory_until_another_group_needs_it()
    {
        using PagePool pool = New(budget: 6500);
        int first = Rent(pool, 0),
            second = Rent(pool, 0);
        pool.Release(0, first);
        pool.Release(0, second);
        Assert.Equal((0, 6000), (pool.RentedBytes, pool.CommittedBytes));

        Rent(pool, 1); // 7,000 bytes would be too many, so one page of group 0 loses its memory
        Assert.Equal((1000, 4000), (pool.RentedBytes, pool.CommittedBytes));
        Rent(pool, 0); // and the other one is used again
        Assert.Equal((4000, 4000), (pool.RentedBytes, pool.CommittedBytes));
        Assert.False(pool.TryRent(0, out _));
        Assert.Equal((4000, 4000), (pool.RentedBytes, pool.CommittedBytes));
    }

    [Fact]
    public void Pages_are_counted_by_what_becomes_of_them()
    {
        using PagePool pool = New(budget: 20_000); // ten pages of the mean size
        int shared = Rent(pool, 0),
            kept = Rent(pool, 1),
            both = Rent(pool, 1);
        pool.AddReference(0, shared);
        pool.Keep(1, kept);
        pool.Release(1, kept);
        pool.Keep(1, both);
        Assert.Equal(new PageCounts(Used: 2, Cached: 1, Free: 7), pool.Count());

        pool.Release(1, both);
        pool.Release(0, shared);
        Assert.Equal(new PageCounts(Used: 1, Cached: 2, Free: 7), pool.Count());

        pool.Release(0, shared);
        pool.Drop(1, kept);
        pool.Drop(1, both);
        Assert.Equal(new PageCounts(Used: 0, Cached: 0, Free: 10), pool.Count());
    }

    [Fact]
    public async Task Pages_that_others_hold_keep_their_content_while_free_ones_give_their_memory_back()
    {
        using PagePool pool = New(budget: 100_000);
        pool.Memory = new CountingMemory();
        bool isDone = false;
        var trimming = Task.Run(
            () =>
            {
                while (!Volatile.Read(ref isDone))
                    pool.Trim();
            },
            TestContext.Current.CancellationToken
        );
        try
        {
            for (int i = 0; i < 20_000; i++)
            {
                int page = Rent(pool, i % 2);
                Span<byte> bytes = Bytes(pool, i % 2, page);
                bytes.Fill((byte)i);
                Assert.False(bytes.ContainsAnyExcept((byte)i));
                pool.Release(i % 2, page);
            }
        }
        finally
        {
            Volatile.Write(ref isDone, true);
            await trimming;
        }
        pool.Trim();
        Assert.Equal((0, 0), (pool.RentedBytes, pool.CommittedBytes));
    }

    [Fact]
    public void Committed_bytes_stay_within_the_budget_whatever_is_rented_and_released()
    {
        using PagePool pool = New(budget: 50_000);
        var random = new Random(5);
        var held = new List<(int Group, int Page)>();
        for (int i = 0; i < 20_000; i++)
        {
            if (random.Next(2) == 0 && held.Count > 0)
            {
                int which = random.Next(held.Count);
                pool.Release(held[which].Group, held[which].Page);
                held.RemoveAt(which);
            }
            else if (random.Next(i % 2000 < 1000 ? 5 : 2) is var kind && pool.TryRent(kind == 0 ? 0 : 1, out int page))
                held.Add((kind == 0 ? 0 : 1, page));
            Assert.Equal(held.Sum(entry => Groups[entry.Group].PageBytes), pool.RentedBytes);
            Assert.InRange(pool.CommittedBytes, pool.RentedBytes, 50_000);
            Assert.Equal(held.Count, held.Distinct().Count());
        }
    }

    [Fact]
    public void Room_is_asked_for_until_it_is_enough()
    {
        using PagePool pool = New(budget: 5000);
        var kept = new Stack<int>(Enumerable.Range(0, 5).Select(_ => Rent(pool, 1)));
        var asked = new List<long>();
        pool.MakeRoom = missing =>
        {
            asked.Add(missing);
            if (!kept.TryPop(out int page))
                return false;
            pool.Release(1, page);
            return true;
        };

        Assert.True(pool.TryRent(0, out _));
        Assert.Equal([3000, 2000, 1000], asked);

        asked.Clear();
        Assert.False(pool.TryRent(0, out _)); // two kept pages go, and it is not enough
        Assert.Equal([3000, 2000, 1000], asked);
        Assert.Equal(3000, pool.RentedBytes);
    }

    [Fact]
    public void Room_that_was_made_can_be_rented()
    {
        using PagePool pool = New(budget: 5000);
        var kept = new Stack<int>(Enumerable.Range(0, 5).Select(_ => Rent(pool, 1)));
        pool.MakeRoom = _ =>
        {
            bool any = kept.TryPop(out int page);
            if (any)
                pool.Release(1, page);
            return any;
        };
        Assert.True(pool.TryMakeRoom(3000));
        Assert.Equal((3000, 2), (pool.FreeBytes, kept.Count)); // and no page more than that was released
    }

    [Fact]
    public void Room_is_made_without_the_lock()
    {
        using PagePool pool = New(budget: 1000);
        int page = Rent(pool, 1);
        pool.MakeRoom = _ =>
        {
            var other = new Thread(() => pool.Release(1, page));
            other.Start();
            Assert.True(other.Join(TimeSpan.FromSeconds(10)), "The other thread waits for the pool's lock.");
            return true;
        };
        Assert.True(pool.TryRent(1, out _));
    }

    [Fact]
    public void No_room_is_asked_for_what_the_whole_budget_could_not_hold()
    {
        using PagePool pool = New(budget: 2999);
        Rent(pool, 1);
        pool.MakeRoom = _ => throw new InvalidOperationException("Asked.");
        Assert.False(pool.TryRent(0, out _));
    }

    [Fact]
    public void A_failed_allocation_leaves_the_pool_as_it_was()
    {
        using PagePool pool = New(budget: 20_000);
        var memory = new CountingMemory();
        pool.Memory = memory;
        for (int round = 0; round < 3; round++)
        {
            int page = Rent(pool, 0);
            pool.Release(1, Rent(pool, 1));
            (long rented, long committed) = (pool.RentedBytes, pool.CommittedBytes);

            memory.Fails = true;
            Assert.ThrowsAny<OutOfMemoryException>(() => pool.TryRent(0, out _));
            Assert.Equal((rented, committed), (pool.RentedBytes, pool.CommittedBytes));
            int free = Rent(pool, 1); // a free page needs no new memory
            pool.Release(1, free);

            memory.Fails = false;
            int next = Rent(pool, 0);
            Assert.NotEqual(page, next);
            Assert.InRange(next, 0, 2 * round + 1); // no number was lost
        }
    }

    [Fact]
    public void Trim_gives_the_memory_of_free_pages_back_and_of_no_other()
    {
        using PagePool pool = New(budget: 100_000);
        int[] pages = [.. Enumerable.Range(0, 10).Select(_ => Rent(pool, 0))];
        Bytes(pool, 0, pages[0]).Fill(9);
        foreach (int page in pages[1..])
            pool.Release(0, page);
        Assert.Equal(30_000, pool.CommittedBytes);

        pool.Trim();

        Assert.Equal(3000, pool.CommittedBytes);
        Assert.DoesNotContain(Bytes(pool, 0, pages[0]).ToArray(), value => value != 9);
        Assert.InRange(Rent(pool, 0), 0, 9); // the numbers are used again
        pool.Release(0, pages[0]);
        pool.Trim();
        Assert.Equal(3000, pool.CommittedBytes);
    }

    [Fact]
    public void A_disposed_pool_has_no_memory_and_takes_releases_silently()
    {
        PagePool pool = New(budget: 100_000);
        int page = Rent(pool, 0);
        pool.Release(1, Rent(pool, 1));

        pool.Dispose();

        Assert.Equal((0, 0), (pool.RentedBytes, pool.CommittedBytes));
        pool.Release(0, page);
        pool.Trim();
        pool.Dispose();
        Assert.Equal((0, 0), (pool.RentedBytes, pool.CommittedBytes));
        Assert.Throws<ObjectDisposedException>(() => pool.TryRent(0, out _));
        Assert.Throws<ObjectDisposedException>(() => pool.AddReference(0, page));
        Assert.Throws<ObjectDisposedException>(() => Address(pool, 0, page));
    }

    [Fact]
    public void A_page_that_nobody_holds_can_be_neither_shared_nor_released()
    {
        using PagePool pool = New(budget: 100_000);
        int page = Rent(pool, 0);
        pool.Release(0, page);
        Assert.Throws<InvalidOperationException>(() => pool.Release(0, page));
        Assert.Throws<InvalidOperationException>(() => pool.AddReference(0, page));
        Assert.Equal(0, pool.RentedBytes);
    }

    [Fact]
    public void A_pool_that_nobody_disposed_gives_its_memory_back_when_it_is_collected()
    {
        var memory = new CountingMemory();
        Forget(memory, dispose: false);
        Assert.Equal(2, memory.Taken);
        for (int i = 0; i < 100 && memory.Taken > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.Equal(0, memory.Taken);
    }

    /// <summary>An object whose finalizer waits lives on for this kind of weak reference; any other is gone.</summary>
    [Fact]
    public void A_pool_that_was_disposed_leaves_no_work_for_a_finalizer()
    {
        var memory = new CountingMemory();
        WeakReference pool = Forget(memory, dispose: true);
        Assert.Equal(0, memory.Taken);
        GC.Collect();
        Assert.False(pool.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Forget(CountingMemory memory, bool dispose)
    {
        PagePool pool = New(budget: 100_000);
        pool.Memory = memory;
        Rent(pool, 0);
        pool.Release(1, Rent(pool, 1));
        if (dispose)
            pool.Dispose();
        return new WeakReference(pool, trackResurrection: true);
    }

    [Fact]
    public void Threads_that_rent_and_release_never_meet_in_a_page()
    {
        using PagePool pool = New(budget: 40_000);
        int clashes = 0;
        Thread[] threads =
        [
            .. Enumerable
                .Range(1, 4)
                .Select(mark => new Thread(() =>
                {
                    for (int i = 0; i < 50_000; i++)
                    {
                        int group = (i + mark) % 2;
                        if (!pool.TryRent(group, out int page))
                            continue;
                        Span<byte> bytes = Bytes(pool, group, page)[..64];
                        bytes.Fill((byte)mark);
                        pool.AddReference(group, page);
                        pool.Release(group, page);
                        if (bytes.ContainsAnyExcept((byte)mark))
                            Interlocked.Increment(ref clashes);
                        pool.Release(group, page);
                        if (i % 500 == 0)
                            pool.Trim();
                    }
                })),
        ];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.Equal((0, 0), (clashes, pool.RentedBytes));
        pool.Trim();
        Assert.Equal(0, pool.CommittedBytes);
    }

    private static PagePool New(long budget) => new(Groups, budget);

    private static int Rent(PagePool pool, int group)
    {
        Assert.True(pool.TryRent(group, out int page));
        return page;
    }

    private static unsafe Span<byte> Bytes(PagePool pool, int group, int page) =>
        new(pool.Address(group, page), (int)Groups[group].PageBytes);

    private static unsafe long Address(PagePool pool, int group, int page) => (long)pool.Address(group, page);
}

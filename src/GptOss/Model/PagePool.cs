using System.Runtime.InteropServices;

namespace GptOss.Model;

/// <summary>
/// The memory of all keys and values of a model: pages of one or two groups that are rented, shared by reference and
/// released, within one budget of bytes.
/// </summary>
/// <remarks>
/// <para>
/// Memory is taken from the system when a page is used for the first time, and kept when its last holder releases it.
/// Both the bytes that are rented and the bytes that are taken from the system never exceed the budget: before a group
/// takes new memory, free pages of the other group give theirs back.
/// </para>
/// <para>
/// Pages are numbers from 0, for each group apart. Any thread may rent and release. A pass reads addresses without the
/// lock, which is right because whoever runs the pass holds the pages.
/// </para>
/// </remarks>
// Bound: Address refuses a page without memory; a page has PageBytes bytes, which PageMemory.Allocate was asked for.
internal sealed unsafe class PagePool : IDisposable
{
    private readonly Lock _lock = new();
    private readonly PageGroup[] _groups;
    private readonly PageStore[] _stores;
    private long _rented,
        _held,
        _committed;
    private bool _disposed;

    /// <param name="groups">The groups of the model's layers.</param>
    /// <param name="budgetBytes">The most bytes that the pages of all groups may take together.</param>
    public PagePool(PageGroup[] groups, long budgetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(budgetBytes);
        _groups = groups;
        _stores = [.. groups.Select(group => new PageStore(group))];
        BudgetBytes = budgetBytes;
    }

    ~PagePool() => DropAll();

    public ReadOnlySpan<PageGroup> Groups => _groups;

    /// <summary>The most bytes that the pages of all groups may take together.</summary>
    public long BudgetBytes { get; }

    /// <summary>Bytes of the pages that somebody holds or keeps; a shared page counts once.</summary>
    public long RentedBytes => Volatile.Read(ref _rented);

    /// <summary>Bytes of the pages that somebody holds; the other rented ones are only kept for later use.</summary>
    public long HeldBytes => Volatile.Read(ref _held);

    /// <summary>Bytes taken from the system: those of rented pages, and of free pages that keep their memory.</summary>
    public long CommittedBytes => Volatile.Read(ref _committed);

    /// <summary>Bytes that can be rented before the budget is used up.</summary>
    public long FreeBytes => BudgetBytes - RentedBytes;

    /// <summary>
    /// Asked for room before a rent fails, with the bytes that are missing: releases pages that are only kept for later
    /// use, and says whether it released any. It is asked again until there is enough room or it says false. It is
    /// called without the pool's lock, on the thread that rents.
    /// </summary>
    public Func<long, bool>? MakeRoom { get; set; }

    /// <summary>Where memory comes from; a test puts something here that fails or counts.</summary>
    internal PageMemory Memory { get; set; } = PageMemory.OfSystem;

    /// <summary>
    /// Rents a page, whose content is undefined. False if the budget is used up and <see cref="MakeRoom"/> found
    /// nothing to release.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The system has no memory, though the budget is not used up. The pool is
    /// as it was.</exception>
    /// <exception cref="ObjectDisposedException">The pool was disposed.</exception>
    public bool TryRent(int group, out int page)
    {
        do
        {
            lock (_lock)
                if (TryTake(_stores[group], out page))
                    return true;
        } while (TryMakeRoom(_groups[group].PageBytes));
        return false;
    }

    /// <summary>Whether the given bytes could be rented if nothing were kept.</summary>
    public bool CouldRent(long bytes) => bytes <= BudgetBytes - HeldBytes;

    /// <summary>Makes room until the given bytes can be rented; false if there is no way.</summary>
    public bool TryMakeRoom(long bytes)
    {
        if (bytes > BudgetBytes)
            return false;
        while (bytes - FreeBytes is > 0 and var missing)
            if (MakeRoom is not { } makeRoom || !makeRoom(missing))
                return false;
        return true;
    }

    /// <summary>Adds a holder to a page that somebody holds.</summary>
    public void AddReference(int group, int page)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_stores[group].AddHolder(page))
                Volatile.Write(ref _held, _held + _groups[group].PageBytes);
        }
    }

    /// <summary>
    /// Keeps a held page for later use: it is not free when its last holder goes, until it is dropped.
    /// </summary>
    public void Keep(int group, int page)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _stores[group].Keep(page);
        }
    }

    /// <summary>Keeps a page no longer. After the pool was disposed this does nothing.</summary>
    public void Drop(int group, int page)
    {
        lock (_lock)
            if (!_disposed && _stores[group].Drop(page))
                Volatile.Write(ref _rented, _rented - _groups[group].PageBytes);
    }

    /// <summary>
    /// Takes a holder off. When the last one goes, the page can be rented again, unless it is kept. After the pool was
    /// disposed a release does nothing.
    /// </summary>
    public void Release(int group, int page)
    {
        lock (_lock)
            if (!_disposed && _stores[group].RemoveHolder(page))
            {
                long bytes = _groups[group].PageBytes;
                Volatile.Write(ref _held, _held - bytes);
                if (!_stores[group].IsKept(page))
                    Volatile.Write(ref _rented, _rented - bytes);
            }
    }

    /// <summary>Number of those who hold a page: 1 if whoever asks is the only one.</summary>
    public int Holders(int group, int page)
    {
        lock (_lock)
            return _stores[group].Holders(page);
    }

    /// <summary>How many pages are used, only kept for later use, and free now.</summary>
    public PageCounts Count()
    {
        (int used, int cached) = (0, 0);
        lock (_lock)
            foreach (PageStore store in _stores)
                store.Count(ref used, ref cached);
        return new PageCounts(used, cached, FreeBytes / PageGroup.MeanBytes(_groups));
    }

    /// <summary>Copies the content of one held page into another.</summary>
    public void Copy(int group, int from, int to) =>
        NativeMemory.Copy(Address(group, from), Address(group, to), (nuint)_groups[group].PageBytes);

    /// <summary>The memory of a page that the caller holds.</summary>
    public byte* Address(int group, int page)
    {
        nint address = _stores[group].Address(page);
        ObjectDisposedException.ThrowIf(address == 0, this);
        return (byte*)address;
    }

    /// <summary>
    /// Gives the memory of all free pages back to the system, one after the other, so that whoever rents meanwhile does
    /// not wait for all of them.
    /// </summary>
    public void Trim()
    {
        foreach (PageStore store in _stores)
            while (TryTrim(store)) { }
        Memory.GiveBack();
    }

    /// <summary>
    /// Gives all memory back. Nobody may read or write a page any more; who still holds some may release them or not.
    /// </summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            DropAll();
            Volatile.Write(ref _rented, 0);
            Volatile.Write(ref _held, 0);
            Volatile.Write(ref _committed, 0);
        }
        GC.SuppressFinalize(this);
    }

    // New memory is counted only after it was had. If the budget has room for the page but not for new memory, then
    // what fills the budget is free pages: not of this group, since one of those would have been taken, but of another.
    private bool TryTake(PageStore store, out int page)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long bytes = store.Group.PageBytes;
        page = -1;
        if (_rented + bytes > BudgetBytes)
            return false;
        if (store.HasFree)
            page = store.TakeFree();
        else
        {
            foreach (PageStore other in _stores)
                while (_committed + bytes > BudgetBytes && TryDropFree(other)) { }
            page = store.TakeNew(Memory);
            Volatile.Write(ref _committed, _committed + bytes);
        }
        Volatile.Write(ref _rented, _rented + bytes);
        Volatile.Write(ref _held, _held + bytes);
        return true;
    }

    private bool TryTrim(PageStore store)
    {
        lock (_lock)
            return !_disposed && TryDropFree(store);
    }

    private bool TryDropFree(PageStore store)
    {
        if (!store.DropFree(Memory))
            return false;
        Volatile.Write(ref _committed, _committed - store.Group.PageBytes);
        return true;
    }

    private void DropAll()
    {
        _disposed = true;
        foreach (PageStore store in _stores ?? []) // null where the constructor refused
            store.DropAll(Memory);
    }
}

/// <summary>How many pages a pool has in each state.</summary>
/// <param name="Used">Pages that somebody holds; a shared page counts once.</param>
/// <param name="Cached">Pages that nobody holds and that are kept for later use.</param>
/// <param name="Free">Pages that can be rented before the budget is used up.</param>
internal readonly record struct PageCounts(int Used, int Cached, long Free);

namespace GptOss.Model;

/// <summary>
/// The pages of one group: for each its address and the number of its holders. A page is a number, not an object. This
/// class counts no bytes and takes no lock; <see cref="PagePool"/> does both.
/// </summary>
/// <remarks>
/// Every page is in one of three states: rented (somebody holds it, or it is kept for later use), free (neither, but
/// its memory waits for the next who rents), or bare (a number without memory).
/// </remarks>
internal sealed class PageStore(PageGroup group)
{
    private readonly Stack<int> _free = new();
    private readonly Stack<int> _bare = new();
    private nint[] _addresses = [];
    private int[] _holders = [];
    private bool[] _kept = [];
    private int _count;

    public PageGroup Group => group;

    /// <summary>Whether a page with memory waits for the next who rents.</summary>
    public bool HasFree => _free.Count > 0;

    /// <summary>
    /// The memory of a page, zero for a bare one. May be called while another thread rents: the address of a page does
    /// not change while somebody holds the page, and an outgrown array stays as it was.
    /// </summary>
    public nint Address(int page) => Volatile.Read(ref _addresses)[page];

    /// <summary>
    /// Takes the free page that was released last, because it may still be in the processor's caches.
    /// </summary>
    public int TakeFree()
    {
        int page = _free.Pop();
        _holders[page] = 1;
        return page;
    }

    /// <summary>Takes a page whose memory is made now. If that fails, nothing has changed.</summary>
    /// <exception cref="OutOfMemoryException">The memory could not be had.</exception>
    public int TakeNew(PageMemory memory)
    {
        if (_bare.Count == 0)
            AddNumber();
        nint address = memory.Allocate(group.PageBytes);
        int page = _bare.Pop();
        _addresses[page] = address;
        _holders[page] = 1;
        return page;
    }

    /// <summary>Adds a holder; true if the page had none, and was only kept.</summary>
    /// <exception cref="InvalidOperationException">The page is free, so it may be rented by anyone.</exception>
    public bool AddHolder(int page)
    {
        if (_holders[page] == 0 && !_kept[page])
            throw new InvalidOperationException($"Page {page} is held by nobody.");
        return _holders[page]++ == 0;
    }

    /// <summary>Takes one holder off; true if it was the last. The page is free then, unless it is kept.</summary>
    /// <exception cref="InvalidOperationException">Nobody holds the page: it was released twice.</exception>
    public bool RemoveHolder(int page)
    {
        ThrowIfNotHeld(page);
        if (--_holders[page] > 0)
            return false;
        if (!_kept[page])
            _free.Push(page);
        return true;
    }

    /// <summary>Keeps a page that somebody holds, so that it is not free when its last holder goes.</summary>
    public void Keep(int page)
    {
        ThrowIfNotHeld(page);
        _kept[page] = true;
    }

    /// <summary>Keeps a page no longer; true if nobody holds the page, so that it is free now.</summary>
    public bool Drop(int page)
    {
        _kept[page] = false;
        if (_holders[page] > 0)
            return false;
        _free.Push(page);
        return true;
    }

    /// <summary>Whether the page is kept.</summary>
    public bool IsKept(int page) => _kept[page];

    /// <summary>Number of those who hold the page; a page that is only kept has none.</summary>
    public int Holders(int page) => _holders[page];

    /// <summary>Adds the pages that somebody holds to one number, and those that are only kept to another.</summary>
    public void Count(ref int held, ref int kept)
    {
        for (int page = 0; page < _count; page++)
            if (_holders[page] > 0)
                held++;
            else if (_kept[page])
                kept++;
    }

    /// <summary>Gives the memory of one free page back to the system; false if there is none.</summary>
    public bool DropFree(PageMemory memory)
    {
        if (!_free.TryPop(out int page))
            return false;
        memory.Free(_addresses[page]);
        _addresses[page] = 0;
        _bare.Push(page);
        return true;
    }

    /// <summary>Gives the memory of all pages back, also of those that somebody holds.</summary>
    public void DropAll(PageMemory memory)
    {
        foreach (ref nint address in _addresses.AsSpan())
        {
            if (address != 0)
                memory.Free(address);
            address = 0;
        }
    }

    private void ThrowIfNotHeld(int page)
    {
        if (_holders[page] == 0)
            throw new InvalidOperationException($"Page {page} is held by nobody.");
    }

    private void AddNumber()
    {
        if (_count == _addresses.Length)
        {
            int length = Math.Max(16, 2 * _count);
            Array.Resize(ref _holders, length);
            Array.Resize(ref _kept, length);
            nint[] addresses = new nint[length];
            _addresses.CopyTo(addresses, 0);
            Volatile.Write(ref _addresses, addresses);
        }
        _bare.EnsureCapacity(_count + 1);
        _free.EnsureCapacity(_count + 1); // so that no later push can fail
        _bare.Push(_count++);
    }
}

using System.Runtime.InteropServices;

namespace GptOss.Model;

/// <summary>
/// The stored positions of one sequence: for each group of layers the numbers of its pages, in order of position. The
/// length grows only after a forward pass has returned, so a pass that fails leaves the sequence usable.
/// </summary>
/// <remarks>
/// A sequence writes positions from <see cref="Length"/> on and no others. So a full page is never written again, and
/// several sequences may hold it. All tables are equally long: page n of each holds positions 64 n to 64 n + 63, or is
/// −1 where no later query sees it. A sequence that nobody disposed keeps its pages until the pool is disposed.
/// </remarks>
internal sealed class KvSequence : IDisposable
{
    /// <summary>Stands in a table for a page that was let go.</summary>
    public const int LetGo = -1;

    private readonly PagePool _pool;
    private readonly List<int>[] _tables;

    internal KvSequence(PagePool pool)
    {
        _pool = pool;
        _tables = new List<int>[pool.Groups.Length];
        for (int group = 0; group < _tables.Length; group++)
            _tables[group] = [];
    }

    /// <summary>Number of positions whose keys and values are stored.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes of the pages that this sequence holds, shared ones included.</summary>
    public long HeldBytes
    {
        get
        {
            long bytes = 0;
            for (int group = 0; group < _tables.Length; group++)
                foreach (int page in _tables[group])
                    bytes += page == LetGo ? 0 : _pool.Groups[group].PageBytes;
            return bytes;
        }
    }

    /// <summary>Number of groups of layers, one or two; each has its table.</summary>
    public int Groups => _tables.Length;

    /// <summary>
    /// The pages of one group in order of position, <see cref="LetGo"/> where the window sees them no more. Valid until
    /// the sequence changes.
    /// </summary>
    public ReadOnlySpan<int> Pages(int group) => CollectionsMarshal.AsSpan(_tables[group]);

    /// <summary>The page of positions 64 · index to 64 · index + 63.</summary>
    public int Page(int group, int index) =>
        _tables[group][index] is >= 0 and var page
            ? page
            : throw new InvalidOperationException(
                $"Page {index} of the sliding layers was let go; its positions lie behind the window."
            );

    /// <summary>Makes room for the positions before <paramref name="end"/> in every layer.</summary>
    /// <exception cref="InvalidOperationException">The pool is out of pages; the message has the figures.</exception>
    /// <exception cref="OutOfMemoryException">The system has no memory; nothing was taken.</exception>
    public void Reserve(int end)
    {
        if (!TryReserve(end))
            throw new InvalidOperationException(
                $"No pages for keys and values are left: {end} positions need {MissingBytes(end)} bytes more, of the "
                    + $"budget of {_pool.BudgetBytes} bytes {_pool.FreeBytes} are free."
            );
    }

    /// <summary>
    /// Makes room for the positions before <paramref name="end"/> in every layer. False if the pool is out of pages;
    /// then nothing was taken.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The system has no memory; nothing was taken.</exception>
    public bool TryReserve(int end)
    {
        LetGoUnseen();
        if (!_pool.TryMakeRoom(MissingBytes(end)))
            return false;
        int held = _tables[0].Count,
            pages = PageGroup.PagesOf(end);
        bool isDone = false;
        try
        {
            for (int group = 0; group < _tables.Length; group++)
            {
                _tables[group].EnsureCapacity(pages);
                while (_tables[group].Count < pages)
                {
                    if (!_pool.TryRent(group, out int page))
                        return false;
                    _tables[group].Add(page);
                }
            }
            return isDone = true;
        }
        finally
        {
            if (!isDone)
                ReleaseFrom(held);
        }
    }

    /// <summary>
    /// Takes in <paramref name="count"/> positions that a pass has stored. The pages that no later query sees are still
    /// there, for whoever wants to keep them.
    /// </summary>
    public void Advance(int count) => Length += count;

    /// <summary>
    /// Lets go of the pages that no later query sees. The next reservation does so too, before it rents others.
    /// </summary>
    public void LetGoUnseen()
    {
        for (int group = 0; group < _tables.Length; group++)
        {
            Span<int> pages = CollectionsMarshal.AsSpan(_tables[group]);
            int seen = Math.Min(pages.Length, _pool.Groups[group].FirstPageSeenFrom(Length));
            for (int index = seen - 1; index >= 0 && pages[index] != LetGo; index--)
            {
                _pool.Release(group, pages[index]);
                pages[index] = LetGo;
            }
        }
    }

    /// <summary>
    /// Lets an empty sequence begin with positions that another one has stored. Whole pages are shared. A last page of
    /// fewer than 64 positions is copied, so that either holder can go on writing its own.
    /// </summary>
    /// <remarks>
    /// For a length of 200 the pages 0 to 2 are shared and page 3 is copied. In layers with a window of 128 the next
    /// query, at position 200, sees positions 73 to 200, so that page 0 is not taken and may be <see cref="LetGo"/>.
    /// </remarks>
    /// <param name="pages">For each group the pages in order of position, held by somebody else during the call. Pages
    /// behind those of <paramref name="length"/> are passed over.</param>
    /// <param name="length">Number of positions to take over.</param>
    /// <returns>False if no page is left for a copy; then the sequence is empty as before.</returns>
    /// <exception cref="ArgumentException">A page that the next query sees is missing.</exception>
    /// <exception cref="OutOfMemoryException">The system has no memory; the sequence is empty as before.</exception>
    public bool Adopt(ReadOnlyMemory<int>[] pages, int length)
    {
        if (_tables[0].Count > 0)
            throw new InvalidOperationException("Only an empty sequence can adopt pages.");
        bool isDone = false;
        try
        {
            for (int group = 0; group < _tables.Length; group++)
                Share(group, pages[group].Span, length);
            // Only now, because making room may take away pages that nobody else holds.
            if (length % PageGroup.Positions != 0 && !TryOwnLastPages())
                return false;
            Length = length;
            return isDone = true;
        }
        finally
        {
            if (!isDone)
                ReleaseFrom(0);
        }
    }

    /// <summary>
    /// Lets an empty sequence begin with positions whose keys and values the caller writes: takes the pages that the
    /// query behind them sees. False if the pool is out of pages; then the sequence is empty as before.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The system has no memory; the sequence is empty as before.</exception>
    public bool TryBegin(int length)
    {
        if (_tables[0].Count > 0)
            throw new InvalidOperationException("Only an empty sequence can begin.");
        // What cannot succeed must not cost the prefixes that are kept.
        long bytes = PageGroup.SeenBytes(_pool.Groups, length);
        if (!_pool.CouldRent(bytes) || !_pool.TryMakeRoom(bytes))
            return false;
        bool isDone = false;
        try
        {
            for (int group = 0; group < _tables.Length; group++)
            {
                int seen = _pool.Groups[group].FirstPageSeenFrom(length);
                for (int index = 0; index < PageGroup.PagesOf(length); index++)
                {
                    int page = LetGo;
                    if (index >= seen && !_pool.TryRent(group, out page))
                        return false;
                    _tables[group].Add(page);
                }
            }
            Length = length;
            return isDone = true;
        }
        finally
        {
            if (!isDone)
                ReleaseFrom(0);
        }
    }

    /// <summary>Releases all pages; the sequence is empty and can be used again.</summary>
    public void Clear()
    {
        ReleaseFrom(0);
        Length = 0;
    }

    public void Dispose() => Clear();

    private void Share(int group, ReadOnlySpan<int> pages, int length)
    {
        int count = PageGroup.PagesOf(length),
            seen = _pool.Groups[group].FirstPageSeenFrom(length);
        if (pages.Length < count || pages[..count][Math.Min(seen, count)..].Contains(LetGo))
            throw new ArgumentException(
                $"The pages of group {group} lack one that a query at position {length} sees.",
                nameof(pages)
            );
        _tables[group].EnsureCapacity(count);
        for (int index = 0; index < count; index++)
        {
            if (index >= seen)
                _pool.AddReference(group, pages[index]);
            _tables[group].Add(index >= seen ? pages[index] : LetGo);
        }
    }

    private bool TryOwnLastPages()
    {
        for (int group = 0; group < _tables.Length; group++)
        {
            if (!_pool.TryRent(group, out int copy))
                return false;
            int shared = _tables[group][^1];
            _pool.Copy(group, shared, copy);
            _tables[group][^1] = copy;
            _pool.Release(group, shared);
        }
        return true;
    }

    /// <summary>Bytes of the pages that are missing for the positions before <paramref name="end"/>.</summary>
    public long MissingBytes(int end)
    {
        long bytes = 0;
        foreach (PageGroup group in _pool.Groups)
            bytes += Math.Max(0, PageGroup.PagesOf(end) - _tables[0].Count) * group.PageBytes;
        return bytes;
    }

    private void ReleaseFrom(int first)
    {
        for (int group = 0; group < _tables.Length; group++)
        {
            Span<int> pages = CollectionsMarshal.AsSpan(_tables[group]);
            for (int index = first; index < pages.Length; index++)
                if (pages[index] != LetGo)
                    _pool.Release(group, pages[index]);
            CollectionsMarshal.SetCount(_tables[group], Math.Min(first, pages.Length));
        }
    }
}

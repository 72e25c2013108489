namespace GptOss.Tokenization;

/// <summary>
/// Byte-pair encoding of one piece of text in n log n steps: the pair of lowest rank merges first, of equals the
/// leftmost.
/// </summary>
/// <remarks>
/// A part is known by the offset of its first byte; the parts form a list by <c>_next</c> and <c>_previous</c>. The
/// heap holds every pair that may merge as <c>rank · 2³² + offset</c>. A pair that has changed since leaves its entry
/// behind, which is known by a rank other than the pair's. 32 bytes of scratch per byte of the longest piece. Not
/// thread-safe: each call of <see cref="BytePairEncoder.Encode"/> has its own.
/// </remarks>
internal sealed class ByteMerger(MergeRanks merges, int[] byteTokens, CancellationToken cancellation = default)
{
    // How many merges are made between two looks at the cancellation: a few thousand take less than a millisecond,
    // while a piece of a megabyte takes a second.
    private const int MergesBetweenLooks = 4096;

    private int[] _token = [];
    private int[] _next = [];
    private int[] _previous = [];
    private int[] _rank = [];
    private long[] _heap = [];
    private int _heapCount;

    /// <summary>Appends the tokens of <paramref name="piece"/> to <paramref name="ids"/>.</summary>
    /// <exception cref="OperationCanceledException">The encoding was cancelled.</exception>
    public void Encode(ReadOnlySpan<byte> piece, List<int> ids)
    {
        Begin(piece);
        for (int merges = 0; _heapCount > 0; merges++)
        {
            if (merges % MergesBetweenLooks == 0)
                cancellation.ThrowIfCancellationRequested();
            long first = Pop();
            int rank = (int)(first >> 32),
                left = (int)first;
            if (_rank[left] == rank)
                Merge(piece, left, rank);
        }
        for (int part = 0; part < piece.Length; part = _next[part])
            ids.Add(_token[part]);
    }

    private void Begin(ReadOnlySpan<byte> piece)
    {
        if (_token.Length < piece.Length)
        {
            int room = Math.Max(256, piece.Length);
            _token = new int[room];
            _next = new int[room];
            _previous = new int[room];
            _rank = new int[room];
            _heap = new long[checked(2 * room)]; // each of fewer than n merges takes one entry and adds at most two
        }
        for (int i = 0; i < piece.Length; i++)
        {
            _token[i] = byteTokens[piece[i]];
            _next[i] = i + 1;
            _previous[i] = i - 1;
        }
        _heapCount = 0;
        for (int i = 0; i < piece.Length; i++)
        {
            _rank[i] = PairRank(piece, i);
            if (_rank[i] != MergeRanks.Never)
                _heap[_heapCount++] = Entry(_rank[i], i);
        }
        for (int i = _heapCount / 2 - 1; i >= 0; i--)
            SiftDown(i, _heap[i]);
    }

    private void Merge(ReadOnlySpan<byte> piece, int left, int rank)
    {
        int right = _next[left],
            after = _next[right],
            before = _previous[left];
        _token[left] = merges.Token(rank);
        _next[left] = after;
        if (after < piece.Length)
            _previous[after] = left;
        _rank[right] = MergeRanks.Never;
        Renew(piece, left);
        if (before >= 0)
            Renew(piece, before);
    }

    private void Renew(ReadOnlySpan<byte> piece, int left)
    {
        int rank = _rank[left] = PairRank(piece, left);
        if (rank != MergeRanks.Never)
            Push(Entry(rank, left));
    }

    private int PairRank(ReadOnlySpan<byte> piece, int left)
    {
        int right = _next[left];
        return right < piece.Length
            ? merges.Rank(piece[left.._next[right]], _token[left], _token[right])
            : MergeRanks.Never;
    }

    private static long Entry(int rank, int left) => (long)rank << 32 | (uint)left;

    private void Push(long entry)
    {
        int i = _heapCount++;
        for (int parent; i > 0 && _heap[parent = (i - 1) / 2] > entry; i = parent)
            _heap[i] = _heap[parent];
        _heap[i] = entry;
    }

    private long Pop()
    {
        long first = _heap[0];
        long last = _heap[--_heapCount];
        if (_heapCount > 0)
            SiftDown(0, last);
        return first;
    }

    private void SiftDown(int i, long entry)
    {
        for (int child; (child = 2 * i + 1) < _heapCount; i = child)
        {
            if (child + 1 < _heapCount && _heap[child + 1] < _heap[child])
                child++;
            if (_heap[child] >= entry)
                break;
            _heap[i] = _heap[child];
        }
        _heap[i] = entry;
    }
}

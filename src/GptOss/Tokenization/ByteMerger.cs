namespace GptOss.Tokenization;

/// <summary>
/// Byte-pair encoding of one piece of text in n log n steps: the pair of lowest rank merges first, of equals the
/// leftmost.
/// </summary>
/// <remarks>
/// A part is known by the offset of its first byte; the parts form a list. All that is known of a part lies together,
/// since merges jump about in a long piece and each place costs a miss of the caches. For the same reason the pairs
/// that a piece begins with are sorted, and only those that merges make go through a heap. A pair is an entry
/// <c>rank · 2³² + offset</c>. One that has changed since leaves its entry behind, which is known by a rank other than
/// the pair's. 40 bytes of scratch per byte of the longest piece. Not thread-safe: each call of <see
/// cref="BytePairEncoder.Encode"/> has its own.
/// </remarks>
internal sealed class ByteMerger(MergeRanks merges, int[] byteTokens, CancellationToken cancellation = default)
{
    // How many merges are made between two looks at the cancellation: a few thousand take less than a millisecond,
    // while a piece of a megabyte takes a quarter of a second.
    private const int MergesBetweenLooks = 4096;

    private Known[] _parts = [];
    private long[] _first = [];
    private int _firstTaken,
        _firstCount;
    private long[] _heap = [];
    private int _heapCount;

    /// <summary>Appends the tokens of <paramref name="piece"/> to <paramref name="ids"/>.</summary>
    /// <exception cref="OperationCanceledException">The encoding was cancelled.</exception>
    public void Encode(ReadOnlySpan<byte> piece, List<int> ids)
    {
        Begin(piece);
        for (int merges = 0; _heapCount > 0 || _firstTaken < _firstCount; merges++)
        {
            if (merges % MergesBetweenLooks == 0)
                cancellation.ThrowIfCancellationRequested();
            long lowest = Pop();
            int rank = (int)(lowest >> 32),
                left = (int)lowest;
            if (_parts[left].Rank == rank)
                Merge(piece, left, rank);
        }
        for (int part = 0; part < piece.Length; part = _parts[part].Next)
            ids.Add(_parts[part].Token);
    }

    private void Begin(ReadOnlySpan<byte> piece)
    {
        if (_parts.Length < piece.Length)
        {
            int room = Math.Max(256, piece.Length);
            _parts = new Known[room];
            _first = new long[room];
            _heap = new long[checked(2 * room)]; // each of fewer than n merges takes one entry and adds at most two
        }
        for (int i = 0; i < piece.Length; i++)
            _parts[i] = new Known
            {
                Token = byteTokens[piece[i]],
                Next = i + 1,
                Previous = i - 1,
            };
        _firstTaken = _firstCount = _heapCount = 0;
        for (int i = 0; i < piece.Length; i++)
        {
            int rank = _parts[i].Rank = PairRank(piece, i);
            if (rank != MergeRanks.Never)
                _first[_firstCount++] = Entry(rank, i);
        }
        _first.AsSpan(0, _firstCount).Sort();
    }

    private void Merge(ReadOnlySpan<byte> piece, int left, int rank)
    {
        ref Known merged = ref _parts[left];
        ref Known right = ref _parts[merged.Next];
        merged.Token = merges.Token(rank);
        merged.Next = right.Next;
        if (right.Next < piece.Length)
            _parts[right.Next].Previous = left;
        right.Rank = MergeRanks.Never;
        Renew(piece, left);
        if (merged.Previous >= 0)
            Renew(piece, merged.Previous);
    }

    private void Renew(ReadOnlySpan<byte> piece, int left)
    {
        int rank = _parts[left].Rank = PairRank(piece, left);
        if (rank != MergeRanks.Never)
            Push(Entry(rank, left));
    }

    private int PairRank(ReadOnlySpan<byte> piece, int left)
    {
        int right = _parts[left].Next;
        if (right >= piece.Length)
            return MergeRanks.Never;
        ref Known second = ref _parts[right];
        return merges.Rank(piece[left..second.Next], _parts[left].Token, second.Token);
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
        if (_firstTaken < _firstCount && (_heapCount == 0 || _first[_firstTaken] < _heap[0]))
            return _first[_firstTaken++];
        long lowest = _heap[0],
            last = _heap[--_heapCount];
        int i = 0;
        for (int child; (child = 2 * i + 1) < _heapCount; i = child)
        {
            if (child + 1 < _heapCount && _heap[child + 1] < _heap[child])
                child++;
            if (_heap[child] >= last)
                break;
            _heap[i] = _heap[child];
        }
        _heap[i] = last;
        return lowest;
    }

    private struct Known
    {
        public int Token,
            Next,
            Previous,
            Rank; // of the pair that the part makes with the next one
    }
}

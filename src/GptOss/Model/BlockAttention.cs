using System.Numerics.Tensors;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>The queries of one row block on one key/value head. Query i is head i mod group of row i / group.</summary>
internal readonly unsafe ref struct BlockAttention
{
    private const int SegmentPositions = 64 * KvBlock.Positions;

    private readonly ModelConfig _c;
    private readonly KvLayer _kv;
    private readonly RowBlock _block;
    private readonly int _kvHead,
        _window;
    private readonly Span<float> _keyTile,
        _valueTile,
        _segment;
    private readonly Rows _query;

    /// <param name="c">Shapes.</param>
    /// <param name="kv">The layer's keys and values.</param>
    /// <param name="block">Rows of one sequence.</param>
    /// <param name="kvHead">Which key/value head.</param>
    /// <param name="window">Positions that a query sees, its own among them.</param>
    /// <param name="scratch">At least <see cref="ScratchFloats"/>.</param>
    public BlockAttention(ModelConfig c, KvLayer kv, RowBlock block, int kvHead, int window, Span<float> scratch)
    {
        (_c, _kv, _block, _kvHead, _window) = (c, kv, block, kvHead, window);
        int tile = KvBlock.Positions * c.HeadDim,
            queries = block.Count * c.HeadsPerKeyValueHead,
            state = StateFloats(c, block.Count);
        _keyTile = scratch[..tile];
        _valueTile = scratch.Slice(tile, tile);
        _query = new Rows(scratch.Slice(2 * tile, queries * c.HeadDim), c.HeadDim);
        scratch = scratch[(2 * tile + queries * c.HeadDim)..];
        _segment = scratch[..state];
        Total = StateIn(scratch[state..]);
        (FirstSegment, EndSegment) = SegmentsOf(block, window);
    }

    /// <summary>The queries' state over the segments so far, sink included.</summary>
    public AttentionState Total { get; }

    public int FirstSegment { get; }

    public int EndSegment { get; }

    /// <summary>Floats of the state of a block of so many rows.</summary>
    public static int StateFloats(ModelConfig c, int rows) =>
        rows * c.HeadsPerKeyValueHead * AttentionState.Floats(c.HeadDim);

    /// <summary>Floats of scratch for a block of so many rows: two tiles, the queries, two states.</summary>
    public static int ScratchFloats(ModelConfig c, int rows) =>
        2 * KvBlock.Positions * c.HeadDim + rows * c.HeadsPerKeyValueHead * c.HeadDim + 2 * StateFloats(c, rows);

    /// <summary>The segments of absolute positions that a block's rows see.</summary>
    public static (int First, int End) SegmentsOf(RowBlock block, int window)
    {
        int start = block.Segment.Start + block.First;
        return (Math.Max(0, start - window + 1) / SegmentPositions, (start + block.Count - 1) / SegmentPositions + 1);
    }

    /// <summary>The queries' state in memory of at least <see cref="StateFloats"/>.</summary>
    public AttentionState StateIn(Span<float> memory) =>
        AttentionState.In(memory[..StateFloats(_c, _block.Count)], _c.HeadDim);

    /// <summary>Everything: all segments, one after the other.</summary>
    public void Run(float* q, float* heads, float* sinks)
    {
        LoadQueries(q);
        Begin(sinks);
        AttentionState segment = StateIn(_segment);
        for (int index = FirstSegment; index < EndSegment; index++)
        {
            FoldSegment(index, segment);
            Total.Merge(segment);
        }
        Finish(heads);
    }

    public void LoadQueries(float* q)
    {
        float scale = (float)(1 / Math.Sqrt(_c.HeadDim));
        for (int i = 0; i < _query.Count; i++)
            TensorPrimitives.Multiply(new ReadOnlySpan<float>(q + Offset(i), _c.HeadDim), scale, _query[i]);
    }

    /// <summary>Lets the total begin with the sinks.</summary>
    public void Begin(float* sinks)
    {
        int group = _c.HeadsPerKeyValueHead;
        Total.Values.Values.Clear();
        Total.Sums.Fill(1);
        for (int i = 0; i < Total.Maxima.Length; i++)
            Total.Maxima[i] = sinks[_kvHead * group + i % group];
    }

    /// <summary>Makes <paramref name="state"/> that of the positions of one segment.</summary>
    public void FoldSegment(int segment, AttentionState state)
    {
        state.Clear();
        int start = _block.Segment.Start + _block.First;
        int first = Math.Max(segment * SegmentPositions, Math.Max(0, start - _window + 1)) / KvBlock.Positions;
        int end =
            Math.Min((segment + 1) * SegmentPositions, start + _block.Count + KvBlock.Positions - 1)
            / KvBlock.Positions;
        for (int tile = first; tile < end; tile++)
            FoldTile(tile, tile + 1 < end, start, state);
    }

    /// <summary>Writes the results.</summary>
    public void Finish(float* heads)
    {
        for (int i = 0; i < Total.Sums.Length; i++)
            TensorPrimitives.Divide(Total.Values[i], Total.Sums[i], new Span<float>(heads + Offset(i), _c.HeadDim));
    }

    private void FoldTile(int tile, bool hasNext, int firstPosition, AttentionState state)
    {
        KvSequence sequence = _block.Segment.Sequence;
        ReadOnlySpan<float> keys = _kv.Keys(sequence, tile, _kvHead, _keyTile);
        ReadOnlySpan<float> values = _kv.Values(sequence, tile, _kvHead, _valueTile);
        ReadOnlySpan<byte> nextKeys = hasNext ? _kv.StoredKeys(sequence, tile + 1, _kvHead) : default;
        ReadOnlySpan<byte> nextValues = hasNext ? _kv.StoredValues(sequence, tile + 1, _kvHead) : default;
        int group = _c.HeadsPerKeyValueHead,
            width = group * _c.HeadDim,
            tileStart = tile * KvBlock.Positions;
        for (int row = 0; row < _block.Count; row++)
        {
            int position = firstPosition + row;
            int from = Math.Max(0, position - _window + 1 - tileStart),
                to = Math.Min(KvBlock.Positions, position + 1 - tileStart);
            if (from >= to)
                continue;
            var queries = new Rows(_query.Values.Slice(row * width, width), _c.HeadDim);
            PageAttention.Fold(queries, keys, values, from, to, state.Slice(row * group, group), nextKeys, nextValues);
            nextKeys = nextValues = default; // fetched once is enough
        }
    }

    private long Offset(int query)
    {
        int group = _c.HeadsPerKeyValueHead,
            row = _block.Segment.FirstRow + _block.First + query / group;
        return ((long)row * _c.NumAttentionHeads + _kvHead * group + query % group) * _c.HeadDim;
    }
}

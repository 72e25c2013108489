using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// Makes the key/value storage of sequences: blocks of 64 positions, one per layer, by absolute position.
/// </summary>
internal sealed class KvCache(ModelConfig config, KeyValueFormat format)
{
    private readonly KvTile _tile = new(format, config.HeadDim);
    private long _bytes;

    public ModelConfig Config => config;

    /// <summary>How one head's part of a block is stored.</summary>
    public KvTile Tile => _tile;

    /// <summary>Bytes of the blocks that sequences hold now.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Bytes of one block: keys and values of 64 positions of one layer.</summary>
    public int BlockBytes => 2 * config.NumKeyValueHeads * _tile.Bytes;

    /// <summary>Bytes that one more position takes while every layer still sees it.</summary>
    public long BytesPerPosition => (long)BlockBytes / KvBlock.Positions * config.NumHiddenLayers;

    public KvLayer this[int layer] => new(this, layer);

    public KvSequence NewSequence() => new(this);

    internal KvBlock NewBlock()
    {
        Interlocked.Add(ref _bytes, BlockBytes);
        return new KvBlock(BlockBytes, bytes => Interlocked.Add(ref _bytes, -bytes));
    }
}

/// <summary>
/// Keys and values of 64 positions of one layer. Reference-counted, so that sequences can share a beginning.
/// </summary>
internal sealed unsafe class KvBlock
{
    public const int Positions = PageAttention.Positions;

    private readonly int _bytes;
    private readonly Action<int> _freed;
    private byte* _data;
    private int _references = 1;

    public KvBlock(int bytes, Action<int> freed)
    {
        _bytes = bytes;
        _freed = freed;
        _data = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
    }

    ~KvBlock() => Free();

    /// <summary>One tile for each key/value head.</summary>
    public Span<byte> Keys => new(_data, _bytes / 2);

    /// <summary>The same of the values.</summary>
    public Span<byte> Values => new(_data + _bytes / 2, _bytes / 2);

    public void AddReference() => Interlocked.Increment(ref _references);

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
            Free();
    }

    private void Free()
    {
        if (_data is null)
            return;
        NativeMemory.AlignedFree(_data);
        _data = null;
        _freed(_bytes);
    }
}

/// <summary>
/// The blocks of one sequence. Its length grows only after a forward pass, so a pass that fails leaves it usable.
/// </summary>
internal sealed class KvSequence : IDisposable
{
    private readonly KvCache _cache;
    private readonly List<KvBlock?>[] _blocks;

    internal KvSequence(KvCache cache)
    {
        _cache = cache;
        _blocks = new List<KvBlock?>[cache.Config.NumHiddenLayers];
        for (int layer = 0; layer < _blocks.Length; layer++)
            _blocks[layer] = [];
    }

    /// <summary>Positions whose keys and values are stored.</summary>
    public int Length { get; private set; }

    /// <summary>Makes room for positions up to <paramref name="end"/> in every layer.</summary>
    public void Reserve(int end)
    {
        int blocks = (end + KvBlock.Positions - 1) / KvBlock.Positions;
        foreach (List<KvBlock?> layer in _blocks)
            while (layer.Count < blocks)
                layer.Add(_cache.NewBlock());
    }

    /// <summary>The block of positions 64 · index to 64 · index + 63.</summary>
    public KvBlock Block(int layer, int index) =>
        _blocks[layer][index]
        ?? throw new InvalidOperationException(
            $"Block {index} of sliding layer {layer} was let go; its positions lie behind the window."
        );

    /// <summary>
    /// Takes in <paramref name="count"/> positions that a pass has stored, and lets go of what no later query sees.
    /// </summary>
    public void Advance(int count)
    {
        Length += count;
        ModelConfig config = _cache.Config;
        int behind = Length - config.SlidingWindow + 1; // the next query sees positions from here on
        for (int layer = 0; layer < _blocks.Length; layer++)
        {
            if (!config.IsSliding[layer])
                continue;
            for (int index = behind / KvBlock.Positions - 1; index >= 0 && _blocks[layer][index] is { } block; index--)
            {
                block.Release();
                _blocks[layer][index] = null;
            }
        }
    }

    public void Dispose()
    {
        foreach (List<KvBlock?> layer in _blocks)
        {
            foreach (KvBlock? block in layer)
                block?.Release();
            layer.Clear();
        }
    }
}

/// <summary>One layer's view of the cache.</summary>
internal readonly struct KvLayer(KvCache cache, int layer)
{
    /// <summary>Stores keys and values [rows, kvHeads × headDim] of every row at its position.</summary>
    public void Store(Batch batch, Rows keys, Rows values)
    {
        KvTile tile = cache.Tile;
        int headDim = cache.Config.HeadDim;
        foreach (Segment segment in batch.Segments)
            for (int i = 0; i < segment.Count; i++)
            {
                int index = (segment.Start + i) / KvBlock.Positions,
                    slot = (segment.Start + i) % KvBlock.Positions;
                Span<float> key = keys[segment.FirstRow + i],
                    value = values[segment.FirstRow + i];
                for (int head = 0; head < cache.Config.NumKeyValueHeads; head++)
                {
                    tile.StoreKey(StoredKeys(segment.Sequence, index, head), slot, key.Slice(head * headDim, headDim));
                    tile.StoreValue(
                        StoredValues(segment.Sequence, index, head),
                        slot,
                        value.Slice(head * headDim, headDim)
                    );
                }
            }
    }

    /// <summary>A head's keys [headDim, 64] of one block, as they were stored.</summary>
    public ReadOnlySpan<float> Keys(KvSequence sequence, int index, int head, Span<float> scratch) =>
        cache.Tile.Keys(StoredKeys(sequence, index, head), scratch);

    /// <summary>A head's values [64, headDim] of one block, as they were stored.</summary>
    public ReadOnlySpan<float> Values(KvSequence sequence, int index, int head, Span<float> scratch) =>
        cache.Tile.Values(StoredValues(sequence, index, head), scratch);

    /// <summary>The memory of a head's keys of one block.</summary>
    public Span<byte> StoredKeys(KvSequence sequence, int index, int head) =>
        Tile(sequence.Block(layer, index).Keys, head);

    /// <summary>The memory of a head's values of one block.</summary>
    public Span<byte> StoredValues(KvSequence sequence, int index, int head) =>
        Tile(sequence.Block(layer, index).Values, head);

    private Span<byte> Tile(Span<byte> tiles, int head) => tiles.Slice(head * cache.Tile.Bytes, cache.Tile.Bytes);
}

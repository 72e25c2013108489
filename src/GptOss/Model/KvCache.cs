using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>Makes the key/value storage of sequences: blocks of 64 positions, one per layer, by absolute position.</summary>
internal sealed class KvCache(ModelConfig config, KeyValueFormat format)
{
    private long _bytes;

    public ModelConfig Config => config;

    /// <summary>Bytes of the blocks that sequences hold now.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Bytes of one block: keys and values of 64 positions of one layer.</summary>
    public int BlockBytes => 2 * KvBlock.Positions * config.KeyValueWidth * ValueBytes;

    /// <summary>Bytes that one more position takes while every layer still sees it.</summary>
    public long BytesPerPosition => 2L * config.KeyValueWidth * ValueBytes * config.NumHiddenLayers;

    private int ValueBytes => format == KeyValueFormat.Float16 ? sizeof(ushort) : sizeof(float);

    public KvLayer this[int layer] => new(this, layer);

    public KvSequence NewSequence() => new(this);

    internal KvBlock NewBlock()
    {
        Interlocked.Add(ref _bytes, BlockBytes);
        return new KvBlock(BlockBytes, bytes => Interlocked.Add(ref _bytes, -bytes));
    }

    /// <summary>Writes one row of keys [kvHeads × headDim] into a block at a slot of 0 to 63, each head as [headDim, 64].</summary>
    internal void StoreKeys(KvBlock block, int slot, ReadOnlySpan<float> keys)
    {
        if (format == KeyValueFormat.Float16)
        {
            Span<Half> halves = MemoryMarshal.Cast<byte, Half>(block.Keys);
            for (int i = 0; i < keys.Length; i++) halves[i * KvBlock.Positions + slot] = (Half)keys[i];
            return;
        }
        Span<float> floats = MemoryMarshal.Cast<byte, float>(block.Keys);
        for (int i = 0; i < keys.Length; i++) floats[i * KvBlock.Positions + slot] = keys[i];
    }

    /// <summary>Writes one row of values, each head as [64, headDim].</summary>
    internal void StoreValues(KvBlock block, int slot, ReadOnlySpan<float> values)
    {
        int headDim = config.HeadDim;
        for (int head = 0; head < config.NumKeyValueHeads; head++)
        {
            int at = (head * KvBlock.Positions + slot) * headDim;
            ReadOnlySpan<float> row = values.Slice(head * headDim, headDim);
            if (format == KeyValueFormat.Float16)
                TensorPrimitives.ConvertToHalf(row, MemoryMarshal.Cast<byte, Half>(block.Values).Slice(at, headDim));
            else
                row.CopyTo(MemoryMarshal.Cast<byte, float>(block.Values).Slice(at, headDim));
        }
    }

    /// <summary>One head's tile as floats: the block's own memory, or the scratch into which float16 is widened (exact).</summary>
    internal ReadOnlySpan<float> ReadTile(Span<byte> half, int head, Span<float> scratch)
    {
        int count = KvBlock.Positions * config.HeadDim;
        if (format == KeyValueFormat.Float32) return MemoryMarshal.Cast<byte, float>(half).Slice(head * count, count);
        TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(half).Slice(head * count, count), scratch);
        return scratch;
    }
}

/// <summary>Keys and values of 64 positions of one layer. Reference-counted, so that sequences can share a beginning.</summary>
internal sealed unsafe class KvBlock
{
    public const int Positions = AttentionTile.Positions;

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

    /// <summary>[kvHeads, headDim, 64].</summary>
    public Span<byte> Keys => new(_data, _bytes / 2);

    /// <summary>[kvHeads, 64, headDim].</summary>
    public Span<byte> Values => new(_data + _bytes / 2, _bytes / 2);

    public void AddReference() => Interlocked.Increment(ref _references);

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0) Free();
    }

    private void Free()
    {
        if (_data is null) return;
        NativeMemory.AlignedFree(_data);
        _data = null;
        _freed(_bytes);
    }
}

/// <summary>The blocks of one sequence. Its length grows only after a forward pass, so a pass that fails leaves it usable.</summary>
internal sealed class KvSequence : IDisposable
{
    private readonly KvCache _cache;
    private readonly List<KvBlock?>[] _blocks;

    internal KvSequence(KvCache cache)
    {
        _cache = cache;
        _blocks = new List<KvBlock?>[cache.Config.NumHiddenLayers];
        for (int layer = 0; layer < _blocks.Length; layer++) _blocks[layer] = [];
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
    public KvBlock Block(int layer, int index) => _blocks[layer][index]
        ?? throw new InvalidOperationException($"Block {index} of sliding layer {layer} was let go; its positions lie behind the window.");

    /// <summary>Takes in <paramref name="count"/> positions that a pass has stored, and lets go of what no later query sees.</summary>
    public void Advance(int count)
    {
        Length += count;
        ModelConfig config = _cache.Config;
        int behind = Length - config.SlidingWindow + 1;   // the next query sees positions from here on
        for (int layer = 0; layer < _blocks.Length; layer++)
        {
            if (!config.IsSliding[layer]) continue;
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
            foreach (KvBlock? block in layer) block?.Release();
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
        foreach (Segment segment in batch.Segments)
            for (int i = 0; i < segment.Count; i++)
            {
                int position = segment.Start + i;
                KvBlock block = segment.Sequence.Block(layer, position / KvBlock.Positions);
                cache.StoreKeys(block, position % KvBlock.Positions, keys[segment.FirstRow + i]);
                cache.StoreValues(block, position % KvBlock.Positions, values[segment.FirstRow + i]);
            }
    }

    /// <summary>A head's keys [headDim, 64] of one block, as they were stored.</summary>
    public ReadOnlySpan<float> Keys(KvSequence sequence, int index, int head, Span<float> scratch) =>
        cache.ReadTile(sequence.Block(layer, index).Keys, head, scratch);

    /// <summary>A head's values [64, headDim] of one block, as they were stored.</summary>
    public ReadOnlySpan<float> Values(KvSequence sequence, int index, int head, Span<float> scratch) =>
        cache.ReadTile(sequence.Block(layer, index).Values, head, scratch);
}

using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// Keeps the keys and values of all sequences of a model, so that a token's keys and values are computed once and read
/// by every later token. They lie in the pages of a pool, 64 positions of a group of layers in each.
/// </summary>
internal sealed class KvCache : IDisposable
{
    private readonly (int Group, long Offset)[] _places;

    /// <param name="config">The sizes of the model.</param>
    /// <param name="format">The number format of stored keys and values.</param>
    /// <param name="budgetBytes">The most bytes that all pages may take together.</param>
    public KvCache(ModelConfig config, KeyValueFormat format, long budgetBytes)
    {
        Config = config;
        Format = format;
        Layout = new KvHeadLayout(format, config.HeadDim);
        PageGroup[] groups = PageGroup.Of(config, Layout);
        Pool = new PagePool(groups, budgetBytes);
        _places = new (int, long)[config.NumHiddenLayers];
        for (int group = 0; group < groups.Length; group++)
        for (int i = 0; i < groups[group].Layers.Length; i++)
            _places[groups[group].Layers[i]] = (group, i * groups[group].LayerBytes);
    }

    public ModelConfig Config { get; }

    /// <summary>The number format of stored keys and values.</summary>
    public KeyValueFormat Format { get; }

    /// <summary>How the keys or the values of one head are stored in a page.</summary>
    public KvHeadLayout Layout { get; }

    /// <summary>The memory of the pages, its budget and its figures.</summary>
    public PagePool Pool { get; }

    /// <summary>
    /// Bytes of the pages that sequences hold now; those that are only kept for later use do not count.
    /// </summary>
    public long Bytes => Pool.HeldBytes;

    /// <summary>Bytes that one more position takes while every layer still sees it.</summary>
    public long BytesPerPosition => PageBytes / PageGroup.Positions;

    /// <summary>Bytes of one page of each group: what 64 more positions take.</summary>
    public long PageBytes => PageGroup.BytesOfEach(Pool.Groups);

    /// <summary>The most bytes that a sequence holds while it grows to the given number of positions.</summary>
    /// <param name="positions">The number of positions.</param>
    /// <param name="rows">The most rows of the sequence in one pass.</param>
    public long BytesFor(int positions, int rows) => PageGroup.MostBytes(Pool.Groups, positions, rows);

    public KvLayer this[int layer] => new(this, _places[layer].Group, _places[layer].Offset);

    public KvSequence NewSequence() => new(Pool);

    /// <summary>Sets the keys and values from a slot on to zeros in a copy of a page.</summary>
    /// <param name="page">The bytes of a whole page of any group.</param>
    /// <param name="slot">The first position within the page that is not defined.</param>
    public void ClearFrom(Span<byte> page, int slot)
    {
        int heads = Config.NumKeyValueHeads;
        for (int head = 0; head * Layout.Bytes < page.Length; head++)
        {
            Span<byte> stored = page.Slice(head * Layout.Bytes, Layout.Bytes);
            if (head / heads % 2 == 0) // a layer's keys of all heads, then its values
                Layout.ClearKeys(stored, slot);
            else
                Layout.ClearValues(stored, slot);
        }
    }

    public void Dispose() => Pool.Dispose();
}

/// <summary>
/// The keys and values of one layer, for all sequences: stores those of a batch, and gives those of a page back as
/// floats.
/// </summary>
/// <remarks>
/// The layer's part of a page begins with the keys of all key/value heads, one head after the other, as
/// <see cref="KvHeadLayout"/> says. The values follow in the same way.
/// </remarks>
/// <param name="cache">The cache that knows how they are stored.</param>
/// <param name="group">The group of layers whose pages hold this layer.</param>
/// <param name="offset">Bytes of a page before the part of this layer.</param>
// Bound: OfHead makes a span of one head's bytes; the parts of all heads and layers add up to PageBytes, which PagePool
// allocates.
internal readonly unsafe struct KvLayer(KvCache cache, int group, long offset)
{
    /// <summary>Stores keys and values [rows, kvHeads × headDim] of every row at its position.</summary>
    public void Store(Batch batch, Rows keys, Rows values)
    {
        KvHeadLayout layout = cache.Layout;
        int headDim = cache.Config.HeadDim;
        foreach (RowRun run in batch.Runs)
            for (int i = 0; i < run.Count; i++)
            {
                int index = (run.Start + i) / PageGroup.Positions,
                    slot = (run.Start + i) % PageGroup.Positions;
                Span<float> key = keys[run.FirstRow + i],
                    value = values[run.FirstRow + i];
                for (int head = 0; head < cache.Config.NumKeyValueHeads; head++)
                {
                    layout.StoreKey(StoredKeys(run.Sequence, index, head), slot, key.Slice(head * headDim, headDim));
                    layout.StoreValue(
                        StoredValues(run.Sequence, index, head),
                        slot,
                        value.Slice(head * headDim, headDim)
                    );
                }
            }
    }

    /// <summary>A head's keys of one page as floats, [headDim, 64].</summary>
    public ReadOnlySpan<float> Keys(KvSequence sequence, int index, int head, Span<float> scratch) =>
        cache.Layout.Keys(StoredKeys(sequence, index, head), scratch);

    /// <summary>A head's values of one page as floats, [64, headDim].</summary>
    public ReadOnlySpan<float> Values(KvSequence sequence, int index, int head, Span<float> scratch) =>
        cache.Layout.Values(StoredValues(sequence, index, head), scratch);

    /// <summary>The memory of a head's keys in one page.</summary>
    public Span<byte> StoredKeys(KvSequence sequence, int index, int head) => OfHead(sequence, index, head);

    /// <summary>The memory of a head's values in one page.</summary>
    public Span<byte> StoredValues(KvSequence sequence, int index, int head) =>
        OfHead(sequence, index, cache.Config.NumKeyValueHeads + head);

    // The values of head h lie where the keys of head kvHeads + h would.
    private Span<byte> OfHead(KvSequence sequence, int index, int head)
    {
        int bytes = cache.Layout.Bytes;
        return new(cache.Pool.Address(group, sequence.Page(group, index)) + offset + (long)head * bytes, bytes);
    }
}

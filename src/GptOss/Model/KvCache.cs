using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// Keeps the keys and values of all sequences of a model, in pages of 64 positions for each layer, so that a token's
/// keys and values are computed once and read by every later token.
/// </summary>
/// <param name="config">The sizes of the model.</param>
/// <param name="format">The number format of stored keys and values.</param>
internal sealed class KvCache(ModelConfig config, KeyValueFormat format)
{
    private readonly KvHeadLayout _layout = new(format, config.HeadDim);
    private long _bytes;

    public ModelConfig Config => config;

    /// <summary>How the keys or the values of one head are stored in a page.</summary>
    public KvHeadLayout Layout => _layout;

    /// <summary>Bytes of the pages that sequences hold now.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Bytes of one page: keys and values of 64 positions of one layer.</summary>
    public int PageBytes => 2 * config.NumKeyValueHeads * _layout.Bytes;

    /// <summary>Bytes that one more position takes while every layer still sees it.</summary>
    public long BytesPerPosition => (long)PageBytes / KvPage.Positions * config.NumHiddenLayers;

    public KvLayer this[int layer] => new(this, layer);

    public KvSequence NewSequence() => new(this);

    internal KvPage NewPage()
    {
        Interlocked.Add(ref _bytes, PageBytes);
        return new KvPage(PageBytes, bytes => Interlocked.Add(ref _bytes, -bytes));
    }
}

/// <summary>
/// A page: the keys and values of 64 consecutive positions of one layer, in memory outside the managed heap. Its
/// holders are counted, so that sequences can share the pages of a common beginning.
/// </summary>
internal sealed unsafe class KvPage
{
    public const int Positions = PageAttention.Positions;

    private readonly int _bytes;
    private readonly Action<int> _freed;
    private byte* _data;
    private int _references = 1;

    /// <param name="bytes">Size of the page, half of it for the keys.</param>
    /// <param name="freed">Told the size once the memory is given back.</param>
    public KvPage(int bytes, Action<int> freed)
    {
        _bytes = bytes;
        _freed = freed;
        _data = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
    }

    ~KvPage() => Free();

    /// <summary>
    /// The keys of all key/value heads, one head after the other, as <see cref="KvHeadLayout"/> says.
    /// </summary>
    public Span<byte> Keys => new(_data, _bytes / 2);

    /// <summary>The values of all key/value heads, one head after the other.</summary>
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
/// The stored positions of one sequence: for each layer its pages in order. The length grows only after a forward pass
/// has returned, so a pass that fails leaves the sequence usable.
/// </summary>
internal sealed class KvSequence : IDisposable
{
    private readonly KvCache _cache;
    private readonly List<KvPage?>[] _pages;

    internal KvSequence(KvCache cache)
    {
        _cache = cache;
        _pages = new List<KvPage?>[cache.Config.NumHiddenLayers];
        for (int layer = 0; layer < _pages.Length; layer++)
            _pages[layer] = [];
    }

    /// <summary>Number of positions whose keys and values are stored.</summary>
    public int Length { get; private set; }

    /// <summary>Makes room for the positions before <paramref name="end"/> in every layer.</summary>
    public void Reserve(int end)
    {
        int pages = (end + KvPage.Positions - 1) / KvPage.Positions;
        foreach (List<KvPage?> layer in _pages)
            while (layer.Count < pages)
                layer.Add(_cache.NewPage());
    }

    /// <summary>The page of positions 64 · index to 64 · index + 63.</summary>
    public KvPage Page(int layer, int index) =>
        _pages[layer][index]
        ?? throw new InvalidOperationException(
            $"Page {index} of sliding layer {layer} was let go; its positions lie behind the window."
        );

    /// <summary>
    /// Takes in <paramref name="count"/> positions that a pass has stored, and lets go of the pages that no later query
    /// sees.
    /// </summary>
    public void Advance(int count)
    {
        Length += count;
        ModelConfig config = _cache.Config;
        int behind = Length - config.SlidingWindow + 1; // the first position that the next query sees
        for (int layer = 0; layer < _pages.Length; layer++)
        {
            if (!config.IsSliding[layer])
                continue;
            for (int index = behind / KvPage.Positions - 1; index >= 0 && _pages[layer][index] is { } page; index--)
            {
                page.Release();
                _pages[layer][index] = null;
            }
        }
    }

    public void Dispose()
    {
        foreach (List<KvPage?> layer in _pages)
        {
            foreach (KvPage? page in layer)
                page?.Release();
            layer.Clear();
        }
    }
}

/// <summary>
/// The keys and values of one layer, for all sequences: stores those of a batch, and gives those of a page back as
/// floats.
/// </summary>
/// <param name="cache">The cache that knows how they are stored.</param>
/// <param name="layer">Number of the layer, from 0.</param>
internal readonly struct KvLayer(KvCache cache, int layer)
{
    /// <summary>Stores keys and values [rows, kvHeads × headDim] of every row at its position.</summary>
    public void Store(Batch batch, Rows keys, Rows values)
    {
        KvHeadLayout layout = cache.Layout;
        int headDim = cache.Config.HeadDim;
        foreach (RowRun run in batch.Runs)
            for (int i = 0; i < run.Count; i++)
            {
                int index = (run.Start + i) / KvPage.Positions,
                    slot = (run.Start + i) % KvPage.Positions;
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
    public Span<byte> StoredKeys(KvSequence sequence, int index, int head) =>
        OfHead(sequence.Page(layer, index).Keys, head);

    /// <summary>The memory of a head's values in one page.</summary>
    public Span<byte> StoredValues(KvSequence sequence, int index, int head) =>
        OfHead(sequence.Page(layer, index).Values, head);

    private Span<byte> OfHead(Span<byte> heads, int head) => heads.Slice(head * cache.Layout.Bytes, cache.Layout.Bytes);
}

using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// The layers of one kind, which keep and let go of positions together: all full layers, or all sliding layers. A page
/// of a group holds 64 consecutive positions of every layer of the group.
/// </summary>
/// <remarks>
/// gpt-oss-20b has 24 layers: 12 full ones make one group, 12 sliding ones the other. In float32 a page of either is
/// 12 · 256 KiB = 3 MiB.
/// </remarks>
/// <param name="layers">Numbers of the layers, ascending; in this order they lie in a page.</param>
/// <param name="window">Positions that a query sees, its own among them; <see cref="int.MaxValue"/> for all.</param>
/// <param name="layerBytes">Bytes of the keys and values of 64 positions of one layer.</param>
internal sealed class PageGroup(int[] layers, int window, long layerBytes)
{
    /// <summary>Number of positions of a page.</summary>
    public const int Positions = PageAttention.Positions;

    /// <summary>Numbers of the group's layers, ascending: the order in which they lie in a page.</summary>
    public ReadOnlySpan<int> Layers => layers;

    /// <summary>Positions that a query sees, its own among them; <see cref="int.MaxValue"/> in full layers.</summary>
    public int Window => window;

    /// <summary>Bytes of the keys and values of 64 positions of one layer.</summary>
    public long LayerBytes => layerBytes;

    /// <summary>Bytes of a page: keys and values of 64 positions of every layer of the group.</summary>
    public long PageBytes => layers.Length * layerBytes;

    /// <summary>
    /// The groups of a model, full layers before sliding ones. A model may have layers of one kind only.
    /// </summary>
    public static PageGroup[] Of(ModelConfig config, KvHeadLayout layout)
    {
        long layerBytes = 2L * config.NumKeyValueHeads * layout.Bytes;
        int[][] kinds =
        [
            [.. Enumerable.Range(0, config.NumHiddenLayers).Where(layer => !config.IsSliding[layer])],
            [.. Enumerable.Range(0, config.NumHiddenLayers).Where(layer => config.IsSliding[layer])],
        ];
        return
        [
            .. from layers in kinds
            where layers.Length > 0
            let window = config.IsSliding[layers[0]] ? config.SlidingWindow : int.MaxValue
            select new PageGroup(layers, window, layerBytes),
        ];
    }

    /// <summary>Pages that hold the positions before <paramref name="end"/>.</summary>
    public static int PagesOf(int end) => (int)(((long)end + Positions - 1) / Positions);

    /// <summary>The first page that a query at <paramref name="position"/>, or at any later one, sees.</summary>
    public int FirstPageSeenFrom(int position) => Math.Max(0, position - window + 1) / Positions;

    /// <summary>Bytes of the pages before <paramref name="length"/> that a query at that position sees.</summary>
    public static long SeenBytes(ReadOnlySpan<PageGroup> groups, int length)
    {
        long bytes = 0;
        foreach (PageGroup group in groups)
            bytes += Math.Max(0, PagesOf(length) - group.FirstPageSeenFrom(length)) * group.PageBytes;
        return bytes;
    }

    /// <summary>
    /// The most pages that a sequence holds while it grows to <paramref name="length"/> positions by passes of at most
    /// <paramref name="rows"/> rows.
    /// </summary>
    /// <remarks>
    /// A pass of 512 rows in layers with a window of 128 sees 127 + 512 positions, which touch up to 11 pages of 64.
    /// </remarks>
    public int MostPages(int length, int rows)
    {
        long seen = window - 1L + rows; // the positions that the first row sees behind it, and the rows
        return (int)Math.Min(PagesOf(length), (seen - 1 + Positions - 1) / Positions + 1);
    }

    /// <summary>
    /// The most bytes that a sequence holds while it grows to <paramref name="length"/> positions by passes of at most
    /// <paramref name="rows"/> rows.
    /// </summary>
    public static long MostBytes(ReadOnlySpan<PageGroup> groups, int length, int rows)
    {
        long bytes = 0;
        foreach (PageGroup group in groups)
            bytes += group.MostPages(length, rows) * group.PageBytes;
        return bytes;
    }

    /// <summary>Bytes of one page of each group: what 64 more positions take in all layers.</summary>
    public static long BytesOfEach(ReadOnlySpan<PageGroup> groups)
    {
        long bytes = 0;
        foreach (PageGroup group in groups)
            bytes += group.PageBytes;
        return bytes;
    }

    /// <summary>
    /// Bytes of a page by which bytes are told as pages: the mean of the groups, which are equally large in gpt-oss.
    /// </summary>
    public static long MeanBytes(ReadOnlySpan<PageGroup> groups) => BytesOfEach(groups) / groups.Length;
}

using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// Causal attention with learned sinks: each query of a batch gets the mean of the values at the positions that it
/// sees, weighted by the softmax of its scores with their keys.
/// </summary>
/// <remarks>
/// A query sees its own position and those before it, in sliding layers only the last <c>window</c> of them. It walks
/// the pages of keys in ascending order of position. 64 pages, 4,096 positions, make a split. Each split is summed from
/// an empty state and then merged, in ascending order, into a state that begins with the sink (docs/decisions/0002).
/// That is the order of <see cref="AttentionDefinition"/> whoever computes a split, so the bits are the same whether
/// one worker does all splits of a head or, where there are fewer heads than the team has use for, several workers
/// share them.
/// </remarks>
// Bound: Causal takes states and scratch for the most rows and splits of the batch, which Work finds; queries and
// results have the rows of the batch, since the Workspace gave them.
internal static unsafe class Attention
{
#pragma warning disable CS8500 // The pointers to managed types lead to locals of a frame that outlives the call.

    /// <summary>
    /// The most items between two looks at the stop flag. An item with more than one split looks at it itself; one with
    /// a single split takes 2 ms for 16 rows.
    /// </summary>
    private const int MostItems = 2;

    /// <param name="q">Rotated queries, [rows, heads × headDim].</param>
    /// <param name="kv">The layer's keys and values, those of the batch's own rows among them.</param>
    /// <param name="batch">The rows' positions and the sequences they belong to.</param>
    /// <param name="w">Sinks and window of the layer.</param>
    /// <param name="c">Numbers of heads and the width of one.</param>
    /// <param name="ws">Memory for the result and for scratch, and the team.</param>
    /// <returns>The heads' results, [rows, heads × headDim].</returns>
    public static Rows Causal(Rows q, KvLayer kv, Batch batch, AttentionWeights w, ModelConfig c, Workspace ws)
    {
        Rows heads = ws.Heads(q.Count);
        (int items, int splits, int rows) = Work(batch, w.Window, c);
        Rows scratch = ws.Scratch(QueryBlockAttention.ScratchFloats(c, rows));
        fixed (QueryBlock* blocks = batch.QueryBlocks)
        fixed (float* sinks = w.Sinks)
        {
            CancellationToken stop = ws.Stop;
            var call = new AttendCall
            {
                Config = &c,
                Kv = &kv,
                QueryBlocks = blocks,
                Sinks = sinks,
                Window = w.Window,
                Q = q.Pointer,
                Heads = heads.Pointer,
                Scratch = scratch.Pointer,
                ScratchWidth = scratch.Width,
                Stop = &stop,
            };
            if (splits == 1 || items >= 2 * ws.Team.Workers)
            {
                ws.Team.ForItems(items, 1, MostItems, &AttendWhole, &call, stop);
                return heads;
            }
            Rows states = ws.SplitStates(items * splits, QueryBlockAttention.StateFloats(c, rows));
            call.SplitStates = states.Pointer;
            call.SplitsPerItem = splits;
            call.StateWidth = states.Width;
            ws.Team.ForItems(items * splits, 1, MostItems, &FoldSplits, &call, stop);
            ws.Team.ForItems(items, 1, &MergeSplits, &call);
        }
        return heads;
    }

    // An item of work is one query block on one key/value head. Also gives the largest number of splits and of rows
    // that a query block of the batch has.
    private static (int Items, int Splits, int Rows) Work(Batch batch, int window, ModelConfig c)
    {
        int splits = 1,
            rows = 1;
        foreach (QueryBlock block in batch.QueryBlocks)
        {
            (int first, int end) = QueryBlockAttention.SplitsOf(block, window);
            splits = Math.Max(splits, end - first);
            rows = Math.Max(rows, block.Count);
        }
        return (batch.QueryBlocks.Length * c.NumKeyValueHeads, splits, rows);
    }

    // Each item with all its splits, one after the other.
    private static void AttendWhole(void* state, int worker, int first, int end)
    {
        ref AttendCall call = ref *(AttendCall*)state;
        for (int item = first; item < end; item++)
            call.Item(item, worker).Attend(call.Q, call.Heads, call.Sinks, *call.Stop);
    }

    // State i is that of item i / SplitsPerItem and of its split i mod SplitsPerItem, counted from the first split that
    // the item sees. An item that sees fewer splits leaves its last states unused.
    private static void FoldSplits(void* state, int worker, int first, int end)
    {
        ref AttendCall call = ref *(AttendCall*)state;
        for (int i = first; i < end; i++)
        {
            QueryBlockAttention item = call.Item(i / call.SplitsPerItem, worker);
            int split = item.FirstSplit + i % call.SplitsPerItem;
            if (split >= item.EndSplit)
                continue;
            item.LoadQueries(call.Q);
            item.FoldSplit(
                split,
                item.StateIn(new Span<float>(call.SplitStates + (long)i * call.StateWidth, call.StateWidth))
            );
        }
    }

    private static void MergeSplits(void* state, int worker, int first, int end)
    {
        ref AttendCall call = ref *(AttendCall*)state;
        for (int i = first; i < end; i++)
        {
            QueryBlockAttention item = call.Item(i, worker);
            item.Begin(call.Sinks);
            float* states = call.SplitStates + (long)i * call.SplitsPerItem * call.StateWidth;
            for (int split = item.FirstSplit; split < item.EndSplit; split++, states += call.StateWidth)
                item.Total.Merge(item.StateIn(new Span<float>(states, call.StateWidth)));
            item.Finish(call.Heads);
        }
    }

    /// <summary>What the workers of one call of <see cref="Causal"/> share.</summary>
    private struct AttendCall
    {
        public ModelConfig* Config;
        public KvLayer* Kv;
        public QueryBlock* QueryBlocks;
        public float* Sinks;
        public int Window;
        public float* Q;
        public float* Heads;
        public float* Scratch;
        public int ScratchWidth;
        public float* SplitStates;
        public int SplitsPerItem;
        public int StateWidth;
        public CancellationToken* Stop;

        public readonly QueryBlockAttention Item(int item, int worker) =>
            new(
                *Config,
                *Kv,
                QueryBlocks[item / Config->NumKeyValueHeads],
                item % Config->NumKeyValueHeads,
                Window,
                new Span<float>(Scratch + (long)worker * ScratchWidth, ScratchWidth)
            );
    }
}

using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>
/// Causal attention with learned sinks and, in sliding layers, a window; row blocks × key/value heads split over the
/// team.
/// </summary>
/// <remarks>
/// A query walks the key tiles at their absolute positions in ascending order. 64 tiles make a segment; each segment
/// begins afresh and is merged, ascending, into a state that begins with the sink (docs/decisions/0002). So it shows in
/// no bit who computes a segment: where there are fewer heads than the team has use for, the segments of a long context
/// are shared out.
/// </remarks>
internal static unsafe class Attention
{
#pragma warning disable CS8500 // The pointers to managed types lead to locals of a frame that outlives the call.

    /// <summary>Rows of a sequence that meet a key tile while it is in the first-level cache.</summary>
    public const int RowsPerBlock = 16;

    /// <param name="q">[rows, heads × headDim], rotated.</param>
    /// <param name="kv">The layer's keys and values, those of the batch's own rows among them.</param>
    /// <param name="batch">Rows, positions and sequences.</param>
    /// <param name="w">Sinks and window of the layer.</param>
    /// <param name="c">Shapes.</param>
    /// <param name="ws">Result, scratch and team.</param>
    /// <returns>[rows, heads × headDim].</returns>
    public static Rows Causal(Rows q, KvLayer kv, Batch batch, AttentionWeights w, ModelConfig c, Workspace ws)
    {
        Rows heads = ws.Heads(q.Count);
        (int items, int segments, int rows) = Work(batch, w.Window, c);
        Rows scratch = ws.Scratch(BlockAttention.ScratchFloats(c, rows));
        fixed (RowBlock* blocks = batch.Blocks)
        fixed (float* sinks = w.Sinks)
        {
            var call = new Call
            {
                Config = &c,
                Kv = &kv,
                Blocks = blocks,
                Sinks = sinks,
                Window = w.Window,
                Q = Linear.Pointer(q),
                Heads = Linear.Pointer(heads),
                Scratch = Linear.Pointer(scratch),
                ScratchWidth = scratch.Width,
            };
            if (segments == 1 || items >= 2 * ws.Team.Workers)
            {
                ws.Team.ForRows(items, 1, &RunWhole, &call);
                return heads;
            }
            Rows states = ws.Segments(items * segments, BlockAttention.StateFloats(c, rows));
            call.Segments = Linear.Pointer(states);
            call.SegmentsPerItem = segments;
            call.SegmentWidth = states.Width;
            ws.Team.ForRows(items * segments, 1, &RunSegment, &call);
            ws.Team.ForRows(items, 1, &RunMerge, &call);
        }
        return heads;
    }

    // Row blocks × key/value heads; the most segments and the most rows that one of them has.
    private static (int Items, int Segments, int Rows) Work(Batch batch, int window, ModelConfig c)
    {
        int segments = 1,
            rows = 1;
        foreach (RowBlock block in batch.Blocks)
        {
            (int first, int end) = BlockAttention.SegmentsOf(block, window);
            segments = Math.Max(segments, end - first);
            rows = Math.Max(rows, block.Count);
        }
        return (batch.Blocks.Length * c.NumKeyValueHeads, segments, rows);
    }

    private static void RunWhole(void* state, int worker, int first, int end)
    {
        ref Call call = ref *(Call*)state;
        for (int item = first; item < end; item++)
            call.Item(item, worker).Run(call.Q, call.Heads, call.Sinks);
    }

    private static void RunSegment(void* state, int worker, int first, int end)
    {
        ref Call call = ref *(Call*)state;
        for (int i = first; i < end; i++)
        {
            BlockAttention item = call.Item(i / call.SegmentsPerItem, worker);
            int segment = item.FirstSegment + i % call.SegmentsPerItem;
            if (segment >= item.EndSegment)
                continue;
            item.LoadQueries(call.Q);
            item.FoldSegment(
                segment,
                item.StateIn(new Span<float>(call.Segments + (long)i * call.SegmentWidth, call.SegmentWidth))
            );
        }
    }

    private static void RunMerge(void* state, int worker, int first, int end)
    {
        ref Call call = ref *(Call*)state;
        for (int i = first; i < end; i++)
        {
            BlockAttention item = call.Item(i, worker);
            item.Begin(call.Sinks);
            float* states = call.Segments + (long)i * call.SegmentsPerItem * call.SegmentWidth;
            for (int segment = item.FirstSegment; segment < item.EndSegment; segment++, states += call.SegmentWidth)
                item.Total.Merge(item.StateIn(new Span<float>(states, call.SegmentWidth)));
            item.Finish(call.Heads);
        }
    }

    private struct Call
    {
        public ModelConfig* Config;
        public KvLayer* Kv;
        public RowBlock* Blocks;
        public float* Sinks;
        public int Window;
        public float* Q;
        public float* Heads;
        public float* Scratch;
        public int ScratchWidth;
        public float* Segments;
        public int SegmentsPerItem;
        public int SegmentWidth;

        public readonly BlockAttention Item(int item, int worker) =>
            new(
                *Config,
                *Kv,
                Blocks[item / Config->NumKeyValueHeads],
                item % Config->NumKeyValueHeads,
                Window,
                new Span<float>(Scratch + (long)worker * ScratchWidth, ScratchWidth)
            );
    }
}

using System.Numerics.Tensors;
using GptOss.Kernels;

namespace GptOss.Model;

/// <summary>Causal attention with learned sinks and, in sliding layers, a window; row blocks × key/value heads split over the team.</summary>
/// <remarks>
/// A query walks the key tiles at their absolute positions in ascending order. 64 tiles make a segment; each segment begins
/// afresh and is merged, ascending, into a state that begins with the sink (docs/decisions/0002).
/// </remarks>
internal static unsafe class Attention
{
#pragma warning disable CS8500 // The pointers to managed types lead to locals of a frame that outlives the call.

    /// <summary>Rows of a sequence that meet a key tile while it is in the first-level cache.</summary>
    public const int RowsPerBlock = 16;

    private const int SegmentPositions = 64 * KvBlock.Positions;

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
        int queries = RowsPerBlock * c.HeadsPerKeyValueHead;
        Rows scratch = ws.Scratch(2 * KvBlock.Positions * c.HeadDim + queries * (3 * c.HeadDim + 4));
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
            ws.Team.ForRows(batch.Blocks.Length * c.NumKeyValueHeads, 1, &Run, &call);
        }
        return heads;
    }

    private static void Run(void* state, int worker, int first, int end)
    {
        ref Call call = ref *(Call*)state;
        ModelConfig c = *call.Config;
        for (int item = first; item < end; item++)
        {
            var work = new BlockAttention(
                c, *call.Kv, call.Blocks[item / c.NumKeyValueHeads], item % c.NumKeyValueHeads,
                new Span<float>(call.Scratch + (long)worker * call.ScratchWidth, call.ScratchWidth));
            work.Run(call.Q, call.Heads, call.Sinks, call.Window);
        }
    }

    /// <summary>One row block's queries on one key/value head.</summary>
    private readonly ref struct BlockAttention
    {
        private readonly ModelConfig _c;
        private readonly KvLayer _kv;
        private readonly RowBlock _block;
        private readonly int _kvHead;
        private readonly Span<float> _keyTile, _valueTile, _query, _segment, _segmentState, _total, _totalState;

        public BlockAttention(ModelConfig c, KvLayer kv, RowBlock block, int kvHead, Span<float> scratch)
        {
            (_c, _kv, _block, _kvHead) = (c, kv, block, kvHead);
            int queries = block.Count * c.HeadsPerKeyValueHead, tile = KvBlock.Positions * c.HeadDim, values = queries * c.HeadDim;
            _keyTile = scratch[..tile];
            _valueTile = scratch.Slice(tile, tile);
            scratch = scratch[(2 * tile)..];
            _query = scratch[..values];
            _segment = scratch.Slice(values, values);
            _total = scratch.Slice(2 * values, values);
            _segmentState = scratch.Slice(3 * values, 2 * queries);
            _totalState = scratch.Slice(3 * values + 2 * queries, 2 * queries);
        }

        public void Run(float* q, float* heads, float* sinks, int window)
        {
            int group = _c.HeadsPerKeyValueHead, queries = _block.Count * group;
            float scale = (float)(1 / Math.Sqrt(_c.HeadDim));
            for (int i = 0; i < queries; i++)
            {
                TensorPrimitives.Multiply(new ReadOnlySpan<float>(q + Offset(i), _c.HeadDim), scale, Of(_query, i));
                (_totalState[2 * i], _totalState[2 * i + 1]) = (sinks[_kvHead * group + i % group], 1);
            }
            _total.Clear();

            int start = _block.Segment.Start + _block.First, last = start + _block.Count - 1;
            int position = Math.Max(0, start - window + 1) / KvBlock.Positions * KvBlock.Positions;
            while (position <= last)
            {
                int segmentEnd = Math.Min(position / SegmentPositions * SegmentPositions + SegmentPositions, last + 1);
                _segment.Clear();
                for (int i = 0; i < queries; i++) (_segmentState[2 * i], _segmentState[2 * i + 1]) = (float.NegativeInfinity, 0);
                for (; position < segmentEnd; position += KvBlock.Positions) FoldTile(position, start, window);
                for (int i = 0; i < queries; i++)
                {
                    AttentionState total = State(_total, _totalState, i);
                    total.Merge(State(_segment, _segmentState, i));
                    (_totalState[2 * i], _totalState[2 * i + 1]) = (total.Maximum, total.Sum);
                }
            }

            for (int i = 0; i < queries; i++)
                TensorPrimitives.Divide(Of(_total, i), _totalState[2 * i + 1], new Span<float>(heads + Offset(i), _c.HeadDim));
        }

        private void FoldTile(int tileStart, int firstPosition, int window)
        {
            int group = _c.HeadsPerKeyValueHead, index = tileStart / KvBlock.Positions;
            ReadOnlySpan<float> keys = _kv.Keys(_block.Segment.Sequence, index, _kvHead, _keyTile);
            ReadOnlySpan<float> values = _kv.Values(_block.Segment.Sequence, index, _kvHead, _valueTile);
            for (int i = 0; i < _block.Count * group; i++)
            {
                int position = firstPosition + i / group;
                int from = Math.Max(0, position - window + 1 - tileStart), to = Math.Min(KvBlock.Positions, position + 1 - tileStart);
                if (from >= to) continue;
                AttentionState state = State(_segment, _segmentState, i);
                AttentionTile.Fold(Of(_query, i), keys, values, from, to, ref state);
                (_segmentState[2 * i], _segmentState[2 * i + 1]) = (state.Maximum, state.Sum);
            }
        }

        private Span<float> Of(Span<float> values, int query) => values.Slice(query * _c.HeadDim, _c.HeadDim);

        private AttentionState State(Span<float> values, Span<float> states, int query) =>
            new(Of(values, query)) { Maximum = states[2 * query], Sum = states[2 * query + 1] };

        // Query i of the block is head i mod group of row i / group.
        private long Offset(int query)
        {
            int group = _c.HeadsPerKeyValueHead, row = _block.Segment.FirstRow + _block.First + query / group;
            return ((long)row * _c.NumAttentionHeads + _kvHead * group + query % group) * _c.HeadDim;
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
    }
}

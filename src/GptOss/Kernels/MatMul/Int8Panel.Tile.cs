using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.MatMul;

/// <summary>
/// Panels of 8-bit weights: the inner loops. Int8Panel.cs has the layout and the walk over the tokens.
/// </summary>
// Bound: Multiply has checked the lengths of the panel and of the rows of activations that a tile reads.
internal static partial class Int8Panel
{
    /// <summary>
    /// Computes the dot products of some weight rows of a panel with one token, with four, or with six, as many as
    /// registers hold. The integer sums of a block of 32 stay in registers; then the block's scales turn them into
    /// float32.
    /// </summary>
    private readonly ref struct Tile<T, TScales>(ReadOnlySpan<byte> panel, int blocks, int row, Span<float> scratch)
        where T : struct, IDots<T>
        where TScales : struct, IPanelScales
    {
        /// <summary>Number of registers of rows that <see cref="One"/> computes at a time.</summary>
        public static int OneRegisters
        {
            // Inlined: a call within the loop would store every register and load it again.
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => 4 * T.Rows <= Rows ? 4 : 2;
        }

        private readonly ReadOnlySpan<byte> _panel = panel;
        private readonly int _blocks = blocks;
        private readonly int _row = row;
        private readonly Span<float> _scratch = scratch;

        /// <summary>
        /// Computes two registers of rows for as many tokens as <typeparamref name="TTokens"/> says.
        /// </summary>
        /// <param name="x">The activations of the first token.</param>
        /// <param name="stride">Bytes from one token's activations to the next.</param>
        /// <param name="tokens">How many tokens there are; the last one stands in for those that are missing.</param>
        /// <param name="ahead">Which bytes are fetched from memory meanwhile.</param>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Many<TTokens>(ref readonly byte x, int stride, int tokens, ref Ahead ahead)
            where TTokens : struct, ITileTokens
        {
            nuint blocks = (nuint)_blocks,
                steps = (nuint)T.Steps,
                perStep = Int8Row.BlockValues / steps,
                stepBytes = Rows * perStep;
            ref readonly byte weights = ref Unsafe.Add(ref MemoryMarshal.GetReference(_panel), (nuint)_row * perStep);
            ref readonly byte scales = ref Unsafe.Add(ref MemoryMarshal.GetReference(_panel), blocks * BlockBytes);
            nint last = (nint)stride * (tokens - 1);
            ref readonly byte x0 = ref x,
                x1 = ref At(in x, stride, last),
                x2 = ref At(in x, 2 * stride, last);
            ref readonly byte x3 = ref At(in x, 3 * stride, last),
                x4 = ref At(in x, 4 * stride, last),
                x5 = ref At(in x, 5 * stride, last);
            ref float sums = ref MemoryMarshal.GetReference(_scratch);
            nuint second = (nuint)T.Rows * perStep,
                scalesAt = blocks * steps * 4,
                startsAt = scalesAt + blocks * 4,
                n = (nuint)T.Rows;
            nuint place = 0,
                at = 0,
                from = 0;
            for (int lane = 0; lane < Int8Row.LaneBlocks; lane++)
            {
                T f0 = T.Zero,
                    f1 = f0,
                    f2 = f0,
                    f3 = f0,
                    f4 = f0,
                    f5 = f0,
                    g0 = f0,
                    g1 = f0,
                    g2 = f0,
                    g3 = f0,
                    g4 = f0,
                    g5 = f0;
                for (int b = Int8Row.FirstOfLane(lane); b < _blocks; b += Int8Row.LaneBlocks, place++)
                {
                    ahead.Fetch();
                    T v = T.Broadcast(in x0, startsAt + place * 4),
                        a0 = v,
                        b0 = v;
                    v = T.Broadcast(in x1, startsAt + place * 4);
                    T a1 = v,
                        b1 = v;
                    v = T.Broadcast(in x2, startsAt + place * 4);
                    T a2 = v,
                        b2 = v;
                    v = T.Broadcast(in x3, startsAt + place * 4);
                    T a3 = v,
                        b3 = v;
                    v = T.Broadcast(in x4, startsAt + place * 4);
                    T a4 = v,
                        b4 = v;
                    v = T.Broadcast(in x5, startsAt + place * 4);
                    T a5 = v,
                        b5 = v;
                    for (nuint end = from + steps * 4; from < end; from += 4, at += stepBytes)
                    {
                        T w0 = T.LoadWeights(in weights, at),
                            w1 = T.LoadWeights(in weights, at + second);
                        v = T.Broadcast(in x0, from);
                        a0 = T.AddDots(a0, w0, v);
                        b0 = T.AddDots(b0, w1, v);
                        v = T.Broadcast(in x1, from);
                        a1 = T.AddDots(a1, w0, v);
                        b1 = T.AddDots(b1, w1, v);
                        v = T.Broadcast(in x2, from);
                        a2 = T.AddDots(a2, w0, v);
                        b2 = T.AddDots(b2, w1, v);
                        v = T.Broadcast(in x3, from);
                        a3 = T.AddDots(a3, w0, v);
                        b3 = T.AddDots(b3, w1, v);
                        if (TTokens.Count == 4)
                            continue;
                        v = T.Broadcast(in x4, from);
                        a4 = T.AddDots(a4, w0, v);
                        b4 = T.AddDots(b4, w1, v);
                        v = T.Broadcast(in x5, from);
                        a5 = T.AddDots(a5, w0, v);
                        b5 = T.AddDots(b5, w1, v);
                    }
                    T k0 = TScales.Load<T>(in scales, place * Rows + (nuint)_row);
                    T k1 = TScales.Load<T>(in scales, place * Rows + (nuint)_row + n);
                    nuint k = scalesAt + place * 4;
                    v = T.BroadcastSingle(in x0, k);
                    f0 = T.MultiplyAdd(T.ToSingle(a0), k0 * v, f0);
                    g0 = T.MultiplyAdd(T.ToSingle(b0), k1 * v, g0);
                    v = T.BroadcastSingle(in x1, k);
                    f1 = T.MultiplyAdd(T.ToSingle(a1), k0 * v, f1);
                    g1 = T.MultiplyAdd(T.ToSingle(b1), k1 * v, g1);
                    v = T.BroadcastSingle(in x2, k);
                    f2 = T.MultiplyAdd(T.ToSingle(a2), k0 * v, f2);
                    g2 = T.MultiplyAdd(T.ToSingle(b2), k1 * v, g2);
                    v = T.BroadcastSingle(in x3, k);
                    f3 = T.MultiplyAdd(T.ToSingle(a3), k0 * v, f3);
                    g3 = T.MultiplyAdd(T.ToSingle(b3), k1 * v, g3);
                    if (TTokens.Count == 4)
                        continue;
                    v = T.BroadcastSingle(in x4, k);
                    f4 = T.MultiplyAdd(T.ToSingle(a4), k0 * v, f4);
                    g4 = T.MultiplyAdd(T.ToSingle(b4), k1 * v, g4);
                    v = T.BroadcastSingle(in x5, k);
                    f5 = T.MultiplyAdd(T.ToSingle(a5), k0 * v, f5);
                    g5 = T.MultiplyAdd(T.ToSingle(b5), k1 * v, g5);
                }
                T.Store(f0, ref sums, 0 * n);
                T.Store(g0, ref sums, 1 * n);
                T.Store(f1, ref sums, 2 * n);
                T.Store(g1, ref sums, 3 * n);
                T.Store(f2, ref sums, 4 * n);
                T.Store(g2, ref sums, 5 * n);
                T.Store(f3, ref sums, 6 * n);
                T.Store(g3, ref sums, 7 * n);
                if (TTokens.Count == 6)
                {
                    T.Store(f4, ref sums, 8 * n);
                    T.Store(g4, ref sums, 9 * n);
                    T.Store(f5, ref sums, 10 * n);
                    T.Store(g5, ref sums, 11 * n);
                }
                AddLane(lane, 2 * TTokens.Count);
            }
        }

        // For one token the weights come from memory. Four registers of rows are read together, so that each cache line
        // is read once; where two registers hold all 32 rows, two are read.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void One(ref readonly byte x)
        {
            nuint blocks = (nuint)_blocks,
                steps = (nuint)T.Steps,
                perStep = Int8Row.BlockValues / steps,
                stepBytes = Rows * perStep;
            ref readonly byte weights = ref Unsafe.Add(ref MemoryMarshal.GetReference(_panel), (nuint)_row * perStep);
            ref readonly byte scales = ref Unsafe.Add(ref MemoryMarshal.GetReference(_panel), blocks * BlockBytes);
            ref float sums = ref MemoryMarshal.GetReference(_scratch);
            nuint next = (nuint)T.Rows * perStep,
                scalesAt = blocks * steps * 4,
                startsAt = scalesAt + blocks * 4,
                n = (nuint)T.Rows;
            nuint place = 0,
                at = 0,
                from = 0;
            for (int lane = 0; lane < Int8Row.LaneBlocks; lane++)
            {
                T sum0 = T.Zero,
                    sum1 = T.Zero,
                    sum2 = T.Zero,
                    sum3 = T.Zero;
                for (int b = Int8Row.FirstOfLane(lane); b < _blocks; b += Int8Row.LaneBlocks, place++)
                {
                    T start = T.Broadcast(in x, startsAt + place * 4),
                        a = start,
                        c = start,
                        d = start,
                        e = start;
                    for (nuint end = from + steps * 4; from < end; from += 4, at += stepBytes)
                    {
                        Prefetch.ReadFar(in weights, at + Prefetch.FarBytes);
                        if (stepBytes > 64)
                            Prefetch.ReadFar(in weights, at + Prefetch.FarBytes + 64);
                        T v = T.Broadcast(in x, from);
                        a = T.AddDots(a, T.LoadWeights(in weights, at), v);
                        c = T.AddDots(c, T.LoadWeights(in weights, at + next), v);
                        if (OneRegisters == 2)
                            continue;
                        d = T.AddDots(d, T.LoadWeights(in weights, at + 2 * next), v);
                        e = T.AddDots(e, T.LoadWeights(in weights, at + 3 * next), v);
                    }
                    T scale = T.BroadcastSingle(in x, scalesAt + place * 4);
                    nuint k = place * Rows + (nuint)_row;
                    sum0 = T.MultiplyAdd(T.ToSingle(a), TScales.Load<T>(in scales, k) * scale, sum0);
                    sum1 = T.MultiplyAdd(T.ToSingle(c), TScales.Load<T>(in scales, k + n) * scale, sum1);
                    if (OneRegisters == 2)
                        continue;
                    sum2 = T.MultiplyAdd(T.ToSingle(d), TScales.Load<T>(in scales, k + 2 * n) * scale, sum2);
                    sum3 = T.MultiplyAdd(T.ToSingle(e), TScales.Load<T>(in scales, k + 3 * n) * scale, sum3);
                }
                T.Store(sum0, ref sums, 0);
                T.Store(sum1, ref sums, n);
                if (OneRegisters > 2)
                {
                    T.Store(sum2, ref sums, 2 * n);
                    T.Store(sum3, ref sums, 3 * n);
                }
                AddLane(lane, OneRegisters);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static ref readonly byte At(ref readonly byte x, nint offset, nint last) =>
            ref Unsafe.Add(ref Unsafe.AsRef(in x), Math.Min(offset, last));

        /// <summary>
        /// Takes the sums of one lane into the tree: on each level they are added to the sum that waits there, and on
        /// the first free level they wait.
        /// </summary>
        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private void AddLane(int lane, int sums)
        {
            ref float first = ref MemoryMarshal.GetReference(_scratch);
            nuint count = (nuint)(sums * T.Rows),
                level = (nuint)(Sums * T.Rows);
            for (nuint i = 0; i < count; i += (nuint)T.Rows)
            {
                T sum = T.Load(in first, i);
                nuint waiting = level + i;
                for (int rest = lane; (rest & 1) != 0; rest >>= 1, waiting += level)
                    sum = T.Load(in first, waiting) + sum;
                // After the last lane nothing waits any more, and the result goes to the first place.
                T.Store(sum, ref first, lane == Int8Row.LaneBlocks - 1 ? i : waiting);
            }
        }
    }
}

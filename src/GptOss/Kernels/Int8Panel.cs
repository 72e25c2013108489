using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels;

/// <summary>How the scales of a panel are stored.</summary>
internal interface IPanelScales
{
    static abstract int Bytes { get; }

    static abstract T Load<T>(ref readonly byte scales, nuint index)
        where T : struct, IDots<T>;
}

/// <summary>bfloat16: of dense weights, which are read from memory for every token.</summary>
internal readonly struct BFloat16Scales : IPanelScales
{
    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte scales, nuint index)
        where T : struct, IDots<T> => T.LoadBFloat16(in scales, index * sizeof(ushort));
}

/// <summary>float32: of experts' weights, unpacked for one pass.</summary>
internal readonly struct SingleScales : IPanelScales
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte scales, nuint index)
        where T : struct, IDots<T> => T.Load(in Unsafe.As<byte, float>(ref Unsafe.AsRef(in scales)), index);
}

/// <summary>
/// 32 rows of 8-bit weights side by side, so that a row is a lane, times int8 activations in panel form.
/// </summary>
/// <remarks>
/// A panel is the blocks, each [steps, 32 rows, 32 / steps] bytes, then the scales [blocks, 32]; blocks and steps in
/// the order of the panel form of <see cref="Int8Row"/>.
/// <para>
/// Order of the sum of an output: the exact Σ weight · q of block b goes to lane 4 · (b mod 4) + b / 4 of its sixteen
/// by one fused multiply-add with (weight scale · activation scale), b ascending; then the tree of <see
/// cref="ILanes{TSelf}.Sum"/>. The lanes of an output are walked one after the other, so that the tree needs four
/// waiting sums and no sixteen.
/// </para>
/// </remarks>
internal static class Int8Panel
{
    public const int Rows = 32;

    /// <summary>
    /// Tokens that share the loads of weights: with two registers of rows twelve sums, and none spilled.
    /// </summary>
    private const int TileTokens = 6;

    /// <summary>
    /// So many are a tile too, in which the last stands in for those that are missing: it takes 2.5 times as long as
    /// one token.
    /// </summary>
    private const int TileFrom = 3;

    private const int BlockBytes = Rows * Int8Row.BlockValues;
    private const int Sums = 2 * TileTokens,
        Levels = 4;

    public static long Bytes<TScales>(int inputs)
        where TScales : IPanelScales => (long)Int8Row.Blocks(inputs) * Rows * (Int8Row.BlockValues + TScales.Bytes);

    /// <summary>Where a byte of a panel lies.</summary>
    /// <param name="place">Of the block in panel order.</param>
    /// <param name="position">0 to 31 in the block.</param>
    /// <param name="row">0 to 31.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int At<T>(int place, int position, int row)
        where T : struct, IDots<T>
    {
        int perStep = Int8Row.BlockValues / T.Steps;
        return place * BlockBytes + position / perStep * Rows * perStep + row * perStep + position % perStep;
    }

    /// <summary>Writes a row's block: its even values, then its odd ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PutRow<T>(Vector128<byte> even, Vector128<byte> odd, Span<byte> panel, int place, int row)
        where T : struct, IDots<T>
    {
        Vector128<int> e = even.AsInt32(),
            o = odd.AsInt32();
        ref byte to = ref MemoryMarshal.GetReference(panel);
        for (int q = 0; q < 4; q++)
        {
            Put<T>(e.GetElement(q), ref to, place, 8 * q, row);
            Put<T>(o.GetElement(q), ref to, place, 8 * q + 4, row);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(int four, ref byte to, int place, int position, int row)
        where T : struct, IDots<T>
    {
        if (T.Steps == 8)
        {
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, At<T>(place, position, row)), four);
            return;
        }
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, At<T>(place, position, row)), (short)four);
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, At<T>(place, position + 2, row)), (short)(four >> 16));
    }

    /// <summary>y[t, first + r] = results[t, r] + bias[r].</summary>
    public static void Put(Rows results, ReadOnlySpan<float> bias, int rows, Rows y, int first)
    {
        for (int t = 0; t < y.Count; t++)
        {
            ReadOnlySpan<float> from = results[t][..rows];
            Span<float> to = y[t].Slice(first, rows);
            if (bias.IsEmpty)
                from.CopyTo(to);
            else
                for (int r = 0; r < rows; r++)
                    to[r] = from[r] + bias[r];
        }
    }

    /// <param name="panel">As above.</param>
    /// <param name="inputs">Of the matrix.</param>
    /// <param name="x">[tokens]: activations in panel form.</param>
    /// <param name="y">[tokens, 32].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<T, TScales>(ReadOnlySpan<byte> panel, int inputs, Rows x, Rows y)
        where T : struct, IDots<T>
        where TScales : struct, IPanelScales
    {
        int blocks = Int8Row.Blocks(inputs);
        ArgumentOutOfRangeException.ThrowIfNotEqual(panel.Length, (int)Bytes<TScales>(inputs));
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Width, Int8Row.Width(inputs));
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Width, Rows);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        Span<float> scratch = stackalloc float[(1 + Levels) * Sums * 16];
        for (int t = 0; t < x.Count; )
        {
            int rest = x.Count - t,
                tile = rest < TileFrom ? 1 : Math.Min(rest, TileTokens);
            ref readonly byte from = ref MemoryMarshal.GetReference(
                MemoryMarshal.AsBytes(x.Values.Slice(t * x.Width, tile * x.Width))
            );
            int rows = tile > 1 ? 2 * T.Rows : Tile<T, TScales>.OneRegisters * T.Rows;
            for (int row = 0; row < Rows; row += rows)
            {
                var work = new Tile<T, TScales>(panel, blocks, row, scratch);
                if (tile > 1)
                    work.Six(in from, x.Width * sizeof(float), tile);
                else
                    work.One(in from);
                // What the tree left: token by token the registers of rows.
                for (int i = 0; i < tile; i++)
                    scratch.Slice(i * rows, rows).CopyTo(y[t + i][row..]);
            }
            t += tile;
        }
    }

    private readonly ref struct Tile<T, TScales>(ReadOnlySpan<byte> panel, int blocks, int row, Span<float> scratch)
        where T : struct, IDots<T>
        where TScales : struct, IPanelScales
    {
        /// <summary>Registers of rows that <see cref="One"/> takes.</summary>
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

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Six(ref readonly byte x, int stride, int tokens)
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
                _scratch[..(Sums * T.Rows)].Clear();
                for (int b = Int8Row.FirstOfLane(lane); b < _blocks; b += Int8Row.LaneBlocks, place++)
                {
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
                    Add(ref sums, 0, T.BroadcastSingle(in x0, k), k0, k1, a0, b0);
                    Add(ref sums, 2 * n, T.BroadcastSingle(in x1, k), k0, k1, a1, b1);
                    Add(ref sums, 4 * n, T.BroadcastSingle(in x2, k), k0, k1, a2, b2);
                    Add(ref sums, 6 * n, T.BroadcastSingle(in x3, k), k0, k1, a3, b3);
                    Add(ref sums, 8 * n, T.BroadcastSingle(in x4, k), k0, k1, a4, b4);
                    Add(ref sums, 10 * n, T.BroadcastSingle(in x5, k), k0, k1, a5, b5);
                }
                AddLane(lane, Sums);
            }
        }

        // One token's weights come from memory: four registers of rows, so that no cache line is met twice (two, where
        // two are all).
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
                        T v = T.Broadcast(in x, from);
                        a = T.AddDots(a, T.LoadWeights(in weights, at), v);
                        c = T.AddDots(c, T.LoadWeights(in weights, at + next), v);
                        if (OneRegisters == 2)
                            continue;
                        if (perStep * n * 4 > 64)
                            Prefetch.ReadFar(in weights, at + Prefetch.FarBytes + 64);
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

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Add(ref float sums, nuint at, T scale, T k0, T k1, T a, T b)
        {
            T.Store(T.MultiplyAdd(T.ToSingle(a), k0 * scale, T.Load(in sums, at)), ref sums, at);
            nuint next = at + (nuint)T.Rows;
            T.Store(T.MultiplyAdd(T.ToSingle(b), k1 * scale, T.Load(in sums, next)), ref sums, next);
        }

        /// <summary>
        /// Takes the sums of a lane into the tree: they meet what waits on each level, and wait on the first free one.
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
                // Behind the last lane nothing waits any more, and the first place has the result.
                T.Store(sum, ref first, lane == Int8Row.LaneBlocks - 1 ? i : waiting);
            }
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.MatMul;

/// <summary>
/// How a panel stores the scales of its weights: <see cref="Int8Panel"/> is written once for both ways.
/// </summary>
internal interface IPanelScales
{
    /// <summary>Number of bytes of one scale.</summary>
    static abstract int Bytes { get; }

    /// <summary>Loads the scales of a register of rows, from scale <paramref name="index"/> on.</summary>
    static abstract T Load<T>(ref readonly byte scales, nuint index)
        where T : struct, IDots<T>;
}

/// <summary>
/// Scales stored as bfloat16, for the panels of the format Int8: they are read from memory for every token, so their
/// size counts.
/// </summary>
internal readonly struct BFloat16Scales : IPanelScales
{
    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte scales, nuint index)
        where T : struct, IDots<T> => T.LoadBFloat16(in scales, index * sizeof(ushort));
}

/// <summary>
/// Scales stored as float32, for the strips of MXFP4: they are decoded for one pass and stay in
/// the cache.
/// </summary>
internal readonly struct SingleScales : IPanelScales
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load<T>(ref readonly byte scales, nuint index)
        where T : struct, IDots<T> => T.Load(in Unsafe.As<byte, float>(ref Unsafe.AsRef(in scales)), index);
}

/// <summary>
/// A panel: the 8-bit weights of 32 outputs side by side, so that each weight row is a lane of a register. This class
/// knows the layout and multiplies a panel by quantised activations in the lane order of <see cref="Int8Row"/>.
/// </summary>
/// <remarks>
/// A panel holds the blocks, each [steps, 32 rows, 32 / steps] bytes, and then the scales, [blocks, 32]. Blocks and
/// steps have the lane order of <see cref="Int8Row"/>.
/// <para>
/// Order of the sum of an output: the exact Σ weight · q of block b is added to lane 4 · (b mod 4) + b / 4 of its
/// sixteen by one fused multiply-add with (weight scale · activation scale), b ascending; then the lanes are added by
/// the tree of <see cref="ILanes{TSelf}.Sum"/>. The lanes of an output are computed one after the other, so four sums
/// wait for the tree, one on each level, and not sixteen.
/// </para>
/// </remarks>
// Bound: Multiply has checked the panel, the activations and the results; the places of a block and a row lie within a
// panel.
internal static partial class Int8Panel
{
    /// <summary>Number of weight rows of a panel; each makes one output.</summary>
    public const int Rows = 32;

    /// <summary>
    /// Number of tokens that share the loads of weights: with two registers of rows they make twelve sums, which stay
    /// in registers.
    /// </summary>
    private const int TileTokens = 6;

    /// <summary>
    /// Number of tokens of the smaller tile, which takes two thirds of the time of six. Eight tokens are two such
    /// tiles.
    /// </summary>
    private const int SmallTileTokens = 4;

    /// <summary>
    /// Fewest tokens that are computed as a tile, in which the last token stands in for the missing ones: a tile of
    /// four takes 1.7 times as long as one token.
    /// </summary>
    private const int TileFrom = 3;

    private const int BlockBytes = Rows * Int8Row.BlockValues;
    private const int Sums = 2 * TileTokens,
        Levels = 4;

    /// <summary>Number of bytes of a panel.</summary>
    public static long Bytes<TScales>(int inputs)
        where TScales : IPanelScales => (long)Int8Row.Blocks(inputs) * Rows * (Int8Row.BlockValues + TScales.Bytes);

    /// <summary>Index of one weight's byte in a panel.</summary>
    /// <param name="place">Place of the block in lane order.</param>
    /// <param name="position">Place of the weight in its block, 0 to 31.</param>
    /// <param name="row">Weight row in the panel, 0 to 31.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int At<T>(int place, int position, int row)
        where T : struct, IDots<T>
    {
        int perStep = Int8Row.BlockValues / T.Steps;
        return place * BlockBytes + position / perStep * Rows * perStep + row * perStep + position % perStep;
    }

    /// <summary>The stored byte of one weight, given the place of its block and its index in it.</summary>
    public static byte Weight<T>(ReadOnlySpan<byte> panel, int place, int index, int row)
        where T : struct, IDots<T> => panel[At<T>(place, index / 8 * 8 + index % 2 * 4 + index % 8 / 2, row)];

    /// <summary>Writes one block of one weight row, given its values of even and of odd index.</summary>
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

    /// <summary>Multiplies one panel by the activations of every token.</summary>
    /// <param name="panel">Bytes of the panel, [<see cref="Bytes{TScales}"/>].</param>
    /// <param name="inputs">Number of inputs of the matrix.</param>
    /// <param name="x">Activations in lane order, [tokens, <see cref="Int8Row.Width"/>].</param>
    /// <param name="y">Receives the sum of row r at [t, first + r], [tokens, outputs].</param>
    /// <param name="first">Index of the first row's output in y.</param>
    /// <param name="rows">Number of rows with an output; those after them only fill up the panel.</param>
    /// <param name="next">Weights that are wanted next: they are fetched from memory meanwhile.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<T, TScales>(
        ReadOnlySpan<byte> panel,
        int inputs,
        Rows x,
        Rows y,
        int first,
        int rows,
        ReadOnlySpan<byte> next
    )
        where T : struct, IDots<T>
        where TScales : struct, IPanelScales
    {
        int blocks = Int8Row.Blocks(inputs);
        ArgumentOutOfRangeException.ThrowIfNotEqual(panel.Length, (int)Bytes<TScales>(inputs));
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Width, Int8Row.Width(inputs));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, Rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, y.Width - rows);
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Count, x.Count);
        Span<float> scratch = stackalloc float[(1 + Levels) * Sums * 16];
        int walks = Math.Max(1, (x.Count + TileTokens - 1) / TileTokens) * (Rows / (2 * T.Rows));
        var ahead = new Ahead(next, (next.Length + walks * blocks - 1) / (walks * blocks));
        for (int t = 0; t < x.Count; )
        {
            int rest = x.Count - t,
                tile = TileOf(rest),
                tokens = Math.Min(rest, tile);
            ref readonly byte from = ref MemoryMarshal.GetReference(
                MemoryMarshal.AsBytes(x.Values.Slice(t * x.Width, tokens * x.Width))
            );
            // The results of a token go to lines of their own, which are fetched while they are computed.
            for (int i = 0; i < tokens; i++)
            {
                Prefetch.Read(in y.Values[(t + i) * y.Width + first], 0);
                Prefetch.Read(in y.Values[(t + i) * y.Width + first], 16);
            }
            int tileRows = tile > 1 ? 2 * T.Rows : Tile<T, TScales>.OneRegisters * T.Rows;
            for (int row = 0; row < Rows; row += tileRows)
            {
                var work = new Tile<T, TScales>(panel, blocks, row, scratch);
                if (tile == TileTokens)
                    work.Many<SixTokens>(in from, x.Width * sizeof(float), tokens, ref ahead);
                else if (tile == SmallTileTokens)
                    work.Many<FourTokens>(in from, x.Width * sizeof(float), tokens, ref ahead);
                else
                    work.One(in from);
                // The scratch begins with the finished sums, token by token.
                int count = Math.Min(tileRows, rows - row);
                for (int i = 0; i < tokens && count > 0; i++)
                    scratch.Slice(i * tileRows, count).CopyTo(y[t + i][(first + row)..]);
            }
            t += tokens;
        }
    }

    /// <summary>
    /// Fetches weights from memory while tokens are multiplied with others. All blocks of a panel fetch equal shares,
    /// so that memory is as busy during the last tile as during the first.
    /// </summary>
    // Bound: none is needed: the address is only prefetched.
    private unsafe struct Ahead(ReadOnlySpan<byte> next, int share)
    {
        private const int Line = 64;

        // An address alone, because it is only a hint, and because a tile of spans could not take a span by reference.
        private readonly byte* _next = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(next));
        private long _due = 0,
            _fetched = 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Fetch()
        {
            for (_due += share; _fetched < _due; _fetched += Line)
                Prefetch.ReadFar(_next + _fetched);
        }
    }

    /// <summary>The tile for the next of some tokens: six as long as no rest is left that four suit better.</summary>
    private static int TileOf(int tokens) =>
        tokens < TileFrom ? 1
        : tokens is 3 or 4 or 7 or 8 ? SmallTileTokens
        : TileTokens;

    /// <summary>Number of tokens of a tile, as a type, so that the compiler leaves out the others.</summary>
    private interface ITileTokens
    {
        static abstract int Count { get; }
    }

    private readonly struct FourTokens : ITileTokens
    {
        public static int Count => SmallTileTokens;
    }

    private readonly struct SixTokens : ITileTokens
    {
        public static int Count => TileTokens;
    }
}

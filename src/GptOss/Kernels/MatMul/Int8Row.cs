// Over 300 lines: both orders of quantised activations stand beside their definition.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.MatMul;

/// <summary>
/// One token's activations quantised to signed bytes, in blocks of 32 with one float scale each:
/// <c>x[k] ≈ q[k] · scale[k / 32]</c>. Multiplication by 8-bit and MXFP4 weights reads them in one of two orders: block
/// order, for one weight row at a time, or lane order, for 32 weight rows at a time, each in a lane of a register.
/// </summary>
/// <remarks>
/// scale = max|x| / 127 and q = x · (127 / max|x|), rounded to nearest, ties to even. A block whose largest magnitude
/// is below 2⁻¹⁰⁰ becomes zero. A value that is not finite makes the scale of its block not finite, and so the outputs.
/// The last block is filled up with zeros.
/// <para>
/// Lane of a block: of every sixteen blocks, block b is summed in lane 4 · (b mod 4) + b / 4, for example block 1 in
/// lane 4. That is where adding up four registers of four blocks each leaves it.
/// </para>
/// <para>
/// <em>Block order</em> serves kernels that multiply one weight row after the other. It holds, for every four blocks,
/// the 64 values with even index and then the 64 with odd index, because MXFP4 has the former in low nibbles and the
/// latter in high ones; for MXFP4 of GGUF the first sixteen values of each block, and then the last sixteen. Behind
/// them, for every sixteen blocks in the order of their lanes, are the scales, and offset · Σq.
/// </para>
/// <para>
/// <em>Lane order</em> serves kernels that multiply a panel or strip, in which each weight row is a lane. It holds the
/// blocks of one lane after those of another (<see cref="LaneOrder"/>), each block in steps of four bytes: of every
/// eight values the four with even index, then the four with odd index, or for MXFP4 of GGUF four of the first sixteen
/// values, then four of the last; then the scales, and the numbers with which the sums begin
/// (<see cref="IDots{TSelf}.Start"/>), both in the order of the blocks before.
/// </para>
/// </remarks>
// Bound: slices of the row refuse one that is too short before anything is written; an incomplete block is copied
// first.
internal static class Int8Row
{
    /// <summary>Number of values that share a scale.</summary>
    public const int BlockValues = 32;

    /// <summary>Number of neighbouring blocks that go to different lanes.</summary>
    public const int LaneBlocks = 16;

    private const float Tiny = 1f / (1 << 30) / (1 << 30) / (1 << 30) / (1 << 10);

    /// <summary>
    /// Added to a float of at most 127 in magnitude, it leaves the nearest integer in the lowest bits.
    /// </summary>
    internal const float Magic = 12582912f;

    /// <summary>The order of lanes in which the tree can take in one lane after the other: 0 and 8 first.</summary>
    public static ReadOnlySpan<byte> LaneOrder => [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];

    /// <summary>Number of blocks of a row; the last one may be incomplete.</summary>
    public static int Blocks(int inputs) => (inputs + BlockValues - 1) / BlockValues;

    private static int PaddedBlocks(int inputs) => (Blocks(inputs) + LaneBlocks - 1) / LaneBlocks * LaneBlocks;

    /// <summary>Number of floats that a quantised row takes, in either order.</summary>
    public static int Width(int inputs) => PaddedBlocks(inputs) * (BlockValues / 2 + 2);

    /// <summary>First byte of the scales in block order.</summary>
    public static int ScalesAt(int inputs) => PaddedBlocks(inputs) * BlockValues;

    /// <summary>First byte of offset · Σq in block order.</summary>
    public static int OffsetsAt(int inputs) => ScalesAt(inputs) + PaddedBlocks(inputs) * sizeof(float);

    /// <summary>The lane of block b; the same rule also gives the block of a lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Lane(int block) => block % 4 * 4 + block / 4 % 4;

    /// <summary>The first block of the i-th lane of <see cref="LaneOrder"/>; its others follow 16 apart.</summary>
    /// <remarks>
    /// Inlined, because a call between blocks would keep the sums of a tile in memory. That took an eighth of a prefill
    /// where the library was compiled ahead of time.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FirstOfLane(int i) => Lane(LaneOrder[i]);

    /// <summary>
    /// Places of the first sixteen blocks in lane order. Block b + 16 comes one place after block b.
    /// </summary>
    /// <param name="blocks">Number of blocks of a row.</param>
    /// <param name="places">Receives the place of each block, [16].</param>
    public static void FirstPlaces(int blocks, Span<int> places)
    {
        int place = 0;
        for (int i = 0; i < LaneBlocks; i++)
        {
            int first = FirstOfLane(i);
            places[first] = place;
            if (first < blocks)
                place += (blocks - first - 1) / LaneBlocks + 1;
        }
    }

    /// <summary>The definition of quantised activations: the scale and the 32 integers of one block.</summary>
    internal static float QuantizeScalar(ReadOnlySpan<float> x, Span<sbyte> q)
    {
        uint bits = 0;
        foreach (float value in x)
            bits = Math.Max(bits, BitConverter.SingleToUInt32Bits(value) & 0x7FFF_FFFFu);
        float maximum = BitConverter.UInt32BitsToSingle(bits);
        q.Clear();
        if (maximum < Tiny)
            return 0;
        for (int i = 0; i < x.Length; i++)
            q[i] = (sbyte)BitConverter.SingleToUInt32Bits(MathF.FusedMultiplyAdd(x[i], 127 / maximum, Magic));
        return maximum / 127;
    }

    /// <summary>
    /// Quantises one token's activations and writes them in block order: block after block, for kernels that multiply
    /// one weight row at a time.
    /// </summary>
    /// <param name="x">Activations of the token, [inputs].</param>
    /// <param name="row">Receives the quantised activations, [<see cref="Width"/>].</param>
    /// <param name="offset">The number that makes no weight of the matrix negative.</param>
    /// <param name="factor">A power of two that multiplies the scales.</param>
    /// <param name="inHalves">Whether the values 0 to 15 of a block take the place of those of even index.</param>
    public static void ToBlockOrder(
        ReadOnlySpan<float> x,
        Span<float> row,
        int offset,
        float factor,
        bool inHalves = false
    ) => Lanes.Run(new QuantizeToBlockOrder(x, row, offset, factor, inHalves));

    /// <summary>Quantises one token's activations and writes them in lane order.</summary>
    /// <param name="x">Activations of the token, [inputs].</param>
    /// <param name="row">Receives the quantised activations, [<see cref="Width"/>].</param>
    /// <param name="offset">The number that makes no weight of the matrix negative.</param>
    /// <param name="factor">A power of two that multiplies the scales.</param>
    /// <param name="inHalves">Whether the values 0 to 15 of a block take the place of those of even index.</param>
    public static void ToLaneOrder<T>(
        ReadOnlySpan<float> x,
        Span<float> row,
        int offset,
        float factor,
        bool inHalves = false
    )
        where T : struct, IDots<T> => Lanes.Run(new QuantizeToLaneOrder<T>(x, row, offset, factor, inHalves));

    /// <summary>
    /// Quantises one block: returns the scale, and the bytes of even and of odd index, or in halves those of the values
    /// 0 to 15 and 16 to 31.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Quantize<T>(
        ReadOnlySpan<float> x,
        bool inHalves,
        out Vector128<byte> even,
        out Vector128<byte> odd
    )
        where T : struct, ILanes<T>
    {
        ref readonly float source = ref MemoryMarshal.GetReference(x);
        T a = T.Load(in source, 0),
            b = T.Load(in source, 16);
        float maximum = T.MaxMagnitude(a, b);
        bool tiny = maximum < Tiny;
        T inverse = T.Create(tiny ? 0 : 127 / maximum),
            magic = T.Create(Magic);
        (even, odd) = (T.LowBytes(T.MultiplyAdd(a, inverse, magic)), T.LowBytes(T.MultiplyAdd(b, inverse, magic)));
        if (!inHalves)
            (even, odd) = EvenOdd(even, odd);
        return tiny ? 0 : maximum / 127;
    }

    /// <summary>Separates the 32 bytes of even index (0, 2, …) from those of odd index (1, 3, …).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (Vector128<byte> Even, Vector128<byte> Odd) EvenOdd(Vector128<byte> low, Vector128<byte> high)
    {
        low = Vector128.Shuffle(low, Vector128.Create((byte)0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
        high = Vector128.Shuffle(high, Vector128.Create((byte)0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
        return (Vector128.Create(low.GetLower(), high.GetLower()), Vector128.Create(low.GetUpper(), high.GetUpper()));
    }

    /// <summary>The values of a block; an incomplete block is copied and filled up with zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ReadOnlySpan<float> Block(ReadOnlySpan<float> x, int block, Span<float> padded)
    {
        int from = block * BlockValues;
        if (from + BlockValues <= x.Length)
            return x.Slice(from, BlockValues);
        padded.Clear();
        x[from..].CopyTo(padded);
        return padded;
    }

    /// <summary>Sums of the activations that meet the bytes 0 and 1 of a lane of weights, and 2 and 3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (int First, int Second) Pairs(Vector128<byte> even, Vector128<byte> odd)
    {
        Vector128<short> sums =
            Vector128.WidenLower(even.AsSByte())
            + Vector128.WidenUpper(even.AsSByte())
            + Vector128.WidenLower(odd.AsSByte())
            + Vector128.WidenUpper(odd.AsSByte());
        ulong both = (sums.GetLower() + sums.GetUpper()).AsUInt64().ToScalar();
        return ((short)both + (short)(both >> 16), (short)(both >> 32) + (short)(both >> 48));
    }

    /// <summary>Quantises one token's activations and writes them in block order.</summary>
    internal readonly ref struct QuantizeToBlockOrder(
        ReadOnlySpan<float> x,
        Span<float> row,
        int offset,
        float factor,
        bool inHalves = false
    ) : ILaneKernel
    {
        private readonly bool _inHalves = inHalves;
        private readonly int _offset = offset;
        private readonly float _factor = factor;
        private readonly ReadOnlySpan<float> _x = x;
        private readonly Span<float> _row = row;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int inputs = _x.Length,
                blocks = Blocks(inputs),
                padded = PaddedBlocks(inputs);
            ref byte bytes = ref MemoryMarshal.GetReference(MemoryMarshal.AsBytes(_row));
            Span<float> scales = _row.Slice(ScalesAt(inputs) / sizeof(float), padded);
            Span<int> offsets = MemoryMarshal.Cast<float, int>(_row.Slice(OffsetsAt(inputs) / sizeof(float), padded));
            Span<float> tail = stackalloc float[BlockValues];
            for (int b = 0; b < padded; b++)
            {
                Vector128<byte> even = default,
                    odd = default;
                float scale = b < blocks ? Quantize<T>(Block(_x, b, tail), _inHalves, out even, out odd) : 0;
                nuint at = (nuint)(b / 4 * 128 + b % 4 * 16);
                even.StoreUnsafe(ref bytes, at);
                odd.StoreUnsafe(ref bytes, at + 64);
                int lane = b / LaneBlocks * LaneBlocks + Lane(b);
                (int first, int second) = Pairs(even, odd);
                scales[lane] = scale * _factor;
                offsets[lane] = _offset * (first + second);
            }
        }
    }

    /// <summary>
    /// Quantises one token's activations and writes them in lane order: four bytes at a time, for kernels that multiply
    /// 32 weight rows together, each row in a lane of the chosen integer registers.
    /// </summary>
    internal readonly ref struct QuantizeToLaneOrder<TDots>(
        ReadOnlySpan<float> x,
        Span<float> row,
        int offset,
        float factor,
        bool inHalves = false
    ) : ILaneKernel
        where TDots : struct, IDots<TDots>
    {
        private readonly bool _inHalves = inHalves;
        private readonly ReadOnlySpan<float> _x = x;
        private readonly Span<float> _row = row;
        private readonly int _offset = TDots.IsUnsigned ? offset : 0;
        private readonly float _factor = factor;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<T>()
            where T : struct, ILanes<T>
        {
            int blocks = Blocks(_x.Length),
                stepBytes = TDots.Steps * 4,
                place = 0;
            ref byte bytes = ref MemoryMarshal.GetReference(MemoryMarshal.AsBytes(_row));
            Span<float> scales = _row.Slice(blocks * TDots.Steps, blocks);
            Span<int> starts = MemoryMarshal.Cast<float, int>(_row.Slice(blocks * (TDots.Steps + 1), blocks));
            Span<float> tail = stackalloc float[BlockValues];
            for (int i = 0; i < LaneBlocks; i++)
            for (int b = FirstOfLane(i); b < blocks; b += LaneBlocks, place++)
            {
                scales[place] =
                    Quantize<T>(Block(_x, b, tail), _inHalves, out Vector128<byte> even, out Vector128<byte> odd)
                    * _factor;
                starts[place] = TDots.Start(_offset, Pairs(even, odd));
                StoreSteps(even, odd, ref bytes, (nuint)(place * stepBytes));
            }
        }

        // Four bytes of even index and four of odd index alternate. Where a step is two products, the bytes are widened
        // to 16 bits.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void StoreSteps(Vector128<byte> even, Vector128<byte> odd, ref byte bytes, nuint at)
        {
            Vector128<int> e = even.AsInt32(),
                o = odd.AsInt32();
            Vector128<int> first = Vector128.Create(e.GetElement(0), o.GetElement(0), e.GetElement(1), o.GetElement(1));
            Vector128<int> second = Vector128.Create(
                e.GetElement(2),
                o.GetElement(2),
                e.GetElement(3),
                o.GetElement(3)
            );
            if (TDots.Steps == 8)
            {
                first.AsByte().StoreUnsafe(ref bytes, at);
                second.AsByte().StoreUnsafe(ref bytes, at + 16);
                return;
            }
            Vector128.WidenLower(first.AsSByte()).AsByte().StoreUnsafe(ref bytes, at);
            Vector128.WidenUpper(first.AsSByte()).AsByte().StoreUnsafe(ref bytes, at + 16);
            Vector128.WidenLower(second.AsSByte()).AsByte().StoreUnsafe(ref bytes, at + 32);
            Vector128.WidenUpper(second.AsSByte()).AsByte().StoreUnsafe(ref bytes, at + 48);
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels;

/// <summary>
/// An activation row as int8: blocks of 32 with one float scale each, <c>x[k] ≈ q[k] · scale[k / 32]</c>.
/// </summary>
/// <remarks>
/// scale = max|x| / 127 and q = x · (127 / max|x|) rounded to nearest, ties to even. A block whose largest value is
/// below 2⁻¹⁰⁰ is all zero. A value that is not finite makes its block's scale not finite, and so the outputs. What
/// lies past the row is zero.
/// <para>
/// Lane of a block: block b of every sixteen is summed in lane 4 · (b mod 4) + b / 4, which is where adding up four
/// registers of four blocks each leaves it (<see cref="ILanes{TSelf}.BlockSums"/>).
/// </para>
/// <para>
/// <em>Row form</em>, for one weight row after the other: per four blocks the 64 even values, then the 64 odd ones, as
/// the low and high nibbles of MXFP4 meet them; then, by sixteen blocks and in the order of lanes, the halved scales
/// and 12 · Σq.
/// <em>Panel form</em>, for rows in lanes: the blocks lane by lane (<see cref="LaneOrder"/>), each as steps of one
/// dword: of every eight values the four even ones, then the four odd; then in the order of blocks the scales, and the
/// dwords with which the sums begin.
/// </para>
/// </remarks>
internal static class Int8Row
{
    public const int BlockValues = 32;
    public const int LaneBlocks = 16;

    private const float Tiny = 1f / (1 << 30) / (1 << 30) / (1 << 30) / (1 << 10);

    /// <summary>Added to a float of at most 127 this leaves its nearest integer in the lowest bits.</summary>
    internal const float Magic = 12582912f;

    /// <summary>The order in which the tree over the lanes can add one lane after the other.</summary>
    public static ReadOnlySpan<byte> LaneOrder => [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];

    public static int Blocks(int inputs) => (inputs + BlockValues - 1) / BlockValues;

    private static int PaddedBlocks(int inputs) => (Blocks(inputs) + LaneBlocks - 1) / LaneBlocks * LaneBlocks;

    /// <summary>Floats that a row of either form takes.</summary>
    public static int Width(int inputs) => PaddedBlocks(inputs) * (BlockValues / 2 + 2);

    /// <summary>Where the scales of a row form begin, in bytes; the offsets are behind them.</summary>
    public static int ScalesAt(int inputs) => PaddedBlocks(inputs) * BlockValues;

    public static int OffsetsAt(int inputs) => ScalesAt(inputs) + PaddedBlocks(inputs) * sizeof(float);

    /// <summary>The lane of block b, and the block of a lane: the rule is its own inverse.</summary>
    public static int Lane(int block) => block % 4 * 4 + block / 4 % 4;

    /// <summary>Blocks of the lane that comes i-th in <see cref="LaneOrder"/>: first, first + 16, ….</summary>
    public static int FirstOfLane(int i) => Lane(LaneOrder[i]);

    /// <summary>
    /// The places that the first sixteen blocks have in the panel form; block b + 16 stands one place behind block b.
    /// </summary>
    /// <param name="blocks">Of a row.</param>
    /// <param name="places">[16], by block.</param>
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

    /// <summary>The definition of the numbers: scale and 32 integers of one block.</summary>
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

    /// <param name="x">[inputs].</param>
    /// <param name="row">[<see cref="Width"/>] floats of memory.</param>
    public static void ToBlockOrder(ReadOnlySpan<float> x, Span<float> row) => Lanes.Run(new QuantizeToBlockOrder(x, row));

    /// <param name="x">[inputs].</param>
    /// <param name="row">[<see cref="Width"/>] floats of memory.</param>
    /// <param name="offset">What the matrix adds to its weights so that none is negative.</param>
    /// <param name="factor">A power of two on the scales.</param>
    public static void ToLaneOrder<T>(ReadOnlySpan<float> x, Span<float> row, int offset, float factor)
        where T : struct, IDots<T> => Lanes.Run(new QuantizeToLaneOrder<T>(x, row, offset, factor));

    /// <summary>One block's scale and its 32 bytes, even values first, then odd.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Quantize<T>(ReadOnlySpan<float> x, out Vector128<byte> even, out Vector128<byte> odd)
        where T : struct, ILanes<T>
    {
        ref readonly float source = ref MemoryMarshal.GetReference(x);
        T a = T.Load(in source, 0),
            b = T.Load(in source, 16);
        float maximum = T.MaxMagnitude(a, b);
        bool tiny = maximum < Tiny;
        T inverse = T.Create(tiny ? 0 : 127 / maximum),
            magic = T.Create(Magic);
        (even, odd) = EvenOdd(
            T.LowBytes(T.MultiplyAdd(a, inverse, magic)),
            T.LowBytes(T.MultiplyAdd(b, inverse, magic))
        );
        return tiny ? 0 : maximum / 127;
    }

    /// <summary>The bytes 0, 2, … of both, and 1, 3, ….</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (Vector128<byte> Even, Vector128<byte> Odd) EvenOdd(Vector128<byte> low, Vector128<byte> high)
    {
        low = Vector128.Shuffle(low, Vector128.Create((byte)0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
        high = Vector128.Shuffle(high, Vector128.Create((byte)0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
        return (Vector128.Create(low.GetLower(), high.GetLower()), Vector128.Create(low.GetUpper(), high.GetUpper()));
    }

    /// <summary>The block's values; those of an incomplete one are copied before zeros.</summary>
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

    /// <summary>Sums of what meets the bytes 0 and 1 of the dwords, and 2 and 3.</summary>
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

    internal readonly ref struct QuantizeToBlockOrder(ReadOnlySpan<float> x, Span<float> row) : ILaneKernel
    {
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
            Span<int> offsets = MemoryMarshal.Cast<float, int>(
                _row.Slice(OffsetsAt(inputs) / sizeof(float), padded)
            );
            Span<float> tail = stackalloc float[BlockValues];
            for (int b = 0; b < padded; b++)
            {
                Vector128<byte> even = default,
                    odd = default;
                float scale = b < blocks ? Quantize<T>(Block(_x, b, tail), out even, out odd) : 0;
                nuint at = (nuint)(b / 4 * 128 + b % 4 * 16);
                even.StoreUnsafe(ref bytes, at);
                odd.StoreUnsafe(ref bytes, at + 64);
                int lane = b / LaneBlocks * LaneBlocks + Lane(b);
                (int first, int second) = Pairs(even, odd);
                scales[lane] = scale * 0.5f;
                offsets[lane] = Mxfp4Int8.Offset * (first + second);
            }
        }
    }

    internal readonly ref struct QuantizeToLaneOrder<TDots>(ReadOnlySpan<float> x, Span<float> row, int offset, float factor)
        : ILaneKernel
        where TDots : struct, IDots<TDots>
    {
        private readonly ReadOnlySpan<float> _x = x;
        private readonly Span<float> _row = row;
        private readonly int _offset = TDots.Offset(offset);
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
                    Quantize<T>(Block(_x, b, tail), out Vector128<byte> even, out Vector128<byte> odd) * _factor;
                starts[place] = TDots.Start(_offset, Pairs(even, odd));
                StoreSteps(even, odd, ref bytes, (nuint)(place * stepBytes));
            }
        }

        // The dwords of the even and of the odd values alternate; where a step is two products, their bytes are
        // widened.
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

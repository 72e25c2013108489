using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using GptOss.Kernels.MatMul;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>
/// Multiplies sixteen MXFP4 blocks of one weight row by quantised activations in block order (<see cref="Int8Row"/>),
/// at each width of registers: lane 4 · (b mod 4) + b / 4 receives what belongs to block b.
/// </summary>
// Bound: sixteen blocks, which Mxfp4Int8 reads within a row or from a copy of that size, with an activation for each
// value.
internal static class Mxfp4BlockSums
{
    /// <summary>The exact Σ 2w · q of each block.</summary>
    /// <param name="blocks">The first byte of the sixteen blocks.</param>
    /// <param name="x">The first of the blocks' 512 activations, in block order.</param>
    /// <param name="offsets">12 · Σq of the sixteen blocks, in the order of the lanes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sums<T, TBlocks>(ref readonly byte blocks, ref readonly byte x, ref readonly int offsets)
        where T : struct, ILanes<T>
        where TBlocks : struct, IMxfp4Blocks
    {
        if (typeof(T) == typeof(Lanes512))
            return Unsafe.BitCast<Lanes512, T>(Sums512<TBlocks>(in blocks, in x, in offsets));
        if (typeof(T) == typeof(Lanes256))
            return Unsafe.BitCast<Lanes256, T>(Sums256<TBlocks>(in blocks, in x, in offsets));
        if (typeof(T) == typeof(Lanes128))
            return Unsafe.BitCast<Lanes128, T>(Sums128<TBlocks>(in blocks, in x));
        return SumsScalar<T, TBlocks>(in blocks, in x);
    }

    /// <summary>Decodes the scale bytes s of sixteen consecutive blocks to 2^(s − 127).</summary>
    /// <param name="blocks">The first byte of the sixteen blocks.</param>
    /// <param name="scales">Memory of the scales of the weight row, where they lie apart.</param>
    /// <param name="block">Number of the first of the sixteen in its weight row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Scales<T, TBlocks>(ref readonly byte blocks, ref readonly byte scales, nuint block)
        where T : struct, ILanes<T>
        where TBlocks : struct, IMxfp4Blocks =>
        Mxfp4Lanes.Exponents(ScaleBytes<T, TBlocks>(in blocks, in scales, block));

    /// <summary>The scale bytes of sixteen consecutive blocks, each at the bottom of its lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ScaleBytes<T, TBlocks>(ref readonly byte blocks, ref readonly byte scales, nuint block)
        where T : struct, ILanes<T>
        where TBlocks : struct, IMxfp4Blocks =>
        T.LookUp(
            Mxfp4Blocks<TBlocks>.SixteenScales<T>(in blocks, in scales, block),
            T.LoadBits(in MemoryMarshal.GetReference(Bottom), 0)
        );

    /// <summary>The scale bytes of sixteen consecutive blocks that hold them, in the order of the blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> ScalesInOrder<T, TBlocks>(ref readonly byte blocks)
        where T : struct, ILanes<T>
        where TBlocks : struct, IMxfp4Blocks =>
        Vector128.Shuffle(
            T.LowBytes(ScaleBytes<T, TBlocks>(in blocks, in blocks, block: 0)),
            Vector128.Create((byte)0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)
        );

    // Puts byte 4p + q of the lanes 4q to 4q + 3 at the bottom of lane 4q + p; 255 looks up nothing and gives zero.
    // csharpier-ignore
    private static ReadOnlySpan<byte> Bottom =>
        [
            0, 255, 255, 255, 4, 255, 255, 255, 8, 255, 255, 255, 12, 255, 255, 255,
            1, 255, 255, 255, 5, 255, 255, 255, 9, 255, 255, 255, 13, 255, 255, 255,
            2, 255, 255, 255, 6, 255, 255, 255, 10, 255, 255, 255, 14, 255, 255, 255,
            3, 255, 255, 255, 7, 255, 255, 255, 11, 255, 255, 255, 15, 255, 255, 255,
        ];

    // Each of the registers a, b, c and d holds four blocks, with four partial sums a block in the lanes of one 128-bit
    // part. Two rounds of unpacking and adding leave the whole sum of block 4p + q in lane 4q + p, where p counts the
    // registers and q the parts.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes512 Sums512<TBlocks>(ref readonly byte blocks, ref readonly byte x, ref readonly int offsets)
        where TBlocks : struct, IMxfp4Blocks
    {
        Vector512<int> a = DwordSums512(Mxfp4Blocks<TBlocks>.FourAsStored(in blocks, 0), in x, 0),
            b = DwordSums512(Mxfp4Blocks<TBlocks>.FourAsStored(in blocks, 4), in x, 128);
        Vector512<int> c = DwordSums512(Mxfp4Blocks<TBlocks>.FourAsStored(in blocks, 8), in x, 256),
            d = DwordSums512(Mxfp4Blocks<TBlocks>.FourAsStored(in blocks, 12), in x, 384);
        Vector512<long> ab = (Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b)).AsInt64();
        Vector512<long> cd = (Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d)).AsInt64();
        Vector512<int> sums = Avx512F.UnpackLow(ab, cd).AsInt32() + Avx512F.UnpackHigh(ab, cd).AsInt32();
        return new(Vector512.ConvertToSingle(sums - Vector512.LoadUnsafe(in offsets)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> DwordSums512(Vector512<byte> bits, ref readonly byte x, nuint at)
    {
        Vector512<byte> mask = Vector512.Create((byte)0xF);
        Vector512<byte> table = Vector512.Create(Vector256.Create(Mxfp4Doubled.OffsetTable, Mxfp4Doubled.OffsetTable));
        Vector512<byte> even = Avx512BW.Shuffle(table, bits & mask);
        Vector512<byte> odd = Avx512BW.Shuffle(table, (bits.AsUInt16() >>> 4).AsByte() & mask);
#if NET11_0_OR_GREATER
        if (AvxVnni.V512.IsSupported)
        {
            Vector512<int> sums = AvxVnni.V512.MultiplyWideningAndAdd(
                Vector512<int>.Zero,
                even,
                Vector512.LoadUnsafe(in x, at).AsSByte()
            );
            return AvxVnni.V512.MultiplyWideningAndAdd(sums, odd, Vector512.LoadUnsafe(in x, at + 64).AsSByte());
        }
#endif
        Vector512<short> pairs =
            Avx512BW.MultiplyAddAdjacent(even, Vector512.LoadUnsafe(in x, at).AsSByte())
            + Avx512BW.MultiplyAddAdjacent(odd, Vector512.LoadUnsafe(in x, at + 64).AsSByte());
        return Avx512BW.MultiplyAddAdjacent(pairs, Vector512.Create((short)1));
    }

    // Lane 4q + p belongs to block 4p + q. The lower register has the lanes of q = 0 and 1, the upper those of q = 2
    // and 3, so each adds up its own blocks, of which two lie in each 256-bit load.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes256 Sums256<TBlocks>(ref readonly byte blocks, ref readonly byte x, ref readonly int offsets)
        where TBlocks : struct, IMxfp4Blocks =>
        new(
            HalfSums256<TBlocks>(in blocks, 0, in x, 0, in offsets),
            HalfSums256<TBlocks>(in blocks, 2, in x, 32, in Unsafe.Add(ref Unsafe.AsRef(in offsets), 8))
        );

    // The sum of a pair of products is at most 24 · 127 · 2, so that sixteen bits hold those of four pairs.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> HalfSums256<TBlocks>(
        ref readonly byte blocks,
        nuint block,
        ref readonly byte x,
        nuint at,
        ref readonly int offsets
    )
        where TBlocks : struct, IMxfp4Blocks
    {
        Vector256<byte> mask = Vector256.Create((byte)0xF),
            table = Vector256.Create(Mxfp4Doubled.OffsetTable, Mxfp4Doubled.OffsetTable);
        Vector256<long> a = PairSums256(Mxfp4Blocks<TBlocks>.TwoAsStored(in blocks, block), mask, table, in x, at),
            b = PairSums256(Mxfp4Blocks<TBlocks>.TwoAsStored(in blocks, block + 4), mask, table, in x, at + 128);
        Vector256<long> c = PairSums256(
                Mxfp4Blocks<TBlocks>.TwoAsStored(in blocks, block + 8),
                mask,
                table,
                in x,
                at + 256
            ),
            d = PairSums256(Mxfp4Blocks<TBlocks>.TwoAsStored(in blocks, block + 12), mask, table, in x, at + 384);
        Vector256<short> ab = Avx2.UnpackLow(a, b).AsInt16() + Avx2.UnpackHigh(a, b).AsInt16(),
            cd = Avx2.UnpackLow(c, d).AsInt16() + Avx2.UnpackHigh(c, d).AsInt16();
        Vector256<short> ones = Vector256.Create((short)1);
        Vector256<float> twoOfEach = Avx2.MultiplyAddAdjacent(ab, ones).AsSingle(),
            others = Avx2.MultiplyAddAdjacent(cd, ones).AsSingle();
        Vector256<int> sums =
            Avx.Shuffle(twoOfEach, others, 0b10_00_10_00).AsInt32()
            + Avx.Shuffle(twoOfEach, others, 0b11_01_11_01).AsInt32();
        return Vector256.ConvertToSingle(sums - Vector256.LoadUnsafe(in offsets));
    }

    // The sums of two pairs of products in each 16 bits, of two blocks.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<long> PairSums256(
        Vector256<byte> bits,
        Vector256<byte> mask,
        Vector256<byte> table,
        ref readonly byte x,
        nuint at
    )
    {
        Vector256<byte> even = Avx2.Shuffle(table, bits & mask);
        Vector256<byte> odd = Avx2.Shuffle(table, (bits.AsUInt16() >>> 4).AsByte() & mask);
        return (
            Avx2.MultiplyAddAdjacent(even, Vector256.LoadUnsafe(in x, at).AsSByte())
            + Avx2.MultiplyAddAdjacent(odd, Vector256.LoadUnsafe(in x, at + 64).AsSByte())
        ).AsInt64();
    }

    // A 128-bit register holds one block, and its weights are signed, so there is no offset to subtract.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Lanes128 Sums128<TBlocks>(ref readonly byte blocks, ref readonly byte x)
        where TBlocks : struct, IMxfp4Blocks =>
        new(
            FourSums<TBlocks>(in blocks, 0, in x, 0),
            FourSums<TBlocks>(in blocks, 1, in x, 16),
            FourSums<TBlocks>(in blocks, 2, in x, 32),
            FourSums<TBlocks>(in blocks, 3, in x, 48)
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> FourSums<TBlocks>(
        ref readonly byte blocks,
        nuint block,
        ref readonly byte x,
        nuint at
    )
        where TBlocks : struct, IMxfp4Blocks =>
        Vector128.ConvertToSingle(
            Vector128.Create(
                BlockSum(Mxfp4Blocks<TBlocks>.AsStored(in blocks, block), in x, at),
                BlockSum(Mxfp4Blocks<TBlocks>.AsStored(in blocks, block + 4), in x, at + 128),
                BlockSum(Mxfp4Blocks<TBlocks>.AsStored(in blocks, block + 8), in x, at + 256),
                BlockSum(Mxfp4Blocks<TBlocks>.AsStored(in blocks, block + 12), in x, at + 384)
            )
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int BlockSum(Vector128<byte> bits, ref readonly byte x, nuint at)
    {
        Vector128<sbyte> even = Vector128.ShuffleNative(
            Mxfp4Doubled.SignedTable,
            (bits & Vector128.Create((byte)0xF)).AsSByte()
        );
        Vector128<sbyte> odd = Vector128.ShuffleNative(Mxfp4Doubled.SignedTable, (bits >>> 4).AsSByte());
        Vector128<sbyte> x0 = Vector128.LoadUnsafe(in x, at).AsSByte(),
            x1 = Vector128.LoadUnsafe(in x, at + 64).AsSByte();
        Vector128<short> sums =
            Vector128.WidenLower(even) * Vector128.WidenLower(x0)
            + Vector128.WidenUpper(even) * Vector128.WidenUpper(x0)
            + Vector128.WidenLower(odd) * Vector128.WidenLower(x1)
            + Vector128.WidenUpper(odd) * Vector128.WidenUpper(x1);
        return Vector128.Sum(Vector128.WidenLower(sums) + Vector128.WidenUpper(sums));
    }

    private static T SumsScalar<T, TBlocks>(ref readonly byte blocks, ref readonly byte x)
        where T : struct, ILanes<T>
        where TBlocks : struct, IMxfp4Blocks
    {
        Span<float> sums = stackalloc float[Lanes.Count];
        for (int b = 0; b < Lanes.Count; b++)
        {
            int sum = 0;
            Vector128<byte> block = Mxfp4Blocks<TBlocks>.AsStored(in blocks, (nuint)b);
            for (int i = 0; i < Mxfp4.BlockBytes; i++)
            {
                byte codes = block[i];
                nuint even = (nuint)(b / 4 * 128 + b % 4 * 16 + i);
                sum +=
                    Mxfp4Doubled.Twice(codes & 0xF) * (sbyte)Unsafe.Add(ref Unsafe.AsRef(in x), even)
                    + Mxfp4Doubled.Twice(codes >> 4) * (sbyte)Unsafe.Add(ref Unsafe.AsRef(in x), even + 64);
            }
            sums[Int8Row.Lane(b)] = sum;
        }
        return T.Load(in sums[0], 0);
    }
}

/// <summary>Copies the scale bytes of blocks that hold them, side by side.</summary>
internal readonly ref struct CopyMxfp4Scales<TBlocks>(ReadOnlySpan<byte> blocks, Span<byte> scales) : ILaneKernel
    where TBlocks : struct, IMxfp4Blocks
{
    private readonly ReadOnlySpan<byte> _blocks = blocks;
    private readonly Span<byte> _scales = scales;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>()
        where T : struct, ILanes<T>
    {
        int count = _scales.Length;
        if (count < Lanes.Count)
        {
            for (int i = 0; i < count; i++)
                _scales[i] = _blocks[i * TBlocks.BlockBytes];
            return;
        }
        ref readonly byte from = ref MemoryMarshal.GetReference(_blocks);
        ref byte to = ref MemoryMarshal.GetReference(_scales);
        for (int i = 0; i < count; i += Lanes.Count)
        {
            // The last sixteen may overlap those before.
            nuint block = (nuint)Math.Min(i, count - Lanes.Count);
            Mxfp4BlockSums
                .ScalesInOrder<T, TBlocks>(in Unsafe.Add(ref Unsafe.AsRef(in from), block * (nuint)TBlocks.BlockBytes))
                .StoreUnsafe(ref to, block);
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>Reads blocks of MXFP4 of any kind.</summary>
/// <remarks>
/// A branch on a type is left out before its calls are inlined, one on a property after it. So the inner loops ask for
/// the type: the locals of both branches would be more than the compiler keeps in registers.
/// </remarks>
// Bound: as many whole blocks as the name says, which Mxfp4 and Mxfp4Int8 keep within their spans.
internal static class Mxfp4Blocks<TBlocks>
    where TBlocks : struct, IMxfp4Blocks
{
    /// <summary>The first code of a block, from the block's first byte on.</summary>
    private static nuint FirstCode => TBlocks.HasScales ? 1u : 0u;

    /// <summary>One of the 32 codes of a block.</summary>
    public static int Code(ReadOnlySpan<byte> blocks, int block, int index)
    {
        ReadOnlySpan<byte> codes = FromFirstCode(blocks[(block * TBlocks.BlockBytes)..])[..Mxfp4Codes.Bytes];
        return TBlocks.IsInHalves ? Nibbles.At(codes, index) : codes[index / 2] >> (index % 2 * 4) & 0xF;
    }

    /// <summary>The scale byte of one block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte Scale(ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> scales, int block) =>
        TBlocks.HasScales ? blocks[block * TBlocks.BlockBytes] : scales[block];

    /// <summary>
    /// Loads the codes of four blocks, each in four lanes, as two registers of four codes a lane
    /// (<see cref="Mxfp4Lanes"/>).
    /// </summary>
    /// <param name="blocks">The first byte of the four blocks.</param>
    /// <param name="first">Receives the codes that are decoded first.</param>
    /// <param name="second">Receives the other four of each lane.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Four<T>(ref readonly byte blocks, out T first, out T second)
        where T : struct, ILanes<T>
    {
        if (typeof(T) == typeof(Lanes512) && typeof(TBlocks) == typeof(Mxfp4Halves) && Avx512Vbmi.IsSupported)
            Mxfp4HalvesLanes.Load(in blocks, out first, out second);
        else if (typeof(TBlocks) == typeof(Mxfp4Apart))
            Mxfp4Lanes.Split<T, TBlocks>(T.LoadBits(in blocks, 0), out first, out second);
        else
            Mxfp4Lanes.Split<T, TBlocks>(
                T.LoadBits(in blocks, FirstCode, (nuint)TBlocks.BlockBytes),
                out first,
                out second
            );
    }

    /// <summary>
    /// Loads the last one to three blocks of a weight row. The lanes of the missing blocks are zero, and no byte past
    /// the last block is read.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Rest<T>(ref readonly byte blocks, int count, out T first, out T second)
        where T : struct, ILanes<T> =>
        Mxfp4Lanes.Split<T, TBlocks>(
            T.CreateBits(
                AsStored(in blocks, 0),
                count > 1 ? AsStored(in blocks, 1) : default,
                count > 2 ? AsStored(in blocks, 2) : default,
                default
            ),
            out first,
            out second
        );

    /// <summary>The scale bytes of four blocks: that of block q is byte q of the lanes 4q.</summary>
    /// <remarks>
    /// Scales among the blocks are 17 bytes apart and the lanes 4q of a register 16, so that a plain load brings each
    /// one byte further than the one before.
    /// </remarks>
    /// <param name="blocks">The first byte of the four blocks.</param>
    /// <param name="scales">Memory of the scales of the weight row, where they lie apart.</param>
    /// <param name="block">Number of the first of the four in its weight row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T FourScales<T>(ref readonly byte blocks, ref readonly byte scales, nuint block)
        where T : struct, ILanes<T> =>
        typeof(TBlocks) == typeof(Mxfp4Apart) ? T.CreateBits(Lanes.Dword(in scales, block)) : T.LoadBits(in blocks, 0);

    /// <summary>The scale bytes of sixteen blocks: that of block 4p + q is byte q of lane 4q + p.</summary>
    /// <remarks>
    /// Of scales among the blocks each of four loads brings every fourth lane. Block 4p + q begins at byte 68p + 17q;
    /// lane 4q + p of the load from byte 64p has the four bytes from 68p + 16q on.
    /// </remarks>
    /// <param name="blocks">The first byte of the sixteen blocks.</param>
    /// <param name="scales">Memory of the scales of the weight row, where they lie apart.</param>
    /// <param name="block">Number of the first of the sixteen in its weight row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SixteenScales<T>(ref readonly byte blocks, ref readonly byte scales, nuint block)
        where T : struct, ILanes<T>
    {
        if (typeof(TBlocks) == typeof(Mxfp4Apart))
            return T.CreateBits(Vector128.LoadUnsafe(in scales, block));
        return T.EveryFourth(
            T.LoadBits(in blocks, 0),
            T.LoadBits(in blocks, 64),
            T.LoadBits(in blocks, 128),
            T.LoadBits(in blocks, 192)
        );
    }

    /// <summary>Memory of blocks without what lies before the codes of the first one.</summary>
    public static ReadOnlySpan<byte> FromFirstCode(ReadOnlySpan<byte> blocks) => blocks[(int)FirstCode..];

    /// <summary>The codes of one block in the order in which they are stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AsStored(ref readonly byte blocks, nuint block) =>
        Vector128.LoadUnsafe(in blocks, block * (nuint)TBlocks.BlockBytes + FirstCode);

    /// <summary>The codes of two neighbouring blocks in the order in which they are stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> TwoAsStored(ref readonly byte blocks, nuint block) =>
        TBlocks.HasScales
            ? Vector256.Create(AsStored(in blocks, block), AsStored(in blocks, block + 1))
            : Vector256.LoadUnsafe(in blocks, block * Mxfp4Codes.Bytes);

    /// <summary>The codes of four neighbouring blocks in the order in which they are stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> FourAsStored(ref readonly byte blocks, nuint block)
    {
        if (!TBlocks.HasScales)
            return Vector512.LoadUnsafe(in blocks, block * Mxfp4Codes.Bytes);
        if (Avx512Vbmi.IsSupported)
            return Mxfp4HalvesLanes.Four(in Unsafe.Add(ref Unsafe.AsRef(in blocks), block * (nuint)TBlocks.BlockBytes));
        return Vector512.Create(TwoAsStored(in blocks, block), TwoAsStored(in blocks, block + 2));
    }
}

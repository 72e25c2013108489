using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using GptOss.Kernels.Registers;

namespace GptOss.Kernels.Formats;

/// <summary>
/// How the blocks of MXFP4 lie in memory: where the scale of a block is, and in which order its 32 codes are. The
/// products of <see cref="Mxfp4"/> read every kind through this, in the order of OpenAI's files, value 2i and 2i + 1 in
/// byte i, so that the same values give the same bits.
/// </summary>
internal interface IMxfp4Blocks
{
    /// <summary>Number of bytes from one block to the next: 16, or 17 where the scale lies before the codes.</summary>
    static abstract int BlockBytes { get; }

    /// <summary>Whether the scale is the first byte of its block; else the scales lie in memory of their own.</summary>
    static abstract bool HasScales { get; }

    /// <summary>Whether the low nibbles of a block are its first sixteen values; else those of even index.</summary>
    static abstract bool IsInHalves { get; }

    /// <summary>Brings the codes of one block into the order of OpenAI's files.</summary>
    static abstract Vector128<byte> InPairs(Vector128<byte> codes);

    /// <summary>Brings the codes of two blocks into the order of OpenAI's files.</summary>
    static abstract Vector256<byte> InPairs(Vector256<byte> codes);

    /// <summary>Brings the codes of four blocks into the order of OpenAI's files.</summary>
    static abstract Vector512<byte> InPairs(Vector512<byte> codes);
}

/// <summary>The codes of a block of MXFP4, in whatever kind of blocks.</summary>
internal static class Mxfp4Codes
{
    /// <summary>Number of bytes of the 32 codes of a block, without the scale.</summary>
    public const int Bytes = 16;
}

/// <summary>The blocks of OpenAI's files: 16 bytes of codes, two neighbours in a byte, and the scales apart.</summary>
internal readonly struct Mxfp4Apart : IMxfp4Blocks
{
    public static int BlockBytes => Mxfp4Codes.Bytes;

    public static bool HasScales => false;

    public static bool IsInHalves => false;

    public static Vector128<byte> InPairs(Vector128<byte> codes) => codes;

    public static Vector256<byte> InPairs(Vector256<byte> codes) => codes;

    public static Vector512<byte> InPairs(Vector512<byte> codes) => codes;
}

/// <summary>The blocks of Ollama's first files, type number 4: the scale, then codes in the order of OpenAI.</summary>
internal readonly struct Mxfp4Pairs : IMxfp4Blocks
{
    public static int BlockBytes => Mxfp4Codes.Bytes + 1;

    public static bool HasScales => true;

    public static bool IsInHalves => false;

    public static Vector128<byte> InPairs(Vector128<byte> codes) => codes;

    public static Vector256<byte> InPairs(Vector256<byte> codes) => codes;

    public static Vector512<byte> InPairs(Vector512<byte> codes) => codes;
}

/// <summary>
/// The blocks of GGUF, type number 39: the scale, then 16 bytes of which byte i has value i in its low and value i + 16
/// in its high half.
/// </summary>
internal readonly struct Mxfp4Halves : IMxfp4Blocks
{
    // The low halves of two neighbours, a and b, become a + 16 b.
    private const short OneAndSixteen = 0x1001;

    public static int BlockBytes => Mxfp4Codes.Bytes + 1;

    public static bool HasScales => true;

    public static bool IsInHalves => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> InPairs(Vector128<byte> codes)
    {
        Vector128<ushort> first = (codes & Vector128.Create((byte)0xF)).AsUInt16(),
            last = (codes >>> 4).AsUInt16(),
            mask = Vector128.Create((ushort)0xFF);
        return Vector128.Narrow((first | first >>> 4) & mask, (last | last >>> 4) & mask);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> InPairs(Vector256<byte> codes)
    {
        Vector256<byte> mask = Vector256.Create((byte)0xF);
        Vector256<sbyte> factors = Vector256.Create(OneAndSixteen).AsSByte();
        return Avx2.PackUnsignedSaturate(
            Avx2.MultiplyAddAdjacent(codes & mask, factors),
            Avx2.MultiplyAddAdjacent((codes.AsUInt16() >>> 4).AsByte() & mask, factors)
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> InPairs(Vector512<byte> codes)
    {
        Vector512<byte> mask = Vector512.Create((byte)0xF);
        Vector512<sbyte> factors = Vector512.Create(OneAndSixteen).AsSByte();
        return Avx512BW.PackUnsignedSaturate(
            Avx512BW.MultiplyAddAdjacent(codes & mask, factors),
            Avx512BW.MultiplyAddAdjacent((codes.AsUInt16() >>> 4).AsByte() & mask, factors)
        );
    }
}

/// <summary>Reads blocks of MXFP4 of any kind.</summary>
internal static class Mxfp4Blocks<TBlocks>
    where TBlocks : struct, IMxfp4Blocks
{
    /// <summary>The first code of a block, from the block's first byte on.</summary>
    private static nuint FirstCode => TBlocks.HasScales ? 1u : 0u;

    /// <summary>
    /// Whether <see cref="Mxfp4HalvesLanes.Load"/> can read blocks of this kind into lanes of this width.
    /// </summary>
    public static bool IsLoadedByBytes<T>()
        where T : struct, ILanes<T> =>
        typeof(T) == typeof(Lanes512) && typeof(TBlocks) == typeof(Mxfp4Halves) && Avx512Vbmi.IsSupported;

    /// <summary>Loads the codes of four blocks, each in four lanes.</summary>
    /// <param name="blocks">Memory of the blocks of a weight row.</param>
    /// <param name="block">Number of the first of the four.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Four<T>(ref readonly byte blocks, nuint block)
        where T : struct, ILanes<T> =>
        TBlocks.HasScales
            ? InPairs(
                T.CreateBits(
                    Load<T>(in blocks, block),
                    Load<T>(in blocks, block + 1),
                    Load<T>(in blocks, block + 2),
                    Load<T>(in blocks, block + 3)
                )
            )
            : T.LoadBits(in blocks, block * Mxfp4Codes.Bytes);

    /// <summary>
    /// Loads the last one to three blocks of a weight row. The lanes of the missing blocks are zero, and no byte past
    /// the last block is read.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Rest<T>(ref readonly byte blocks, nuint block, int count)
        where T : struct, ILanes<T> =>
        InPairs(
            T.CreateBits(
                Load<T>(in blocks, block),
                count > 1 ? Load<T>(in blocks, block + 1) : default,
                count > 2 ? Load<T>(in blocks, block + 2) : default,
                default
            )
        );

    /// <summary>The scale bytes of four blocks, the first one in the lowest bits.</summary>
    /// <param name="blocks">Memory of the blocks of a weight row.</param>
    /// <param name="scales">Memory of the scales of a weight row, where they lie apart.</param>
    /// <param name="block">Number of the first of the four.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FourScales(ref readonly byte blocks, ref readonly byte scales, nuint block)
    {
        if (!TBlocks.HasScales)
            return Lanes.Dword(in scales, block);
        ref byte first = ref Unsafe.Add(ref Unsafe.AsRef(in blocks), block * (nuint)TBlocks.BlockBytes);
        return first
            | (uint)Unsafe.Add(ref first, TBlocks.BlockBytes) << 8
            | (uint)Unsafe.Add(ref first, 2 * TBlocks.BlockBytes) << 16
            | (uint)Unsafe.Add(ref first, 3 * TBlocks.BlockBytes) << 24;
    }

    /// <summary>The scale byte of one block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte Scale(ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> scales, int block) =>
        TBlocks.HasScales ? blocks[block * TBlocks.BlockBytes] : scales[block];

    /// <summary>The codes of one block in the order of OpenAI's files.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Codes(ReadOnlySpan<byte> blocks, int block) =>
        TBlocks.InPairs(AsStored(blocks, block));

    /// <summary>The codes of one block in the order in which they are stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> AsStored(ReadOnlySpan<byte> blocks, int block) =>
        Vector128.Create(blocks.Slice(block * TBlocks.BlockBytes + (int)FirstCode, Mxfp4Codes.Bytes));

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

    /// <summary>The scale bytes of sixteen blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> SixteenScales(ref readonly byte blocks, ref readonly byte scales, nuint block) =>
        TBlocks.HasScales
            ? Vector128
                .Create(
                    FourScales(in blocks, in scales, block),
                    FourScales(in blocks, in scales, block + 4),
                    FourScales(in blocks, in scales, block + 8),
                    FourScales(in blocks, in scales, block + 12)
                )
                .AsByte()
            : Vector128.LoadUnsafe(in scales, block);

    // Wide registers bring the codes of several blocks into order together, narrow ones those of each block when it is
    // loaded.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Load<T>(ref readonly byte blocks, nuint block)
        where T : struct, ILanes<T>
    {
        Vector128<byte> codes = Vector128.LoadUnsafe(in blocks, block * (nuint)TBlocks.BlockBytes + FirstCode);
        return typeof(T) == typeof(Lanes512) || typeof(T) == typeof(Lanes256) ? codes : TBlocks.InPairs(codes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T InPairs<T>(T bits)
        where T : struct, ILanes<T>
    {
        if (typeof(T) == typeof(Lanes512))
        {
            Vector512<byte> codes = Unsafe.BitCast<T, Lanes512>(bits).Value.AsByte();
            return Unsafe.BitCast<Lanes512, T>(new(TBlocks.InPairs(codes).AsSingle()));
        }
        if (typeof(T) != typeof(Lanes256))
            return bits;
        Lanes256 both = Unsafe.BitCast<T, Lanes256>(bits);
        return Unsafe.BitCast<Lanes256, T>(
            new(TBlocks.InPairs(both.Low.AsByte()).AsSingle(), TBlocks.InPairs(both.High.AsByte()).AsSingle())
        );
    }
}

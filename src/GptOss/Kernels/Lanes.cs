using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels;

/// <summary>
/// Sixteen float32 lanes with their arithmetic. Kernels are written once against this interface, and one struct for
/// each register width implements it. A sum over many products is kept as sixteen partial sums, one in each lane.
/// </summary>
/// <remarks>
/// Sixteen lanes are one 512-bit register, two of 256 bits, or four of 128 bits. Because the number of lanes is the
/// same at every width, so is the order of every sum, and each width gives the same bits (docs/decisions/0002).
/// </remarks>
internal interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Number of registers that sixteen lanes take; kernels choose the size of their tiles by it.</summary>
    static abstract int Registers { get; }

    static abstract TSelf Zero { get; }
    static abstract TSelf Create(float value);
    static abstract TSelf Load(ref readonly float source, nuint index);
    static abstract void Store(TSelf lanes, ref float destination, nuint index);

    /// <summary>Loads sixteen bfloat16 values as floats: their bits are the upper halves of the floats.</summary>
    static abstract TSelf LoadBFloat16(ref readonly ushort source, nuint index);

    /// <summary>Loads sixteen signed bytes as floats of the same value.</summary>
    static abstract TSelf LoadSByte(ref readonly sbyte source, nuint index);

    /// <summary>Computes a · b + addend in each lane, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf addend);

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    /// <summary>Chooses <c>a &lt; b ? yes : no</c> in each lane; where a or b is NaN, <c>no</c>.</summary>
    static abstract TSelf WhereLess(TSelf a, TSelf b, TSelf yes, TSelf no);

    /// <summary>
    /// Computes 2ⁿ from n + 1.5·2²³ in each lane, −126 ≤ n ≤ 127. The lowest bits of such a float are n, and shifted
    /// left by 23 they are the exponent: from 3 + 1.5·2²³ comes 8.
    /// </summary>
    static abstract TSelf PowerOfTwo(TSelf shifted);

    /// <summary>
    /// Adds the sixteen lanes in the order of a tree: lane i + 8 is added to lane i, then lane i + 4, i + 2 and i + 1.
    /// </summary>
    static abstract float Sum(TSelf lanes);

    /// <summary>The largest lane, where no lane is NaN. If it is zero, its sign may be either.</summary>
    static abstract float Max(TSelf lanes);

    /// <summary>Loads the 64 bytes of four MXFP4 blocks unchanged: eight four-bit codes in each lane.</summary>
    static abstract TSelf LoadBits(ref readonly byte source, nuint offset);

    /// <summary>
    /// Loads the last one to three MXFP4 blocks of a weight row unchanged. The lanes of the missing blocks are zero,
    /// and no byte past the last block is read.
    /// </summary>
    static abstract TSelf LoadBits(ref readonly byte source, nuint offset, int blocks);

    /// <summary>
    /// Splits the eight E2M1 codes of each lane: register k<i>j</i> serves to decode the codes j and j + 4. For example
    /// k1 serves the codes 1 and 5, which are bits 4 to 7 and 20 to 23 of the lane.
    /// </summary>
    static abstract void Codes(TSelf bits, out TSelf k0, out TSelf k1, out TSelf k2, out TSelf k3);

    /// <summary>Decodes code j of each lane from register k<i>j</i> of <see cref="Codes"/>.</summary>
    static abstract TSelf FirstValues(TSelf k);

    /// <summary>Decodes code j + 4 of each lane from register k<i>j</i> of <see cref="Codes"/>.</summary>
    static abstract TSelf SecondValues(TSelf k);

    /// <summary>
    /// Decodes four MXFP4 scale bytes s to 2^(s − 127). The scale of block b fills the lanes 4b to 4b + 3. Byte 0 gives
    /// 2⁻¹²⁷ and byte 255 infinity. No byte past the four is read.
    /// </summary>
    static abstract TSelf Scales(ref readonly byte source, nuint offset);

    /// <summary>The largest magnitude of all lanes of a and b; not finite if any lane is not.</summary>
    static abstract float MaxMagnitude(TSelf a, TSelf b);

    /// <summary>The lowest byte of the bits of each lane.</summary>
    static abstract Vector128<byte> LowBytes(TSelf lanes);

    /// <summary>
    /// Multiplies sixteen MXFP4 blocks by quantised activations: lane 4 · (b mod 4) + b / 4 receives the exact Σ 2w · q
    /// of block b.
    /// </summary>
    /// <param name="blocks">Memory of the blocks: 256 bytes are read.</param>
    /// <param name="offset">First byte that is read of <paramref name="blocks"/>.</param>
    /// <param name="x">Memory of the activations in block order (<see cref="Int8Row"/>): 512 bytes are read.</param>
    /// <param name="at">First byte that is read of <paramref name="x"/>.</param>
    /// <param name="offsets">12 · Σq of the sixteen blocks, in the order of the lanes.</param>
    static abstract TSelf BlockSums(
        ref readonly byte blocks,
        nuint offset,
        ref readonly byte x,
        nuint at,
        ref readonly int offsets
    );

    /// <summary>
    /// Decodes sixteen scale bytes s of consecutive MXFP4 blocks to 2^(s − 127), in the lanes of
    /// <see cref="BlockSums"/>.
    /// </summary>
    static abstract TSelf BlockScales(Vector128<byte> scales);
}

/// <summary>
/// A computation on float lanes that is written once and runs at every register width: the fields hold its inputs and
/// outputs, and <see cref="Lanes.Run"/> chooses the width.
/// </summary>
internal interface ILaneKernel
{
    void Run<T>()
        where T : struct, ILanes<T>;
}

/// <summary>
/// Chooses the register width of float kernels, and loads and stores rows whose end does not fill sixteen lanes. It is
/// the only place that lists the widths.
/// </summary>
internal static class Lanes
{
    /// <summary>Number of lanes, at every register width.</summary>
    public const int Count = 16;

    /// <summary>Bits of the widest registers: 512, 256, 128, or 1 without vector instructions.</summary>
    public static int Width =>
        Vector512.IsHardwareAccelerated ? 512
        : Vector256.IsHardwareAccelerated ? 256
        : Vector128.IsHardwareAccelerated ? 128
        : 1;

    /// <summary>Runs a kernel at the widest registers of this process; the JIT compiles one branch only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TKernel>(in TKernel kernel)
        where TKernel : struct, ILaneKernel, allows ref struct
    {
        if (Vector512.IsHardwareAccelerated)
            kernel.Run<Lanes512>();
        else if (Vector256.IsHardwareAccelerated)
            kernel.Run<Lanes256>();
        else if (Vector128.IsHardwareAccelerated)
            kernel.Run<Lanes128>();
        else
            kernel.Run<Lanes1>();
    }

    /// <summary>
    /// Reads four bytes as one number. Inside Vector.Create the JIT turns the load and the broadcast into one
    /// instruction.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Dword(ref readonly byte source, nuint offset) =>
        Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref Unsafe.AsRef(in source), offset));

    /// <summary>Loads the first <paramref name="count"/> lanes; the others are zero.</summary>
    public static T LoadPartial<T>(ReadOnlySpan<float> source, int count)
        where T : struct, ILanes<T>
    {
        Span<float> padded = stackalloc float[Count];
        padded.Clear();
        source[..count].CopyTo(padded);
        return T.Load(in padded[0], 0);
    }

    /// <summary>Loads the first <paramref name="count"/> lanes from bfloat16; the others are zero.</summary>
    public static T LoadPartialBFloat16<T>(ReadOnlySpan<ushort> source, int count)
        where T : struct, ILanes<T>
    {
        Span<ushort> padded = stackalloc ushort[Count];
        padded.Clear();
        source[..count].CopyTo(padded);
        return T.LoadBFloat16(in padded[0], 0);
    }

    /// <summary>Stores the first <paramref name="destination"/>.Length lanes.</summary>
    public static void StorePartial<T>(T lanes, Span<float> destination)
        where T : struct, ILanes<T>
    {
        Span<float> padded = stackalloc float[Count];
        T.Store(lanes, ref padded[0], 0);
        padded[..destination.Length].CopyTo(destination);
    }
}

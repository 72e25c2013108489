using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels;

/// <summary>
/// Sixteen float lanes, whatever the hardware's registers: the unit in which every sum of this engine is ordered.
/// </summary>
/// <remarks>
/// A 512-bit machine holds them in one register, a 256-bit machine in two, a 128-bit machine in four. Because the count
/// of lanes never changes, neither does the order of any sum, and each width gives the same bits (docs/decisions/0002).
/// </remarks>
internal interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Registers that sixteen lanes take: what a kernel blocks by.</summary>
    static abstract int Registers { get; }

    static abstract TSelf Zero { get; }
    static abstract TSelf Create(float value);
    static abstract TSelf Load(ref readonly float source, nuint index);
    static abstract void Store(TSelf lanes, ref float destination, nuint index);

    /// <summary>Widens sixteen bfloat16 values: the bits are the upper half of a float.</summary>
    static abstract TSelf LoadBFloat16(ref readonly ushort source, nuint index);

    /// <summary>Widens sixteen signed bytes; exact.</summary>
    static abstract TSelf LoadSByte(ref readonly sbyte source, nuint index);

    /// <summary>a · b + addend, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf addend);

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    /// <summary>Lane by lane <c>a &lt; b ? yes : no</c>; a NaN on either side chooses <c>no</c>.</summary>
    static abstract TSelf WhereLess(TSelf a, TSelf b, TSelf yes, TSelf no);

    /// <summary>
    /// 2ⁿ for lanes that hold n + 1.5·2²³, −126 ≤ n ≤ 127: n stands in the lowest bits of such a float.
    /// </summary>
    static abstract TSelf PowerOfTwo(TSelf shifted);

    /// <summary>The sum of the lanes by the one tree: lane i takes lane i + 8, then i + 4, i + 2, i + 1.</summary>
    static abstract float Sum(TSelf lanes);

    /// <summary>The largest lane, where none is NaN. Of two zeros it may be either.</summary>
    static abstract float Max(TSelf lanes);

    /// <summary>Sixteen dwords as they stand: the bits of four MXFP4 blocks, eight codes in a lane.</summary>
    static abstract TSelf LoadBits(ref readonly byte source, nuint offset);

    /// <summary>
    /// The same for the last one to three blocks of a row; the missing ones read as zeros, and nothing past them is
    /// touched.
    /// </summary>
    static abstract TSelf LoadBits(ref readonly byte source, nuint offset, int blocks);

    /// <summary>Makes the eight E2M1 codes of every lane ready: k<i>j</i> is for the codes j and j + 4.</summary>
    static abstract void Codes(TSelf bits, out TSelf k0, out TSelf k1, out TSelf k2, out TSelf k3);

    /// <summary>The values of the first codes of a k that <see cref="Codes"/> gives.</summary>
    static abstract TSelf FirstValues(TSelf k);

    /// <summary>The values of its second codes.</summary>
    static abstract TSelf SecondValues(TSelf k);

    /// <summary>
    /// 2^(s − 127) for the four scale bytes at the offset, each in the four lanes of its block; no byte past them is
    /// read. 0 gives 2⁻¹²⁷, 255 infinity.
    /// </summary>
    static abstract TSelf Scales(ref readonly byte source, nuint offset);

    /// <summary>The largest magnitude of all lanes; not finite where one is not.</summary>
    static abstract float MaxMagnitude(TSelf a, TSelf b);

    /// <summary>The lowest byte of every lane's bits.</summary>
    static abstract Vector128<byte> LowBytes(TSelf lanes);

    /// <summary>Σ 2w · q of sixteen MXFP4 blocks, exact, block b in lane 4 · (b mod 4) + b / 4.</summary>
    /// <param name="blocks">256 bytes at <paramref name="offset"/>.</param>
    /// <param name="offset">In bytes.</param>
    /// <param name="x">Activations in row form (<see cref="Int8Row"/>): 512 bytes at <paramref name="at"/>.</param>
    /// <param name="at">In bytes.</param>
    /// <param name="offsets">12 · Σq of the sixteen blocks, lane by lane.</param>
    static abstract TSelf BlockSums(
        ref readonly byte blocks,
        nuint offset,
        ref readonly byte x,
        nuint at,
        ref readonly int offsets
    );

    /// <summary>
    /// 2^(s − 127) for sixteen scale bytes of consecutive blocks, in the lanes of <see cref="BlockSums"/>.
    /// </summary>
    static abstract TSelf BlockScales(Vector128<byte> scales);
}

/// <summary>Work that is written once for every width.</summary>
internal interface ILaneKernel
{
    void Run<T>()
        where T : struct, ILanes<T>;
}

/// <summary>The only place where the widths are enumerated.</summary>
internal static class Lanes
{
    public const int Count = 16;

    /// <summary>512, 256, 128, or 1 where the process runs without vector instructions.</summary>
    public static int Width =>
        Vector512.IsHardwareAccelerated ? 512
        : Vector256.IsHardwareAccelerated ? 256
        : Vector128.IsHardwareAccelerated ? 128
        : 1;

    /// <summary>Runs a kernel at the widest registers of this process; the JIT keeps one of the branches.</summary>
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
    /// Four bytes as they stand. Called inside Vector.Create, the JIT folds the load into the broadcast.
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

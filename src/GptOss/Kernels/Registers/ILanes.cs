using System.Runtime.Intrinsics;

namespace GptOss.Kernels.Registers;

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

    /// <summary>Sixteen signed bytes of a register as floats of the same value.</summary>
    static abstract TSelf FromSBytes(Vector128<sbyte> bytes);

    /// <summary>Computes a · b + addend in each lane, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf addend);

    /// <summary>Computes a · b + addend, with sixteen floats b from memory.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, ref readonly float b, nuint index, TSelf addend);

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

    /// <summary>Loads 64 bytes unchanged: four in each lane, as the bits of a float.</summary>
    static abstract TSelf LoadBits(ref readonly byte source, nuint offset);

    /// <summary>Loads four times 16 bytes unchanged, each from <paramref name="stride"/> bytes later on.</summary>
    static abstract TSelf LoadBits(ref readonly byte source, nuint offset, nuint stride);

    /// <summary>The same 32 bits in each lane.</summary>
    static abstract TSelf CreateBits(uint bits);

    /// <summary>The same four lanes four times.</summary>
    static abstract TSelf CreateBits(Vector128<byte> four);

    /// <summary>Puts four registers of four lanes side by side: lanes 0 to 3 are those of a.</summary>
    static abstract TSelf CreateBits(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d);

    /// <summary>The bits that are set in both.</summary>
    static abstract TSelf operator &(TSelf a, TSelf b);

    /// <summary>The bits that are set in one or both.</summary>
    static abstract TSelf operator |(TSelf a, TSelf b);

    /// <summary>Shifts the bits of each lane to the left.</summary>
    static abstract TSelf operator <<(TSelf bits, int count);

    /// <summary>Shifts the bits of each lane to the right; zeros come in.</summary>
    static abstract TSelf operator >>>(TSelf bits, int count);

    /// <summary>
    /// Chooses byte by byte: that of <paramref name="a"/> where the mask's byte is 255, that of b where it is 0.
    /// </summary>
    static abstract TSelf SelectBytes(TSelf mask, TSelf a, TSelf b);

    /// <summary>
    /// Of every four lanes, 4q to 4q + 3, the first two become the lanes 4q and 4q + 2 of a, the last two those of b.
    /// </summary>
    static abstract TSelf EvenLanes(TSelf a, TSelf b);

    /// <summary>The same with the lanes 4q + 1 and 4q + 3.</summary>
    static abstract TSelf OddLanes(TSelf a, TSelf b);

    /// <summary>Lane 4q of a, 4q + 1 of b, 4q + 2 of c and 4q + 3 of d, for every q.</summary>
    static abstract TSelf EveryFourth(TSelf a, TSelf b, TSelf c, TSelf d);

    /// <summary>The larger of two lanes, compared as integers without a sign.</summary>
    static abstract TSelf MaxBits(TSelf a, TSelf b);

    /// <summary>
    /// Looks each byte up in sixteen bytes: those of <paramref name="table"/> in the same four lanes. An index is 0 to
    /// 15, or 128 and more, which gives 0.
    /// </summary>
    static abstract TSelf LookUp(TSelf table, TSelf indices);

    /// <summary>The largest magnitude of all lanes of a and b; not finite if any lane is not.</summary>
    static abstract float MaxMagnitude(TSelf a, TSelf b);

    /// <summary>The lowest byte of the bits of each lane.</summary>
    static abstract Vector128<byte> LowBytes(TSelf lanes);
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

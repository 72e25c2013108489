namespace GptOss.Kernels;

/// <summary>
/// A register of dwords, one weight row in each: dot products of small integers, and the floats that they become.
/// </summary>
/// <remarks>
/// Integer sums are exact, so every implementation gives the same numbers; they differ in how many products a step
/// adds. Rows lie in the lanes, so nothing is ever summed across lanes and the count of lanes decides nothing.
/// </remarks>
internal interface IDots<TSelf>
    where TSelf : struct, IDots<TSelf>
{
    /// <summary>Rows of a register.</summary>
    static abstract int Rows { get; }

    /// <summary>Steps of a block of 32: 8 with four products in a dword, 16 with two.</summary>
    static abstract int Steps { get; }

    /// <summary>What a stored byte is above the weight it means: 0 where bytes are signed.</summary>
    /// <param name="offset">What the matrix would have it be, so that no byte is negative.</param>
    static abstract int Offset(int offset);

    /// <summary>The dword with which a block's sum begins: it takes the offset away again.</summary>
    /// <param name="offset">As stored.</param>
    /// <param name="pairs">Sums of the activations that meet the bytes 0 and 1 of a dword, and 2 and 3.</param>
    static abstract int Start(int offset, (int First, int Second) pairs);

    /// <summary>The weights of one step: 32 / <see cref="Steps"/> bytes of every row.</summary>
    static abstract TSelf LoadWeights(ref readonly byte source, nuint offset);

    /// <summary>One dword in every lane: a step's activations, four bytes or two 16-bit numbers, or a start.</summary>
    static abstract TSelf Broadcast(ref readonly byte source, nuint offset);

    /// <summary>sums + Σ weight · activation over the step, lane by lane.</summary>
    static abstract TSelf AddDots(TSelf sums, TSelf weights, TSelf activations);

    /// <summary>The sums of a block as floats; exact, for they are below 2²⁴.</summary>
    static abstract TSelf ToSingle(TSelf sums);

    static abstract TSelf Zero { get; }
    static abstract TSelf Load(ref readonly float source, nuint index);
    static abstract void Store(TSelf value, ref float destination, nuint index);
    static abstract TSelf BroadcastSingle(ref readonly byte source, nuint offset);

    /// <summary>Widens bfloat16 values, one for each row.</summary>
    static abstract TSelf LoadBFloat16(ref readonly byte source, nuint offset);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator +(TSelf a, TSelf b);

    /// <summary>a · b + addend, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf addend);
}

namespace GptOss.Kernels.Registers;

/// <summary>
/// A register of 32-bit lanes in which each lane computes the dot product of one weight row with the same activations,
/// first in integers, then in floats. Kernels for 8-bit weights are written once against this interface, and one struct
/// for each instruction set implements it.
/// </summary>
/// <remarks>
/// A block of 32 products is added in steps: one step multiplies four bytes of each weight row (or two bytes, widened
/// to 16 bits) by as many activations. Integer sums are exact, so every implementation gives the same numbers. Nothing
/// is added across lanes, so the number of lanes changes no bit.
/// </remarks>
internal interface IDots<TSelf>
    where TSelf : struct, IDots<TSelf>
{
    /// <summary>Number of weight rows in a register.</summary>
    static abstract int Rows { get; }

    /// <summary>Number of steps of a block: 8 with four products a lane, 16 with two.</summary>
    static abstract int Steps { get; }

    /// <summary>
    /// Whether the instructions want one factor without a sign: then weights are stored with an offset that makes none
    /// of them negative, and a step takes four bytes of each row. Else they are stored as signed bytes.
    /// </summary>
    static abstract bool IsUnsigned { get; }

    /// <summary>
    /// The number with which the sum of a block begins, −offset · Σ activations: it cancels what the offset of the
    /// weights adds to the products.
    /// </summary>
    /// <param name="offset">The offset of the stored weights, 0 if they have none.</param>
    /// <param name="pairs">
    /// Sums of the activations of the block: of those that meet the bytes 0 and 1 of a lane, and of those that meet the
    /// bytes 2 and 3.
    /// </param>
    static abstract int Start(int offset, (int First, int Second) pairs);

    /// <summary>Loads the weights of one step: 32 / <see cref="Steps"/> bytes of each row.</summary>
    static abstract TSelf LoadWeights(ref readonly byte source, nuint offset);

    /// <summary>
    /// Loads four bytes into every lane: the activations of one step, as four bytes or two 16-bit numbers, or a start.
    /// </summary>
    static abstract TSelf Broadcast(ref readonly byte source, nuint offset);

    /// <summary>Adds the products of one step to the sums, in each lane.</summary>
    static abstract TSelf AddDots(TSelf sums, TSelf weights, TSelf activations);

    /// <summary>Converts the sums of a block to floats, exactly: their magnitudes are below 2²⁴.</summary>
    static abstract TSelf ToSingle(TSelf sums);

    static abstract TSelf Zero { get; }
    static abstract TSelf Load(ref readonly float source, nuint index);
    static abstract void Store(TSelf value, ref float destination, nuint index);
    static abstract TSelf BroadcastSingle(ref readonly byte source, nuint offset);

    /// <summary>Loads one bfloat16 value for each row as a float.</summary>
    static abstract TSelf LoadBFloat16(ref readonly byte source, nuint offset);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator +(TSelf a, TSelf b);

    /// <summary>Computes a · b + addend in each lane, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf addend);
}

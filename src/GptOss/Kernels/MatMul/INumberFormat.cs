using GptOss.Kernels.Registers;

namespace GptOss.Kernels.MatMul;

/// <summary>
/// A format of numbers that become float32 one by one and without rounding, such as bfloat16. Matrices of such numbers
/// are multiplied by <see cref="ByOutput{TNumbers}"/> and its neighbours, which are written once for all of them.
/// </summary>
internal interface INumberFormat
{
    /// <summary>Number of values that are stored as one block: 1, or 32 or 256 that share scales.</summary>
    static abstract int BlockValues { get; }

    /// <summary>Number of bytes of a block, its scale included.</summary>
    static abstract int BlockBytes { get; }

    /// <summary>The definition of the format: the value at an index of a row of whole blocks.</summary>
    static abstract float Value(ReadOnlySpan<byte> row, int index);

    /// <summary>
    /// Loads the sixteen values from an index on as float32. They must lie in one block, if a block has more than one
    /// value. No byte outside of their blocks is read.
    /// </summary>
    static abstract T Load<T>(ref readonly byte row, nuint index)
        where T : struct, ILanes<T>;

    /// <summary>
    /// Loads the 32 values from an index on, a multiple of 32: the values of a block of 32 share what its scale costs.
    /// No byte outside of their blocks is read.
    /// </summary>
    static abstract void LoadPair<T>(ref readonly byte row, nuint index, out T first, out T second)
        where T : struct, ILanes<T>;
}

namespace GptOss.Kernels.MatMul;

/// <summary>
/// A format of weight matrices: how the weights are stored, and how activations are multiplied by them,
/// <c>y[t, o] = Σₖ w[o, k] · x[t, k]</c>. One struct for each format implements it, and one list names them all.
/// </summary>
/// <remarks>
/// A format says in which order it adds the products of an output. The order depends on nothing but the format: not on
/// the registers, the number of tokens, or the range of outputs (docs/decisions/0002).
/// </remarks>
internal interface IMatrixFormat
{
    /// <summary>Number of outputs that workers get together, so that a worker's range holds whole tiles.</summary>
    static abstract int UnitOutputs { get; }

    /// <summary>Number of bytes that the weights of a matrix take, its scales included.</summary>
    static abstract long Bytes(int outputs, int inputs);

    /// <summary>
    /// Number of floats of a row of activations in the form that the product reads; 0 where it reads them as they are.
    /// </summary>
    static abstract int PermutedWidth(int inputs);

    /// <summary>Brings a row of activations into the form that the product of this many tokens reads.</summary>
    /// <param name="x">Activations of one token, [inputs].</param>
    /// <param name="permuted">Receives the same activations, [<see cref="PermutedWidth"/>].</param>
    /// <param name="tokens">Number of tokens of the product.</param>
    static abstract void Permute(ReadOnlySpan<float> x, Span<float> permuted, int tokens);

    /// <summary>Number of floats of working memory that <see cref="Multiply"/> needs.</summary>
    static abstract int ScratchFloats(int inputs, int tokens);

    /// <summary>Multiplies every token's activations by the weights of a range of outputs.</summary>
    /// <param name="w">The whole matrix.</param>
    /// <param name="first">First output of the range, a multiple of <see cref="UnitOutputs"/>.</param>
    /// <param name="count">Number of outputs of the range: whole units, or all outputs to the end.</param>
    /// <param name="x">Activations after <see cref="Permute"/>, [tokens, permuted width].</param>
    /// <param name="y">Receives the sums at [t, first + o]; its shape is [tokens, outputs of the matrix].</param>
    /// <param name="scratch">Working memory, [<see cref="ScratchFloats"/>].</param>
    static abstract void Multiply(in StoredWeights w, int first, int count, Rows x, Rows y, Span<float> scratch);

    /// <summary>Gives the weights of one output as float32, without rounding wherever the format allows it.</summary>
    /// <param name="w">The whole matrix.</param>
    /// <param name="output">Number of the output.</param>
    /// <param name="row">Receives the weights, [inputs].</param>
    static abstract void Widen(in StoredWeights w, int output, Span<float> row);
}

/// <summary>
/// A computation with a matrix that is written once for all formats: the fields hold its inputs and outputs, and the
/// list of formats chooses the format.
/// </summary>
internal interface IMatrixKernel
{
    void Run<TFormat>()
        where TFormat : struct, IMatrixFormat;
}

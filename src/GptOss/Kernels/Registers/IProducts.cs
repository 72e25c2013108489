namespace GptOss.Kernels.Registers;

/// <summary>
/// The integer half of a register of dot products: how one instruction set multiplies bytes and adds the products.
/// <see cref="Dots512{TProducts}"/> and <see cref="Dots256{TProducts}"/> have the other half, which is floats.
/// </summary>
/// <typeparam name="TVector">The register, 32-bit lanes.</typeparam>
internal interface IProducts<TVector>
{
    /// <inheritdoc cref="IDots{TSelf}.IsUnsigned"/>
    static abstract bool IsUnsigned { get; }

    /// <inheritdoc cref="IDots{TSelf}.Start"/>
    static abstract int Start(int offset, (int First, int Second) pairs);

    /// <inheritdoc cref="IDots{TSelf}.LoadWeights"/>
    static abstract TVector LoadWeights(ref readonly byte source, nuint offset);

    /// <inheritdoc cref="IDots{TSelf}.AddDots"/>
    static abstract TVector AddDots(TVector sums, TVector weights, TVector activations);

    /// <summary>The sums of a block as one 32-bit integer a lane.</summary>
    static abstract TVector Total(TVector sums);
}

using GptOss.Kernels.Formats;

namespace GptOss.Model;

/// <summary>
/// What an adapter adds to a matrix: <c>y += B (s · (A x))</c>, two thin products in float32 behind that of the
/// weights, which stay as they are.
/// </summary>
/// <remarks>
/// The memory belongs to the adapter. Where an adapter has several parts for one matrix, such as one for the gate and
/// one for up, their ranks lie one behind the other, and B is zero where a part has no output.
/// </remarks>
// Bound: DeltaMemory.Of has allocated rank × inputs, rank × outputs and rank values.
internal readonly unsafe struct Delta
{
    /// <summary>Number of values between the two products.</summary>
    public required int Rank { get; init; }

    /// <summary>The format of A: BF16, F16 or F32.</summary>
    public required WeightFormat FormatA { get; init; }

    /// <summary>The format of B: BF16, F16 or F32.</summary>
    public required WeightFormat FormatB { get; init; }

    /// <summary>The first factor, [rank, inputs].</summary>
    public required byte* A { get; init; }

    /// <summary>The second factor, stored input by input: [rank, outputs].</summary>
    public required byte* B { get; init; }

    /// <summary>The factor of each value between the products, [rank]: alpha / r, or alpha / √r.</summary>
    public required float* Scale { get; init; }

    /// <summary>Number of bytes of both factors.</summary>
    public long Bytes(int outputs, int inputs) => FormatA.Bytes(Rank, inputs) + FormatB.Bytes(Rank, outputs);
}

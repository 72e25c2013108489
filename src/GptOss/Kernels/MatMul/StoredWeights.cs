namespace GptOss.Kernels.MatMul;

/// <summary>
/// Where the weights of a matrix lie in memory, as a rule in the mapping of a file. The format of the matrix says what
/// the bytes mean.
/// </summary>
// Bound: the bytes of all outputs, which TensorReader has compared with the tensor, or FastWeights has allocated.
internal readonly unsafe struct StoredWeights
{
    /// <summary>Number of values of a result, one for each row of the matrix.</summary>
    public required int Outputs { get; init; }

    /// <summary>Number of values that are multiplied by an output's weights.</summary>
    public required int Inputs { get; init; }

    /// <summary>The first byte of the weights.</summary>
    public required byte* Data { get; init; }

    /// <summary>The first byte of the scales, where a format keeps them apart; else null.</summary>
    public byte* Scales { get; init; }
}

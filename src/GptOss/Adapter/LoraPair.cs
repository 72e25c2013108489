using GptOss.Checkpoint;

namespace GptOss.Adapter;

/// <summary>The two tensors of one module of an adapter: y += scale · B (A x).</summary>
/// <param name="Module">The module's name without what PEFT puts before it.</param>
/// <param name="A">From inputs to the rank.</param>
/// <param name="B">From the rank to outputs.</param>
internal sealed record LoraPair(string Module, Tensor A, Tensor B);

/// <summary>What an adapter adds to one matrix of the model: both factors as views, and the scale.</summary>
/// <param name="A">From inputs to the rank, [rank, inputs].</param>
/// <param name="B">From the rank to outputs, [rank, outputs].</param>
/// <param name="Scale">The factor between the products.</param>
/// <param name="FirstOutput">Output of the matrix to which the first output of B is added.</param>
/// <param name="OutputStep">From one of them to the next: 2 for a gate in a matrix of gate and up.</param>
internal readonly record struct DeltaPiece(
    FactorView A,
    FactorView B,
    float Scale,
    int FirstOutput = 0,
    int OutputStep = 1
);

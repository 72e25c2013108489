using GptOss.Checkpoint;

namespace GptOss.Model;

/// <summary>
/// Changes the weights of an opened model: adds a delta to some matrices, and replaces others. Owns the memory of both.
/// </summary>
internal interface IAdapter : IWeightStore, IDisposable
{
    /// <summary>What was decided without certainty, as sentences for a person.</summary>
    IReadOnlyList<string> Notes { get; }

    /// <summary>Bytes of memory that the deltas take.</summary>
    long DeltaBytes { get; }

    /// <summary>Whether these bytes are of a tensor of the adapter.</summary>
    // Bound: the address is compared and never read.
    unsafe bool Holds(byte* data);

    /// <summary>The weights of the base with what the adapter says of them; valid until this is disposed.</summary>
    /// <exception cref="CheckpointException">The adapter does not fit the base; the message names the tensor or the
    /// field.</exception>
    ModelWeights Adapt(ModelWeights weights);

    /// <exception cref="CheckpointException">The adapter's file was changed while in use.</exception>
    void ThrowIfChanged();
}

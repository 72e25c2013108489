using System.Diagnostics.CodeAnalysis;

namespace GptOss.Checkpoint;

/// <summary>
/// The opened files of a model, whatever their container is: named tensors in mapped memory. Valid until disposed.
/// </summary>
/// <remarks>
/// One folder of this room for each container implements it, Safetensors and Gguf. What the tensors mean is not known
/// here. A configuration is not a part of this, because each container writes it in its own way.
/// </remarks>
internal interface ICheckpoint : IWeightStore, IDisposable
{
    /// <summary>The folder of the files, or the file where a single one was opened; messages begin with it.</summary>
    string Path { get; }

    /// <summary>The files that hold weights, ascending by name.</summary>
    IEnumerable<WeightFile> Files { get; }

    /// <summary>All tensors, file by file, ascending by position.</summary>
    IEnumerable<Tensor> Tensors { get; }

    /// <summary>The names by which tensors are found, which may lack a prefix that a tool put before each.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>The tool that quantised the weights into a form of its own; null where none did.</summary>
    string? Quantiser { get; }

    /// <summary>Finds a tensor by its name; false where no file holds one of this name.</summary>
    /// <exception cref="CheckpointException">The tensor lies in another file than it should.</exception>
    bool TryGet(string name, [MaybeNullWhen(false)] out Tensor tensor);

    /// <summary>Whether a tensor has a shape, by the rules of the container.</summary>
    bool HasShape(Tensor tensor, ReadOnlySpan<long> shape);

    /// <summary>The error for a tensor that no file holds; it says why that may be and what to do.</summary>
    CheckpointException Missing(string name);

    /// <summary>The error for a field of the configuration that contradicts the tensors.</summary>
    /// <param name="field">The field by its name in config.json.</param>
    /// <param name="expected">What the field should be.</param>
    /// <param name="found">What the field is.</param>
    /// <param name="hint">A sentence that says what to do.</param>
    CheckpointException WrongConfig(string field, string expected, string found, string hint);

    /// <summary>Reads the files that were opened to be copied; the values of tensors are there after it.</summary>
    /// <exception cref="CheckpointException">A file cannot be read, or was changed since it was opened.</exception>
    void Fill(CopyProgress progress);

    /// <exception cref="CheckpointException">A file was changed while in use; the message names it.</exception>
    void ThrowIfChanged();
}

/// <summary>A file with weights, as lists show it.</summary>
/// <param name="Name">The name of the file, without its folder.</param>
/// <param name="Bytes">Number of bytes of the whole file.</param>
/// <param name="Tensors">How many tensors lie in the file.</param>
internal sealed record WeightFile(string Name, long Bytes, int Tensors);

using GptOss.Checkpoint.Safetensors;

namespace GptOss.Checkpoint;

/// <summary>Opens the files of a model, whatever their container is, and finds a tensor that must be there.</summary>
internal static class Checkpoints
{
    /// <summary>Opens what lies at a path, and checks all of it but the values of the tensors.</summary>
    /// <param name="path">A folder with config.json and .safetensors files.</param>
    /// <exception cref="CheckpointException">It is no model, incomplete or damaged.</exception>
    public static ICheckpoint Open(string path) => SafetensorsFolder.Open(path);

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="CheckpointException">No file holds a tensor of this name.</exception>
    public static Tensor Get(this ICheckpoint checkpoint, string name) =>
        checkpoint.TryGet(name, out Tensor tensor) ? tensor : throw checkpoint.Missing(name);
}

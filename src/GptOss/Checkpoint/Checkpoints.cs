using GptOss.Checkpoint.Gguf;
using GptOss.Checkpoint.Safetensors;

namespace GptOss.Checkpoint;

/// <summary>
/// Opens the files of a model, whatever their container is, and finds a tensor that must be there.
/// </summary>
internal static class Checkpoints
{
    // A folder that is none of ours may hold millions of entries.
    private const int MostEntries = 2000;

    /// <summary>Opens what lies at a path, and checks all of it but the values of the tensors.</summary>
    /// <param name="path">
    /// A folder with config.json and .safetensors files; a GGUF file, whatever its name is; a folder with one such
    /// file, or with the files of one split set.
    /// </param>
    /// <param name="copies">Whether the files are not mapped, but read by <see cref="ICheckpoint.Fill"/>.</param>
    /// <exception cref="CheckpointException">It is no model, incomplete or damaged.</exception>
    public static ICheckpoint Open(string path, bool copies = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (File.Exists(path))
            return GgufFile.IsGguf(path) || path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)
                ? GgufCheckpoint.Open(path, copies)
                : throw FolderLook.NoFolder(path);
        return FilesInMemory.FolderExists(path) && OneGguf(HubCache.Resolve(path)) is { } file
            ? GgufCheckpoint.Open(file, copies)
            : SafetensorsFolder.Open(path, copies);
    }

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="CheckpointException">No file holds a tensor of this name.</exception>
    public static Tensor Get(this ICheckpoint checkpoint, string name) =>
        checkpoint.TryGet(name, out Tensor tensor) ? tensor : throw checkpoint.Missing(name);

    /// <summary>
    /// The GGUF model of a folder, by one of its files; null for a folder of safetensors, or without any model.
    /// </summary>
    private static string? OneGguf(string folder)
    {
        try
        {
            string[] names = [.. Directory.EnumerateFiles(folder).Take(MostEntries).Order(StringComparer.Ordinal)];
            bool isSafetensors =
                names.Any(name => Path.GetFileName(name) == "config.json")
                && names.Any(name => name.Contains(WeightFiles.Extension, StringComparison.OrdinalIgnoreCase));
            if (isSafetensors)
                return null;
            string[] models = [.. names.Where(GgufFile.IsGguf).DistinctBy(GgufCheckpoint.SetName)];
            return models.Length <= 1 ? models.FirstOrDefault() : throw FolderLook.Several(folder, models);
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            return null; // the other container says what is wrong with the folder
        }
    }
}

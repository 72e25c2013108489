using System.Diagnostics.CodeAnalysis;

namespace GptOss.Checkpoint;

/// <summary>A model folder: its configuration and, memory-mapped, every tensor of its .safetensors files.</summary>
/// <remarks>
/// The files are those of model.safetensors.index.json, else model.safetensors, else OpenAI's
/// model--NNNNN-of-NNNNN.safetensors. Opening reads headers only. What the tensors mean is not known here.
/// </remarks>
internal sealed class CheckpointFolder : IWeightStore, IDisposable
{
    private readonly SafetensorsFile[] _files;
    private readonly Dictionary<string, Tensor> _tensors;

    private CheckpointFolder(
        string path,
        ConfigJson config,
        ConfigJson? generationConfig,
        SafetensorsFile[] files,
        Dictionary<string, Tensor> tensors)
    {
        Path = path;
        Config = config;
        GenerationConfig = generationConfig;
        _files = files;
        _tensors = tensors;
        TotalBytes = files.Sum(file => file.Tensors.Sum(tensor => tensor.ByteLength));
    }

    /// <summary>The folder as it was given.</summary>
    public string Path { get; }

    /// <summary>config.json.</summary>
    public ConfigJson Config { get; }

    /// <summary>generation_config.json; null where the folder has none.</summary>
    public ConfigJson? GenerationConfig { get; }

    /// <summary>The weight files, ascending by name.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>All tensors, file by file, ascending by position.</summary>
    public IEnumerable<Tensor> Tensors => _files.SelectMany(file => file.Tensors);

    /// <summary>Bytes of all tensors, headers not counted.</summary>
    public long TotalBytes { get; }

    /// <summary>Through a mapping of its own, so that pages read only once do not stay in the process's memory.</summary>
    public unsafe ILastReading ReadLast(byte* data, long bytes)
    {
        foreach (SafetensorsFile file in _files)
            if (file.Holds(data)) return file.MapAgain(data, bytes);
        throw new ArgumentException("The bytes are of no file of this folder.", nameof(data));
    }

    /// <summary>Opens a folder and checks all of it but the values of the tensors.</summary>
    /// <exception cref="CheckpointException">The folder is missing, incomplete or damaged.</exception>
    public static CheckpointFolder Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var files = new List<SafetensorsFile>();
        try
        {
            if (!FilesInMemory.FolderExists(folder))
                throw new CheckpointException(
                    folder,
                    File.Exists(folder)
                        ? "is a file, but should be the folder of a model."
                        : "does not exist. It should be the folder of a model.");
            var config = ConfigJson.Load(System.IO.Path.Join(folder, "config.json"));
            string generation = System.IO.Path.Join(folder, "generation_config.json");
            ConfigJson? generationConfig = FilesInMemory.Exists(generation) ? ConfigJson.Load(generation) : null;

            (string[] names, Dictionary<string, string>? placement) = WeightFiles.Find(folder);
            foreach (string name in names)
                files.Add(SafetensorsFile.Open(System.IO.Path.Join(folder, name)));
            Dictionary<string, Tensor> tensors = Collect(files);
            if (placement is not null)
                CheckPlacement(folder, tensors, placement);
            return new CheckpointFolder(folder, config, generationConfig, [.. files], tensors);
        }
        catch (Exception e)
        {
            files.ForEach(file => file.Dispose());
            if (RegularFile.IsFileTrouble(e))
                throw RegularFile.Unreadable(folder, e);
            throw;
        }
    }

    public bool TryGet(string name, [MaybeNullWhen(false)] out Tensor tensor) => _tensors.TryGetValue(name, out tensor);

    /// <exception cref="CheckpointException">No file holds a tensor of this name.</exception>
    public Tensor Get(string name) => TryGet(name, out Tensor tensor)
        ? tensor
        : throw new CheckpointException(Path,
            $"is in none of the folder's {_files.Length} .safetensors files. Is the download complete?", name);

    /// <exception cref="CheckpointException">A weight file was changed while in use.</exception>
    public void ThrowIfChanged()
    {
        foreach (SafetensorsFile file in _files)
            file.ThrowIfChanged();
    }

    public void Dispose()
    {
        foreach (SafetensorsFile file in _files)
            file.Dispose();
    }

    private static Dictionary<string, Tensor> Collect(List<SafetensorsFile> files)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (Tensor tensor in files.SelectMany(file => file.Tensors))
        {
            if (!tensors.TryAdd(tensor.Name, tensor))
                throw new CheckpointException(tensor.File,
                    $"should be in one file, but is also in '{NameOf(tensors[tensor.Name])}'.", tensor.Name);
        }
        return tensors;
    }

    /// <summary>Index and files must agree; total_size may be wrong, since nothing depends on it.</summary>
    private static void CheckPlacement(
        string folder, Dictionary<string, Tensor> tensors, Dictionary<string, string> placement)
    {
        foreach ((string name, string file) in placement)
        {
            if (!tensors.TryGetValue(name, out Tensor tensor))
                throw new CheckpointException(System.IO.Path.Join(folder, file),
                    $"should be in this file by {WeightFiles.IndexName}, but is in none. Is the download complete?",
                    name);
            if (NameOf(tensor) != file)
                throw new CheckpointException(tensor.File,
                    $"should be in '{Printable.Name(file)}' by {WeightFiles.IndexName}, but is in this file.", name);
        }
        foreach (Tensor tensor in tensors.Values)
        {
            if (!placement.ContainsKey(tensor.Name))
                throw new CheckpointException(
                    tensor.File, $"should be listed in {WeightFiles.IndexName}, but is not.", tensor.Name);
        }
    }

    private static string NameOf(Tensor tensor) => System.IO.Path.GetFileName(tensor.File);
}

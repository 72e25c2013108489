using System.Diagnostics.CodeAnalysis;

namespace GptOss.Checkpoint.Safetensors;

/// <summary>A model folder: its configuration and, memory-mapped, every tensor of its .safetensors files.</summary>
/// <remarks>
/// The files are those of <see cref="WeightFiles.Find"/>. Opening reads headers only. A tensor is found by its name
/// without the prefix of a wrapper, if every name has that. What the tensors mean is not known here.
/// </remarks>
internal sealed class SafetensorsFolder : ICheckpoint
{
    private readonly SafetensorsFile[] _files;
    private readonly Dictionary<string, Tensor> _tensors;
    private readonly Dictionary<string, string>? _placement;

    private SafetensorsFolder(
        string path,
        JsonFields config,
        JsonFields? generationConfig,
        SafetensorsFile[] files,
        Dictionary<string, Tensor> tensors,
        Dictionary<string, string>? placement
    )
    {
        Path = path;
        _placement = placement;
        Config = config;
        GenerationConfig = generationConfig;
        _files = files;
        _tensors = tensors;
    }

    /// <summary>The folder as it was given; of a repository in a cache of Hugging Face the snapshot.</summary>
    public string Path { get; }

    /// <summary>The fields of config.json.</summary>
    public JsonFields Config { get; }

    /// <summary>The fields of generation_config.json; null where the folder has none.</summary>
    public JsonFields? GenerationConfig { get; }

    /// <summary>The weight files, ascending by name.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    IEnumerable<WeightFile> ICheckpoint.Files =>
        _files.Select(file => new WeightFile(System.IO.Path.GetFileName(file.Path), file.Length, file.Tensors.Count));

    /// <summary>All tensors, file by file, ascending by position.</summary>
    public IEnumerable<Tensor> Tensors => _files.SelectMany(file => file.Tensors);

    /// <summary>The names by which tensors are found: without the prefix of a wrapper.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>
    /// Opens weights to be read for the last time through a second mapping, so that their pages leave the process's
    /// memory when it is closed.
    /// </summary>
    // Bound: reads nothing; MappedFile.MapPart maps the bytes, and Holds has found their file.
    public unsafe ILastReading ReadLast(byte* data, long bytes)
    {
        foreach (SafetensorsFile file in _files)
            if (file.Holds(data))
                return file.MapAgain(data, bytes);
        throw new ArgumentException("The bytes are of no file of this folder.", nameof(data));
    }

    /// <summary>Opens a folder and checks all of it but the values of the tensors.</summary>
    /// <param name="folder">The folder, or a repository's folder in a cache of Hugging Face.</param>
    /// <param name="copies">Whether the files are not mapped, but read by <see cref="Fill"/>.</param>
    /// <exception cref="CheckpointException">The folder is missing, incomplete or damaged.</exception>
    public static SafetensorsFolder Open(string folder, bool copies = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var files = new List<SafetensorsFile>();
        try
        {
            if (!FilesInMemory.FolderExists(folder))
                throw FolderLook.NoFolder(folder);
            folder = HubCache.Resolve(folder);
            string configPath = System.IO.Path.Join(folder, "config.json");
            if (!FilesInMemory.Exists(configPath) && new FileInfo(configPath).LinkTarget is null)
                throw FolderLook.NoConfig(folder);
            var config = JsonFields.Load(configPath);
            string generation = System.IO.Path.Join(folder, "generation_config.json");
            JsonFields? generationConfig = FilesInMemory.Exists(generation) ? JsonFields.Load(generation) : null;

            (string[] names, Dictionary<string, string>? placement) = WeightFiles.Find(folder);
            if (names.Length == 0)
                throw FolderLook.NoWeights(folder);
            foreach (string name in names)
                files.Add(
                    SafetensorsFile.Open(
                        System.IO.Path.Join(folder, name),
                        placement is null ? "" : " Is the download complete?",
                        copies
                    )
                );
            return new SafetensorsFolder(folder, config, generationConfig, [.. files], Collect(files), placement);
        }
        catch (Exception e)
        {
            files.ForEach(file => file.Dispose());
            if (RegularFile.IsFileTrouble(e))
                throw RegularFile.Unreadable(folder, e);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Fill(CopyProgress progress)
    {
        foreach (SafetensorsFile file in _files)
            file.Fill(progress);
    }

    /// <summary>Finds a tensor by its name without a wrapper's prefix.</summary>
    /// <exception cref="CheckpointException">
    /// The tensor lies in another file than the index says, or the index leaves it out.
    /// </exception>
    public bool TryGet(string name, [MaybeNullWhen(false)] out Tensor tensor)
    {
        if (!_tensors.TryGetValue(name, out tensor))
            return false;
        if (_placement is null)
            return true;
        if (!_placement.TryGetValue(tensor.Name, out string? file))
            throw new CheckpointException(
                tensor.File,
                $"should be listed by {WeightFiles.IndexName}, but is in this file alone. The index is damaged, or of "
                    + "another download than the file: download both again.",
                tensor.Name
            );
        if (NameOf(tensor) != file)
            throw new CheckpointException(
                tensor.File,
                $"should be in '{Printable.Name(file)}' by {WeightFiles.IndexName}, but is in this file. "
                    + "Files of two downloads lie in the folder: keep those of one.",
                tensor.Name
            );
        return true;
    }

    /// <inheritdoc/>
    public bool HasShape(Tensor tensor, ReadOnlySpan<long> shape) => tensor.Shape.SequenceEqual(shape);

    /// <inheritdoc/>
    public CheckpointException Missing(string name) =>
        _placement?.GetValueOrDefault(name) is { } file
            ? new CheckpointException(
                System.IO.Path.Join(Path, file),
                $"should be in this file by {WeightFiles.IndexName}, but is in none. The file is of another download "
                    + "than the index: download both again.",
                name
            )
            : new CheckpointException(Path, MissingTensor.Why(name, Names, _files.Length), name);

    /// <inheritdoc/>
    public CheckpointException WrongConfig(string field, string expected, string found, string hint) =>
        Config.Wrong(field, expected, found, hint);

    /// <inheritdoc/>
    public string? Quantiser => MissingTensor.Quantiser(Names);

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
        string prefix = WrapperNames.CommonPrefix([
            .. files.SelectMany(file => file.Tensors).Select(tensor => tensor.Name),
        ]);
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (Tensor tensor in files.SelectMany(file => file.Tensors))
        {
            string name = WrapperNames.Unwrapped(tensor.Name[prefix.Length..]);
            if (!tensors.TryAdd(name, tensor))
                throw new CheckpointException(
                    tensor.File,
                    tensors[name].Name == tensor.Name
                        ? $"should be in one file, but is also in '{NameOf(tensors[name])}'."
                        : $"means the same as '{Printable.Name(tensors[name].Name)}': save the model again without "
                            + "the wrapper.",
                    tensor.Name
                );
        }
        return tensors;
    }

    private static string NameOf(Tensor tensor) => System.IO.Path.GetFileName(tensor.File);
}

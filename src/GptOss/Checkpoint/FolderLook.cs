// Over 300 lines: whatever a folder may be instead of a model is told in one place.
using System.Text.RegularExpressions;

namespace GptOss.Checkpoint;

/// <summary>
/// The one place that says what a folder is that is no model: it looks at the neighbours of what is missing.
/// </summary>
/// <remarks>
/// Every message says what is there and what to do. That a download is incomplete is never guessed here.
/// </remarks>
internal static partial class FolderLook
{
    private const string ConfigName = "config.json",
        AdapterConfig = "adapter_config.json";

    // A folder that is none of ours may hold millions of entries.
    private const int MostEntries = 2000;

    // A message stays one that is read.
    private const int MostNamed = 20;

    private static readonly string[] Archives = [".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".zst", ".bz2"];
    private static readonly string[] PyTorch = [".bin", ".pt", ".pth", ".ckpt", ".distcp"];

    /// <summary>The error for a folder without config.json.</summary>
    public static CheckpointException NoConfig(string folder)
    {
        List<string> names = Entries(folder);
        string config = Path.Join(folder, ConfigName);
        if (names.Contains(ConfigName)) // and yet it does not exist: the folder's names may be read, and its files not
            return RegularFile.Unreadable(config, new UnauthorizedAccessException());
        if (names.FirstOrDefault(name => OtherConfig().IsMatch(name)) is { } renamed)
            return new CheckpointException(
                config,
                $"does not exist, but '{Printable.Name(renamed)}' does: rename that to {ConfigName}."
            );
        if (Foreign(folder, names) is { } what)
            return new CheckpointException(folder, $"holds no {ConfigName}: {what}");
        if (names.Any(IsWeights))
            return new CheckpointException(
                config,
                "does not exist, though weights lie beside it: copy it from the repository or the model that they "
                    + "come from."
            );
        return new CheckpointException(
            folder,
            names.Count == 0
                ? "is empty. It should be the folder of a model, with config.json and the weights."
                : $"holds no {ConfigName}, but {Some(names)}. It should be the folder of a model, with config.json "
                    + "and the weights."
        );
    }

    /// <summary>The error for a place with several models in GGUF, of which one must be named.</summary>
    /// <param name="place">The folder, or that of the repository.</param>
    /// <param name="files">The first file of each, two at the least.</param>
    public static CheckpointException Several(string place, IReadOnlyList<string> files)
    {
        IEnumerable<string> names = files
            .Take(MostNamed)
            .Select(file => Path.GetRelativePath(place, file).Replace('\\', '/'));
        string more = files.Count > MostNamed ? ", …" : "";
        return new CheckpointException(
            place,
            $"holds {files.Count} GGUF models: {string.Join(", ", names.Select(name => $"'{Printable.Name(name)}'"))}"
                + $"{more}. Name one of them."
        );
    }

    /// <summary>The error for a folder with a config.json and without weights of a known name.</summary>
    public static CheckpointException NoWeights(string folder)
    {
        List<string> names = Entries(folder);
        const string Looked =
            "looked for model.safetensors.index.json, model.safetensors and a series such as model--00001-of-….";
        if (names.Where(name => OtherWeights().IsMatch(name)).ToArray() is { Length: > 0 } renamed)
            return new CheckpointException(
                folder,
                $"holds weights whose names do not end in {WeightFiles.Extension}, such as "
                    + $"'{Printable.Name(renamed[0])}': rename them, a single one to {WeightFiles.SingleName}."
            );
        if (
            !names.Contains(AdapterConfig)
            && names.Where(name => IsWeights(name) && !WeightFiles.IsAdapter(name)).ToArray() is { Length: > 0 } files
        )
            return new CheckpointException(
                folder,
                files.Length == 1
                    ? $"holds weights under a name that is not known, '{Printable.Name(files[0])}': rename it to "
                        + $"{WeightFiles.SingleName}."
                    : $"holds {files.Length} files of weights, such as '{Printable.Name(files[0])}', whose names are "
                        + $"no series: {WeightFiles.IndexName} belongs to them. Copy it from where they come from."
            );
        string hint = Foreign(folder, names)
            ?? (
                names.Count > 1
                    ? $"beside {ConfigName} there is {Some([.. names.Where(name => name != ConfigName)])}. Download "
                        + "the .safetensors files of the model."
                    : $"there is {ConfigName} alone. Download the .safetensors files of the model."
            );
        return new CheckpointException(folder, $"holds no weights: {Looked} {Capital(hint)}");
    }

    /// <summary>What is wrong with a path that is no folder.</summary>
    public static CheckpointException NoFolder(string path)
    {
        if (!File.Exists(path))
        {
            string name = path.Replace('\\', '/');
            return new CheckpointException(
                path,
                "does not exist. It should be the folder of a model."
                    + (
                        name.Split('/') is { Length: >= 2 } parts && parts[^2] == "openai"
                            ? " A name of Hugging Face is no path: download the repository and give its folder."
                            : ""
                    )
            );
        }
        string file = Path.GetFileName(path);
        return new CheckpointException(
            path,
            EndsWithAny(file, Archives)
                    ? "is an archive, but should be the folder of a model: unpack it and give the folder."
                : EndsWithAny(file, PyTorch)
                    ? "is a file of PyTorch, but should be the folder of a model with config.json and .safetensors "
                        + "files."
                : IsOfFolder(file) ? "is a file, but should be the folder of a model: give the folder that it lies in."
                : "is a file, but should be the folder of a model, or a GGUF file, which begins with 'GGUF'."
        );
    }

    /// <summary>Whether a file of this name is one of those of a model's folder.</summary>
    public static bool IsOfFolder(string file) => EndsWithAny(file, WeightFiles.Extension, ".json");

    /// <summary>What the folder is instead of a model, as sentences; null where nothing of it is known.</summary>
    private static string? Foreign(string folder, List<string> names)
    {
        if (names.Contains(AdapterConfig) || names.Any(name => IsWeights(name) && WeightFiles.IsAdapter(name)))
            return $"it is an adapter (LoRA) without its base{AdapterBase(folder)}. Give the base as the "
                + "model and this folder as its adapter (ModelOptions.Adapter, --adapter).";
        if (
            names.FirstOrDefault(name => EndsWithAny(name, ".incomplete", ".part", ".crdownload", ".aria2", ".tmp")) is
            { } partial
        )
            return $"'{Printable.Name(partial)}' is a download that did not end. Download it again.";
        if (names.Contains("original") && Entries(Path.Join(folder, "original")).Any(IsWeights))
            return "its subfolder 'original' holds weights: open that folder instead.";
        if (InSubfolders(folder, names) is { } inside)
            return inside;
        if (InCache(folder, names) is { } cache)
            return cache;
        if (names.FirstOrDefault(name => EndsWithAny(name, Archives)) is { } archive)
            return $"'{Printable.Name(archive)}' is an archive: unpack it and open the folder with the model.";
        if (names.FirstOrDefault(name => EndsWithAny(name, ".gguf")) is { } gguf)
            return $"'{Printable.Name(gguf)}' has the name of a GGUF file and not its beginning. Download it again.";
        if (names.FirstOrDefault(name => EndsWithAny(name, PyTorch)) is { } pickle)
            return Metal(Path.Join(folder, pickle))
                ?? $"'{Printable.Name(pickle)}' is a file of PyTorch, and this engine reads safetensors. "
                    + "Save the model with save_pretrained(safe_serialization=True), or download its .safetensors "
                    + "files.";
        if (names.FirstOrDefault(name => EndsWithAny(name, ".onnx", ".npz", ".h5", ".msgpack", ".tflite")) is { } other)
            return $"'{Printable.Name(other)}' is of another kind of software. Download the .safetensors files of the "
                + "model.";
        return null;
    }

    /// <summary>What subfolders hold, the second level looked at where the first says nothing.</summary>
    private static string? InSubfolders(string folder, List<string> names)
    {
        const int Most = 50;
        string[] nested =
        [
            .. names,
            .. names
                .Take(Most)
                .SelectMany(name => Entries(Path.Join(folder, name)).Take(Most).Select(inner => $"{name}/{inner}")),
        ];
        if (
            nested
                .Where(name =>
                    !name.StartsWith(HubCache.RepositoryStart, StringComparison.Ordinal)
                    && File.Exists(Path.Join(folder, name, ConfigName))
                )
                .Take(Most)
                .ToArray() is
            { Length: > 0 } models
        )
            return $"its subfolder '{Printable.Name(models[^1])}' holds a model: open that folder instead.";
        if (names.LastOrDefault(name => File.Exists(Path.Join(folder, name, AdapterConfig))) is { } adapter)
            return $"its subfolder '{Printable.Name(adapter)}' holds an adapter (LoRA). Give its base as the "
                + "model and that folder as its adapter (ModelOptions.Adapter, --adapter).";
        return names
            .Select(name => Metal(Path.Join(folder, name, "model.bin")))
            .FirstOrDefault(found => found is not null);
    }

    /// <summary>Says which folder of a cache of Hugging Face to open, where the given one is another.</summary>
    private static string? InCache(string folder, List<string> names)
    {
        if (names.FirstOrDefault(IsRepository) is { } repository)
            return $"it is a cache of Hugging Face: open a repository in it, such as '{Printable.Name(repository)}'.";
        foreach (string name in names.Where(name => name == "hub"))
            if (Entries(Path.Join(folder, name)).FirstOrDefault(IsRepository) is { } inner)
                return "it is the home of Hugging Face's tools: open a repository in its cache, such as "
                    + $"'{name}/{Printable.Name(inner)}'.";
        string own = Path.TrimEndingDirectorySeparator(folder);
        if (IsRepository(Path.GetFileName(own)))
            return "it is a repository in the cache of Hugging Face without any snapshot. Download it again.";
        if (
            Path.GetFileName(own) is "blobs" or "refs"
            && Path.GetDirectoryName(own) is { } parent
            && IsRepository(Path.GetFileName(parent))
        )
            return "it is a part of a repository in the cache of Hugging Face: open "
                + $"'{Printable.Name(Path.GetFileName(parent))}', the folder above it.";
        return null;
    }

    private static bool IsRepository(string name) =>
        name.StartsWith(HubCache.RepositoryStart, StringComparison.Ordinal);

    /// <summary>Whether a file with a name of PyTorch is a model for Metal, which its first bytes tell.</summary>
    private static string? Metal(string path)
    {
        try
        {
            using var file = RegularFile.Open(path, minimumBytes: FileLook.Bytes);
            byte[] start = new byte[FileLook.Bytes];
            RegularFile.Fill(file, start, path);
            return FileLook.IsMetal(start)
                ? $"'{Printable.Name(Path.GetFileName(path))}' {FileLook.Describe(start)}"
                : null;
        }
        catch (Exception e) when (e is CheckpointException || RegularFile.IsFileTrouble(e))
        {
            return null;
        }
    }

    private static string AdapterBase(string folder)
    {
        try
        {
            string? name = JsonFields.Load(Path.Join(folder, AdapterConfig)).OptionalText("base_model_name_or_path");
            return name is null ? "" : $", {Printable.Name(name)}";
        }
        catch (CheckpointException)
        {
            return ""; // what the adapter's configuration is does not matter where there is no model
        }
    }

    private static bool IsWeights(string name) => name.EndsWith(WeightFiles.Extension, StringComparison.Ordinal);

    private static bool EndsWithAny(string name, params ReadOnlySpan<string> ends)
    {
        foreach (string end in ends)
            if (name.EndsWith(end, StringComparison.OrdinalIgnoreCase))
                return true;
        return false;
    }

    // What browsers and editors make of the name: "config (1).json", "config.json.txt", "Config.json".
    [GeneratedRegex(
        @"^config( ?\([0-9]+\)|[ _-]?copy)?\.json(\.txt)?$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase
    )]
    private static partial Regex OtherConfig();

    [GeneratedRegex(@"\.safetensors\.txt$|\.(?!safetensors$)(?i:safetensors)$", RegexOptions.CultureInvariant)]
    private static partial Regex OtherWeights();

    private static string Some(List<string> names) =>
        names.Count == 1
            ? $"'{Printable.Name(names[0])}' alone"
            : $"'{Printable.Name(names[0])}' and {names.Count - 1} more";

    private static string Capital(string sentence) => char.ToUpperInvariant(sentence[0]) + sentence[1..];

    private static List<string> Entries(string folder)
    {
        try
        {
            List<string> names =
            [
                .. Directory
                    .EnumerateFileSystemEntries(folder)
                    .Take(MostEntries)
                    .Select(path => Path.GetFileName(path)),
            ];
            names.Sort(StringComparer.Ordinal);
            return names;
        }
        catch (UnauthorizedAccessException e)
        {
            throw RegularFile.Unreadable(folder, e);
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            return [];
        }
    }
}

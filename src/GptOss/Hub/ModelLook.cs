using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;
using Microsoft.Win32.SafeHandles;

namespace GptOss.Hub;

/// <summary>What lies at a path: a model of this architecture, and which files it has.</summary>
/// <param name="Path">What can be loaded: a folder, or a GGUF file.</param>
/// <param name="Format">What the weights are stored in.</param>
/// <param name="Bytes">Bytes of the files with the weights.</param>
internal sealed record ModelLook(string Path, ModelFormat Format, long Bytes)
{
    private const string ConfigName = "config.json";

    /// <summary>Looks at a file or a folder.</summary>
    /// <exception cref="CheckpointException">It is no model of this architecture; the message says what it
    /// is.</exception>
    public static ModelLook At(string path) =>
        FilesInMemory.FolderExists(path) ? AtFolder(HubCache.Resolve(path)) : AtFile(path);

    /// <summary>Looks at a folder: that of a model in safetensors, or one with a single GGUF or split set.</summary>
    public static ModelLook AtFolder(string folder)
    {
        string config = System.IO.Path.Join(folder, ConfigName);
        bool hasConfig = FilesInMemory.Exists(config);
        // Repositories of GGUF files have a config.json, too.
        List<GgufSet> sets = hasConfig && HasWeights(folder) ? [] : GgufSet.In(folder, isNested: false);
        return sets switch
        {
            [var one] => Gguf(one.Path),
            [] => hasConfig ? Safetensors(folder, config) : throw FolderLook.NoConfig(folder),
            _ => throw FolderLook.Several(folder, [.. sets.Select(set => set.Path)]),
        };
    }

    /// <summary>Whether a folder holds weights in safetensors, or an index of such.</summary>
    public static bool HasWeights(string folder) =>
        File.Exists(System.IO.Path.Join(folder, WeightFiles.IndexName))
        || GgufSet
            .FilesIn(folder, isNested: false)
            .Any(path => path.EndsWith(WeightFiles.Extension, StringComparison.Ordinal));

    /// <summary>Looks at a GGUF file, which may be any of a split set and have any name.</summary>
    public static ModelLook AtFile(string path)
    {
        if (!File.Exists(path))
            throw FolderLook.NoFolder(path);
        if (IsPartial(path))
            throw Partial(path);
        return GgufPeek.Read(path) is not null ? Gguf(path) : throw NoGguf(path);
    }

    private static ModelLook Safetensors(string folder, string config)
    {
        var json = JsonFields.Load(config);
        if (json.OptionalText("model_type") is { } type && type != "gpt_oss")
            throw json.Wrong(
                "model_type",
                "'gpt_oss'",
                JsonFields.Quoted(type),
                "This engine runs no other architecture."
            );
        (string[] names, _) = WeightFiles.Find(folder);
        if (names.Length == 0)
            throw FolderLook.NoWeights(folder);
        string[] paths = [.. names.Select(name => System.IO.Path.Join(folder, name))];
        int missing = Array.FindIndex(paths, path => !FilesInMemory.Exists(path) || !FilesInMemory.Exists(Real(path)));
        return missing < 0
            ? new ModelLook(folder, ModelFormat.Safetensors, paths.Sum(Sizes.OfFile))
            : throw new CheckpointException(
                folder,
                $"is not complete: '{Printable.Name(names[missing])}' is missing, one of {names.Length} files with "
                    + $"weights.{PullLine(folder)}"
            );
    }

    private static string Real(string path) => FilesInMemory.Opened(path) ?? RegularFile.RealPath(path);

    private static string PullLine(string folder) =>
        HubCache.Repository(folder) is { } repository ? $" Run 'gptoss pull {repository}'." : "";

    private static ModelLook Gguf(string path)
    {
        GgufSet set = GgufSet.Of(path);
        if (GgufPeek.Read(set.Path) is not { } peek)
            throw NoGguf(set.Path);
        if (peek.IsGptOss)
            return new ModelLook(set.Path, ModelFormat.Gguf, set.Bytes);
        if (peek.Architecture is null)
            GgufCheckpoint.Open(set.Path).Dispose(); // tells a damaged head, or a part of a set under another name
        throw new CheckpointException(
            path,
            peek.Architecture is null
                    ? $"is a GGUF file whose '{GgufKeys.Architecture}' is missing or no text, but should be 'gpt-oss'."
                : peek.Type != "model"
                    ? $"is a GGUF file of the type '{Printable.Name(peek.Type)}', but should be a model."
                : $"is a GGUF file of the architecture '{Printable.Name(peek.Architecture)}', but should be of "
                    + "'gpt-oss'. This engine runs no other architecture."
        );
    }

    private static bool IsPartial(string path) =>
        path.EndsWith(".incomplete", StringComparison.Ordinal) || path.EndsWith("-partial", StringComparison.Ordinal);

    private static CheckpointException Partial(string path) =>
        new(
            path,
            HubLayout.PlanOf(path) is var (plan, file)
                ? $"is not complete: {Sizes.Part(Sizes.OfFile(path), file.Bytes)}. Run '{plan.Command}' to go on."
                : "is not complete: it is the beginning of a file whose download did not end. Run 'gptoss pull' again."
        );

    private static CheckpointException NoGguf(string path)
    {
        using SafeFileHandle handle = RegularFile.Open(path, minimumBytes: 1);
        byte[] start = new byte[Math.Min(RandomAccess.GetLength(handle), FileLook.Bytes)];
        RegularFile.Fill(handle, start, path);
        // The text of a config.json is no error of a server.
        bool isOfFolder = FolderLook.IsOfFolder(System.IO.Path.GetFileName(path));
        return (isOfFolder ? FileLook.Describe(start) : FileLook.DescribeBinary(start)) is { } what
            ? new CheckpointException(path, what)
            : FolderLook.NoFolder(path);
    }
}

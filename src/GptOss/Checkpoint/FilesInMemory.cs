namespace GptOss.Checkpoint;

/// <summary>Files that a part of this process keeps in memory, where no file system takes them.</summary>
/// <remarks>
/// Whoever has such files sets the process's data <see cref="Table"/> to a dictionary: the path that they shall have,
/// to the path that opens them, as /proc/self/fd/7. GptOss.TinyModel does so on machines where everything is read-only.
/// The library knows the name of the table and nobody who fills it.
/// </remarks>
internal static class FilesInMemory
{
    public const string Table = "GptOss.FilesInMemory";

    /// <summary>The path that opens the file; null where the file is not in memory.</summary>
    public static string? Opened(string path) =>
        AppContext.GetData(Table) is IReadOnlyDictionary<string, string> table
        && table.TryGetValue(path, out string? opened)
            ? opened
            : null;

    /// <summary>Whether there is such a file, in memory or on disk.</summary>
    public static bool Exists(string path) => Opened(path) is not null || Path.Exists(path);

    /// <summary>Whether there is such a folder, in memory or on disk.</summary>
    public static bool FolderExists(string folder) =>
        Opened(Path.Join(folder, "config.json")) is not null || Directory.Exists(folder);
}

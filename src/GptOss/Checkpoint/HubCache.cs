using System.Text;
using Microsoft.Win32.SafeHandles;

namespace GptOss.Checkpoint;

/// <summary>
/// The cache of Hugging Face's tools: <c>models--OWNER--NAME/refs/main</c> holds a commit, whose files are in
/// <c>snapshots/COMMIT</c>.
/// </summary>
/// <remarks>Source: huggingface_hub, file_download.py (repo_folder_name) and _snapshot_download.py.</remarks>
internal static class HubCache
{
    public const string RepositoryStart = "models--";

    private const string Separator = "--",
        SnapshotsName = "snapshots";

    /// <summary>
    /// The repository, such as <c>openai/gpt-oss-20b</c>, whose snapshot or cache folder this path is or lies in; else
    /// null.
    /// </summary>
    public static string? Repository(string path)
    {
        string[] parts = Path.TrimEndingDirectorySeparator(path)
            .Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar);
        int at = Array.FindLastIndex(parts, part => part.StartsWith(RepositoryStart, StringComparison.Ordinal));
        bool inside = at >= 0 && (at == parts.Length - 1 || parts[at + 1] == SnapshotsName);
        if (!inside)
            return null;
        string name = parts[at][RepositoryStart.Length..];
        int border = name.IndexOf(Separator, StringComparison.Ordinal);
        return name.Length == 0 ? null
            : border <= 0 ? name
            : $"{name[..border]}/{name[(border + Separator.Length)..]}";
    }

    /// <summary>
    /// The folder with the files: of a repository's folder the snapshot that its ref names, of any other folder itself.
    /// </summary>
    /// <exception cref="CheckpointException">The repository's folder has no snapshot, or several and no
    /// ref.</exception>
    public static string Resolve(string folder)
    {
        string trimmed = Path.TrimEndingDirectorySeparator(folder);
        if (Path.GetFileName(trimmed) == SnapshotsName && Path.GetDirectoryName(trimmed) is { } parent)
            trimmed = parent;
        string snapshots = Path.Join(trimmed, SnapshotsName);
        if (
            !Path.GetFileName(trimmed).StartsWith(RepositoryStart, StringComparison.Ordinal)
            || !Directory.Exists(snapshots)
        )
            return folder;

        string main = Path.Join(trimmed, "refs", "main");
        if (Path.Exists(main))
        {
            string commit = ReadRef(main);
            string snapshot = Path.Join(snapshots, commit);
            return Directory.Exists(snapshot)
                ? snapshot
                : throw new CheckpointException(
                    trimmed,
                    $"its refs/main names the snapshot '{commit}', which is not in its folder 'snapshots'. Download "
                        + "the repository again."
                );
        }
        string[] all = [.. Directory.GetDirectories(snapshots).Order(StringComparer.Ordinal)];
        return all.Length switch
        {
            1 => all[0],
            0 => throw new CheckpointException(
                trimmed,
                "is a repository in the cache of Hugging Face without any snapshot. Download it again."
            ),
            _ => throw new CheckpointException(
                trimmed,
                $"is a repository in the cache of Hugging Face with {all.Length} snapshots and no refs/main that "
                    + $"chooses: open one of them, such as '{Printable.Name(Path.GetFileName(all[0]))}' in its folder "
                    + "'snapshots'."
            ),
        };
    }

    private static string ReadRef(string path)
    {
        const int Longest = 255;
        using SafeFileHandle handle = RegularFile.Open(path, minimumBytes: 1);
        long length = RandomAccess.GetLength(handle);
        byte[] content = new byte[Math.Min(length, Longest + 1)];
        RegularFile.Fill(handle, content, path);
        string commit = Encoding.UTF8.GetString(content).Trim();
        return WeightFiles.IsPlainName(commit)
            ? commit
            : throw new CheckpointException(
                path,
                $"should hold the name of a snapshot but holds '{Printable.Name(commit)}'."
            );
    }
}

using System.Formats.Tar;
using System.IO.MemoryMappedFiles;

namespace GptOss;

/// <summary>Somewhere the model's files may lie.</summary>
internal abstract class PlaceForFiles
{
    /// <summary>Makes sure that the files are there and whole; returns their folder.</summary>
    /// <param name="folder">Where below the place, of two names.</param>
    /// <param name="files">The files' names and contents.</param>
    /// <exception cref="IOException">The place takes nothing.</exception>
    /// <exception cref="UnauthorizedAccessException">The place takes nothing from this user.</exception>
    public abstract string Put(string folder, IReadOnlyList<(string Name, byte[] Content)> files);
}

/// <summary>Below a folder of the user's own.</summary>
/// <param name="root">Made where it is missing.</param>
internal class OwnPlace(string? root) : PlaceForFiles
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public override string Put(string folder, IReadOnlyList<(string Name, byte[] Content)> files)
    {
        string path = Path.Join(Root(), folder);
        CreatePrivate(path);
        foreach ((string name, byte[] content) in files)
            PutFile(Path.Join(path, name), content);
        return path;
    }

    /// <summary>The folder that everything is below; it may be missing.</summary>
    protected virtual string Root() => root!;

    protected static void CreatePrivate(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, Private);
    }

    /// <summary>Makes sure that the file has the content.</summary>
    /// <remarks>
    /// The content arrives under another name and is then moved into place, so that nobody ever sees half a file. Two
    /// processes that do this at once replace one good file by another; where the system forbids it because the file is
    /// in use, the other process has been here first.
    /// </remarks>
    private static void PutFile(string path, byte[] content)
    {
        if (Holds(path, content))
            return;
        string arriving = $"{path}.{Guid.NewGuid():N}";
        try
        {
            File.WriteAllBytes(arriving, content);
            File.Move(arriving, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(arriving);
            if (!Holds(path, content))
                throw;
        }
    }

    private static bool Holds(string path, ReadOnlySpan<byte> content)
    {
        var file = new FileInfo(path);
        return file.Exists && file.Length == content.Length && File.ReadAllBytes(path).AsSpan().SequenceEqual(content);
    }
}

/// <summary>Below a folder that all users of a machine may write to, such as the one for temporary files.</summary>
/// <remarks>
/// Whoever comes first could make our folder there and exchange the files later. So it bears the number of the user,
/// which nameless ones have too, must belong to that user, and lets nobody else in.
/// </remarks>
internal sealed class SharedPlace(string shared) : OwnPlace(root: null)
{
    protected override string Root()
    {
        if (OperatingSystem.IsWindows()) // where the folder for temporary files is the user's own
            return Path.Join(shared, "GptOss");
        string probe = Path.Join(shared, $"GptOss-{Guid.NewGuid():N}");
        CreatePrivate(probe);
        int user;
        try
        {
            user = Owner(probe);
        }
        finally
        {
            Directory.Delete(probe);
        }
        string root = Path.Join(shared, $"GptOss-{user}");
        CreatePrivate(root);
        if (Owner(root) != user || new DirectoryInfo(root).LinkTarget is not null)
            throw new IOException($"The folder '{root}' was made by another user, or is a link.");
        File.SetUnixFileMode(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return root;
    }

    /// <summary>The number of the user whose folder it is; of a link, not of what it leads to.</summary>
    /// <remarks>The base library tells a file's owner in this way only: as an entry of an archive.</remarks>
    private static int Owner(string folder)
    {
        using var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
            writer.WriteEntry(folder, "folder");
        archive.Position = 0;
        using var reader = new TarReader(archive);
        return reader.GetNextEntry()!.Uid;
    }
}

/// <summary>Files without a file system, on Linux: memory that the process can open by its number.</summary>
/// <remarks>
/// GptOss looks into this table, which it knows by its name alone, before it looks for a file: path to the path that
/// can be opened. The model must be loaded by the process that asked for the folder.
/// </remarks>
internal sealed class MemoryPlace : PlaceForFiles
{
    private const string Table = "GptOss.FilesInMemory";

    // Closed memory would be gone.
    private static readonly List<MemoryMappedFile> Kept = [];

    public static bool Holds(string folder) =>
        AppContext.GetData(Table) is IReadOnlyDictionary<string, string> table
        && table.Keys.Any(path => Path.GetDirectoryName(path) == folder);

    public override string Put(string folder, IReadOnlyList<(string Name, byte[] Content)> files)
    {
        string path = Path.Join("/memory-of-this-process", folder);
        var table = new Dictionary<string, string>(
            AppContext.GetData(Table) as IReadOnlyDictionary<string, string> ?? new Dictionary<string, string>()
        );
        foreach ((string name, byte[] content) in files)
        {
            var memory = MemoryMappedFile.CreateNew(null, content.Length);
            Kept.Add(memory);
            using (MemoryMappedViewStream stream = memory.CreateViewStream())
                stream.Write(content);
            string opened = $"/proc/self/fd/{memory.SafeMemoryMappedFileHandle.DangerousGetHandle()}";
            if (!File.Exists(opened))
                throw new IOException(
                    $"The system gives no memory that can be opened as a file: '{opened}' does not exist."
                );
            table[Path.Join(path, name)] = opened;
        }
        AppContext.SetData(Table, table);
        return path;
    }
}

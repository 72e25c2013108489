namespace GptOss.Checkpoint;

/// <summary>
/// Writes a file beside its place and renames it when it is complete, so that the place holds the old file or the new
/// one, whenever the process ends.
/// </summary>
/// <remarks>
/// The file beside is <c>NAME.tmp-RANDOM</c>, where RANDOM is a name of <see cref="Path.GetRandomFileName"/>. One that
/// a process left when it was ended is deleted by the next write of the same name. The write of another process is
/// known by its lock and left alone. A new file is its owner's alone; one that replaces another has the rights of that
/// one.
/// </remarks>
internal static class AtomicFile
{
    private const string Mark = ".tmp-";

    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly int RandomLength = Path.GetRandomFileName().Length;

    /// <summary>Where a path leads through symbolic links, if a file may be written there.</summary>
    /// <exception cref="IOException">Something else than a file with content is there, or there is no
    /// folder.</exception>
    public static string Target(string path)
    {
        string target = RegularFile.RealPath(path);
        if (Directory.Exists(target))
            throw new IOException($"{Printable.Path(path)} is a folder, but should be a file.");
        // FIFOs, sockets and devices report 0 bytes, and a rename would put a file in their place.
        if (File.Exists(target) && new FileInfo(target).Length == 0)
            throw new IOException($"{Printable.Path(path)} is empty or not a regular file. Delete it first.");
        string folder = Path.GetDirectoryName(target) ?? "";
        return Directory.Exists(folder)
            ? target
            : throw new DirectoryNotFoundException($"{Printable.Path(path)} lies in a folder that does not exist.");
    }

    /// <summary>Writes the file that <see cref="Target"/> gave.</summary>
    /// <param name="target">The file, whose folder exists.</param>
    /// <param name="write">Writes all of the content.</param>
    public static async Task WriteAsync(string target, Func<Stream, Task> write)
    {
        DeleteStale(target);
        string beside = target + Mark + Path.GetRandomFileName();
        try
        {
            FileStream stream = new(beside, NewFile());
            await using (stream.ConfigureAwait(false))
            {
                await write(stream).ConfigureAwait(false);
                if (!OperatingSystem.IsWindows() && File.Exists(target))
                    File.SetUnixFileMode(stream.SafeFileHandle, File.GetUnixFileMode(target));
                stream.Flush(flushToDisk: true);
                File.Move(beside, target, overwrite: true);
            }
        }
        catch
        {
            TryDelete(beside);
            throw;
        }
    }

    // Shared for deletion only: that locks the file, and lets it be renamed while it is open.
    private static FileStreamOptions NewFile()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.Delete,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = Owner;
        return options;
    }

    private static void DeleteStale(string target)
    {
        string name = Path.GetFileName(target) + Mark;
        foreach (string path in Directory.EnumerateFiles(Path.GetDirectoryName(target)!))
            if (Path.GetFileName(path) is var found && IsBeside(found, name))
                TryDelete(path);
    }

    // 8 characters, a dot and 3: somebody's own NAME.tmp-backup is none.
    private static bool IsBeside(string found, string name) =>
        found.StartsWith(name, StringComparison.Ordinal)
        && found.Length == name.Length + RandomLength
        && found[name.Length + 8] == '.';

    // Opened for itself alone first, which fails while another writer has the file open.
    private static void TryDelete(string path)
    {
        try
        {
            using (new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0))
                File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another writer has it, or it is gone. A file that stays is deleted by a later write.
        }
    }
}

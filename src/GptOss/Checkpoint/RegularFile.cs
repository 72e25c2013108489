using Microsoft.Win32.SafeHandles;

namespace GptOss.Checkpoint;

/// <summary>
/// Opens regular files only: never a folder, FIFO, socket or device, also not through a symbolic link.
/// </summary>
internal static class RegularFile
{
    // Linux follows at most 40 links in one path.
    private const int MaxLinks = 40;

    /// <summary>
    /// Opens a file for reading after its symbolic links are resolved and the result is known to be a file with
    /// content.
    /// </summary>
    /// <param name="path">The file, named so in messages; it may be a symbolic link.</param>
    /// <param name="minimumBytes">
    /// At least 1: FIFOs, sockets and devices report 0 bytes, and opening a FIFO would wait for ever.
    /// </param>
    /// <param name="missing">What a message says behind "does not exist.", where the caller knows why that is.</param>
    /// <param name="advice">What a message says behind other faults.</param>
    /// <exception cref="CheckpointException">The file is missing, too short, not regular, or not readable.</exception>
    public static SafeFileHandle Open(
        string path,
        long minimumBytes,
        string missing = "",
        string advice = " Download it again."
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minimumBytes, 1);
        try
        {
            string real = FilesInMemory.Opened(path) ?? RealPath(path);
            if (Directory.Exists(real))
                throw new CheckpointException(path, "is a folder, but should be a file.");
            var file = new FileInfo(real);
            if (!file.Exists)
                throw new CheckpointException(
                    path,
                    Path.Exists(path)
                        ? $"is a link to '{Printable.Target(real)}', which does not "
                            + $"exist.{(missing.Length > 0 ? missing : advice)}"
                        : $"does not exist.{missing}"
                );
            if (file.Length < minimumBytes)
                throw new CheckpointException(
                    path,
                    $"has {file.Length} {(file.Length == 1 ? "byte" : "bytes")}, but should have at least "
                        + $"{minimumBytes}: "
                        + $"it is empty, cut off, or not a regular file.{advice}"
                );
            return File.OpenHandle(real, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        }
        catch (Exception e) when (IsFileTrouble(e))
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>The whole content of a small file that should hold a JSON object.</summary>
    /// <exception cref="CheckpointException">The file is missing, too short or too long, not regular, or not
    /// readable.</exception>
    public static byte[] ReadAll(string path, int maximumBytes)
    {
        byte[] content = ReadBytes(path, maximumBytes, minimumBytes: 2); // {} is the shortest JSON object
        return FileLook.DescribeJson(content) is { } found ? throw new CheckpointException(path, found) : content;
    }

    /// <summary>The whole content of a small file, whatever it holds.</summary>
    /// <exception cref="CheckpointException">The file is missing, too short or too long, not regular, or not
    /// readable.</exception>
    public static byte[] ReadBytes(string path, int maximumBytes, int minimumBytes = 1)
    {
        using SafeFileHandle handle = Open(path, minimumBytes);
        try
        {
            long length = RandomAccess.GetLength(handle);
            if (length > maximumBytes)
                throw new CheckpointException(path, $"has {length} bytes, but should have at most {maximumBytes}.");
            byte[] content = new byte[length];
            Fill(handle, content, path);
            return content;
        }
        catch (Exception e) when (IsFileTrouble(e))
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>Reads from a position of the file on, its beginning as a rule, until the buffer is full.</summary>
    public static void Fill(SafeFileHandle handle, Span<byte> buffer, string path, long position = 0)
    {
        for (int filled = 0; filled < buffer.Length; )
        {
            int read = RandomAccess.Read(handle, buffer[filled..], position + filled);
            if (read == 0)
                throw new CheckpointException(
                    path,
                    $"ended after {filled} of {buffer.Length} bytes: it was changed while being read."
                );
            filled += read;
        }
    }

    /// <summary>What the file system may throw for a path that is merely wrong.</summary>
    public static bool IsFileTrouble(Exception e) =>
        e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;

    /// <summary>The error for a file that the system does not let us read.</summary>
    public static CheckpointException Unreadable(string path, Exception e)
    {
        string cause = e is UnauthorizedAccessException ? "access is denied." : e.Message;
        return new CheckpointException(path, $"cannot be read: {cause}", inner: e);
    }

    /// <summary>
    /// The path without symbolic links, resolved component by component as the operating system does.
    /// </summary>
    /// <remarks>
    /// FileInfo.ResolveLinkTarget takes a relative target from the folder's name, not from where the folder is; behind
    /// a link to a folder it finds another file. The Hugging Face cache is made of relative links, and people link to
    /// its folders.
    /// </remarks>
    public static string RealPath(string path)
    {
        string full = Path.GetFullPath(path);
        if (OperatingSystem.IsWindows())
            return new FileInfo(full).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? full;

        var pending = new Stack<string>(full.Split('/').Reverse());
        string real = "/";
        int links = 0;
        while (pending.TryPop(out string? part))
        {
            if (part is "" or ".")
                continue;
            string next = part == ".." ? Path.GetDirectoryName(real) ?? "/" : Path.Join(real, part);
            string? target = part == ".." ? null : new FileInfo(next).LinkTarget;
            if (target is null)
            {
                real = next;
                continue;
            }
            if (++links > MaxLinks)
                throw new IOException("its symbolic links form a circle.");
            if (target.StartsWith('/'))
                real = "/";
            foreach (string component in target.Split('/').Reverse())
                pending.Push(component);
        }
        return real;
    }
}

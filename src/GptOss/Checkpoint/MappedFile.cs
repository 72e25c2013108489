using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace GptOss.Checkpoint;

/// <summary>A regular file mapped into memory, read-only. Opening touches no page of it.</summary>
/// <remarks>
/// A file that is cut while it is mapped ends the process at the next read of the lost pages, and no catch helps;
/// <see cref="ThrowIfChanged"/> at the start of every request finds all cuts but those during it. Deleting the file or
/// replacing it by renaming is harmless: the mapping keeps the old content.
/// </remarks>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly DateTime _lastWriteUtc;
    private readonly MemoryMappedFile _map;
    private readonly MappedPart _whole;
    private bool _closed;

    private MappedFile(string path, SafeFileHandle handle)
    {
        Path = path;
        _handle = handle;
        Length = RandomAccess.GetLength(handle);
        _lastWriteUtc = File.GetLastWriteTimeUtc(handle);
        _map = MemoryMappedFile.CreateFromFile(
            handle, mapName: null, Length, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            _whole = new MappedPart(_map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read));
        }
        catch
        {
            _map.Dispose();
            throw;
        }
    }

    /// <summary>The name under which the file was opened, before links were followed.</summary>
    public string Path { get; }

    /// <summary>Bytes of the file when it was opened.</summary>
    public long Length { get; }

    /// <summary>The first byte; valid for <see cref="Length"/> bytes until <see cref="Dispose"/>.</summary>
    public byte* Data => _whole.Data;

    /// <summary>Maps a file of at least <paramref name="minimumBytes"/> bytes.</summary>
    /// <exception cref="CheckpointException">The file is missing, too short, not regular or not readable.</exception>
    public static MappedFile Open(string path, long minimumBytes)
    {
        SafeFileHandle handle = RegularFile.Open(path, minimumBytes);
        try
        {
            return new MappedFile(path, handle);
        }
        catch (Exception e)
        {
            handle.Dispose();
            // OutOfMemoryException is how a refused mapping of a large file is reported.
            if (RegularFile.IsFileTrouble(e) || e is OutOfMemoryException)
                throw RegularFile.Unreadable(path, e);
            throw;
        }
    }

    /// <summary>
    /// Copies the first bytes of the file by reading, not through the mapping, so that a cut file is an error and no
    /// crash.
    /// </summary>
    public void ReadStart(Span<byte> buffer)
    {
        try
        {
            RegularFile.Fill(_handle, buffer, Path);
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            throw RegularFile.Unreadable(Path, e);
        }
    }

    /// <summary>Compares length and time of the last write with those at the opening.</summary>
    /// <exception cref="CheckpointException">The file was changed while in use.</exception>
    public void ThrowIfChanged()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        try
        {
            long length = RandomAccess.GetLength(_handle);
            if (length != Length)
                throw new CheckpointException(
                    Path, $"was changed while in use: it had {Length} bytes and now has {length}.");
            DateTime lastWriteUtc = File.GetLastWriteTimeUtc(_handle);
            if (lastWriteUtc != _lastWriteUtc)
                throw new CheckpointException(Path,
                    $"was changed while in use: last written {lastWriteUtc:u}, but {_lastWriteUtc:u} when opened.");
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            throw RegularFile.Unreadable(Path, e);
        }
    }

    /// <summary>Maps a part once more, at another address.</summary>
    /// <exception cref="CheckpointException">The system refuses the mapping.</exception>
    public MappedPart MapPart(long offset, long bytes)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        try
        {
            return new MappedPart(_map.CreateViewAccessor(offset, bytes, MemoryMappedFileAccess.Read));
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e) || e is OutOfMemoryException)
        {
            throw RegularFile.Unreadable(Path, e);
        }
    }

    public void Dispose()
    {
        if (_closed) return;
        _closed = true;
        _whole.Dispose();
        _map.Dispose();
        _handle.Dispose();
    }
}

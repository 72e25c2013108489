using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace GptOss.Checkpoint;

/// <summary>How the bytes of a file come into memory, the best way first.</summary>
internal enum MappingWay
{
    /// <summary>Mapped shared: processes that use the file share its pages.</summary>
    Shared,

    /// <summary>
    /// Mapped private, for file systems that refuse shared mappings (some network and user-space ones, with ENODEV).
    /// </summary>
    Private,

    /// <summary>Read into memory, for file systems that refuse every mapping, or where it is asked for.</summary>
    Memory,
}

/// <summary>
/// A regular file mapped into memory, read-only, or copied there. Opening touches no page of it.
/// </summary>
/// <remarks>
/// A file that is cut while it is mapped ends the process at the next read of the lost pages, and no catch helps;
/// <see cref="ThrowIfChanged"/> at the start of every request finds all cuts but those during it. Deleting the file or
/// replacing it by renaming is harmless: the mapping keeps the old content. Where the file system cannot map, the
/// content is read into memory. A copy that was asked for is never mapped, so that whatever becomes of the file is an
/// error or nothing; its bytes are there after <see cref="Fill"/>.
/// </remarks>
// Bound: Length bytes from Data on, the length that was mapped or allocated.
internal sealed unsafe class MappedFile : IDisposable
{
    private const int OutOfMemory = 12; // ENOMEM: reading into memory would want even more of it

    private readonly SafeFileHandle _handle;
    private readonly MemoryMappedFile? _map;
    private readonly ILastReading _whole;
    private long _lastWriteTicks;
    private bool _closed;

    private MappedFile(string path, SafeFileHandle handle, MappingWay way)
    {
        Path = path;
        Way = way;
        _handle = handle;
        Length = RandomAccess.GetLength(handle);
        _lastWriteTicks = File.GetLastWriteTimeUtc(handle).Ticks;
        if (way == MappingWay.Memory)
        {
            _whole = new MemoryCopy(Length);
            return;
        }
        _map = MemoryMappedFile.CreateFromFile(
            handle,
            mapName: null,
            Length,
            Access,
            HandleInheritability.None,
            leaveOpen: true
        );
        try
        {
            _whole = new MappedPart(_map.CreateViewAccessor(0, Length, Access));
        }
        catch
        {
            _map.Dispose();
            throw;
        }
    }

    /// <summary>The name under which the file was opened, before links were followed.</summary>
    public string Path { get; }

    /// <summary>How the bytes came into memory.</summary>
    public MappingWay Way { get; }

    /// <summary>Bytes of the file when it was opened.</summary>
    public long Length { get; }

    /// <summary>The first byte; valid for <see cref="Length"/> bytes until <see cref="Dispose"/>.</summary>
    public byte* Data => _whole.Data;

    // Copy-on-write is how .NET names a private mapping; nothing is ever written, so nothing is ever copied.
    private MemoryMappedFileAccess Access =>
        Way == MappingWay.Private ? MemoryMappedFileAccess.CopyOnWrite : MemoryMappedFileAccess.Read;

    /// <summary>
    /// Maps a file of at least <paramref name="minimumBytes"/> bytes, or reads it where the file system cannot map.
    /// </summary>
    /// <param name="path">The file, named so in messages.</param>
    /// <param name="minimumBytes">The fewest bytes that a usable file has, at least 1.</param>
    /// <param name="missing">What a message says behind "does not exist.", where the caller knows why that is.</param>
    /// <param name="copies">Whether the file is not mapped, but read into memory by <see cref="Fill"/>.</param>
    /// <param name="before">Called before each way is tried, so that a test can stand for a file system that refuses
    /// it.</param>
    /// <exception cref="CheckpointException">The file is missing, too short, not regular or not readable.</exception>
    public static MappedFile Open(
        string path,
        long minimumBytes,
        string missing = "",
        bool copies = false,
        Action<MappingWay>? before = null
    )
    {
        SafeFileHandle handle = RegularFile.Open(path, minimumBytes, missing);
        Exception? refused = null;
        try
        {
            if (copies)
                return new MappedFile(path, handle, MappingWay.Memory);
            for (MappingWay way = MappingWay.Shared; ; way++)
            {
                try
                {
                    before?.Invoke(way);
                    if (way == MappingWay.Memory)
                        ThrowIfBeyondMemory(path, RandomAccess.GetLength(handle), refused!);
                    return Filled(new MappedFile(path, handle, way));
                }
                catch (Exception e) when (way != MappingWay.Memory && IsRefusal(e))
                {
                    refused ??= e;
                }
            }
        }
        catch (Exception e)
        {
            handle.Dispose();
            // .NET reports a refused mapping of a large file as OutOfMemoryException.
            if (RegularFile.IsFileTrouble(e) || e is OutOfMemoryException)
                throw RegularFile.Unreadable(path, e);
            throw;
        }
    }

    /// <summary>Reads the content of a file that is copied; nothing of a mapped one.</summary>
    /// <param name="progress">Told how much was read.</param>
    /// <param name="start">The first bytes as they were when the file was opened.</param>
    /// <param name="more">Other bytes as they were.</param>
    /// <param name="moreAt">Where the other bytes lie in the file.</param>
    /// <exception cref="CheckpointException">
    /// The file cannot be read, ended before its length, or is another one by now.
    /// </exception>
    public void Fill(
        CopyProgress progress,
        ReadOnlySpan<byte> start = default,
        ReadOnlySpan<byte> more = default,
        long moreAt = 0
    )
    {
        if (_whole is not MemoryCopy copy)
            return;
        try
        {
            copy.Fill(_handle, Path, progress);
            if (!copy.Holds(start, 0) || !copy.Holds(more, moreAt))
                throw new CheckpointException(Path, "was changed while being read: its header is another one.");
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            throw RegularFile.Unreadable(Path, e);
        }
    }

    /// <summary>
    /// Copies the first bytes of the file by reading, not through the mapping, so that a cut file is an error and no
    /// crash.
    /// </summary>
    public void ReadStart(Span<byte> buffer) => Read(0, buffer);

    /// <summary>Copies bytes of the file from a position on by reading, not through the mapping.</summary>
    public void Read(long position, Span<byte> buffer)
    {
        try
        {
            RegularFile.Fill(_handle, buffer, Path, position);
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            throw RegularFile.Unreadable(Path, e);
        }
    }

    /// <summary>
    /// Compares the length with that at the opening and, where the time of the last write is another one, the
    /// beginning: to touch a file is no change of it.
    /// </summary>
    /// <param name="start">The first bytes as they were.</param>
    /// <param name="more">Other bytes as they were.</param>
    /// <param name="moreAt">Where the other bytes lie in the file.</param>
    /// <exception cref="CheckpointException">The file was changed while in use.</exception>
    public void ThrowIfChanged(ReadOnlySpan<byte> start, ReadOnlySpan<byte> more = default, long moreAt = 0)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (Way == MappingWay.Memory)
            return; // what was read into memory stays as it was, whatever became of the file
        try
        {
            long length = RandomAccess.GetLength(_handle);
            if (length != Length)
                throw new CheckpointException(
                    Path,
                    $"was changed while in use: it had {Length} bytes and now has {length}."
                );
            long ticks = File.GetLastWriteTimeUtc(_handle).Ticks;
            if (ticks == Volatile.Read(ref _lastWriteTicks))
                return;
            if (!Holds(start, 0) || !Holds(more, moreAt))
                throw new CheckpointException(
                    Path,
                    "was changed while in use: its header is another one, last written "
                        + $"{new DateTime(ticks, DateTimeKind.Utc):u}."
                );
            Volatile.Write(ref _lastWriteTicks, ticks);
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            throw RegularFile.Unreadable(Path, e);
        }
    }

    /// <summary>
    /// Maps a part of the file a second time, at another address. A file that was read into memory is not copied.
    /// </summary>
    /// <exception cref="CheckpointException">The system refuses the mapping.</exception>
    public ILastReading MapPart(long offset, long bytes)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (_map is null)
            return new MemoryCopy.CopiedPart(Data + offset);
        try
        {
            return new MappedPart(_map.CreateViewAccessor(offset, bytes, Access));
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e) || e is OutOfMemoryException)
        {
            throw RegularFile.Unreadable(Path, e);
        }
    }

    private static MappedFile Filled(MappedFile file)
    {
        try
        {
            file.Fill(CopyProgress.None);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private bool Holds(ReadOnlySpan<byte> bytes, long position)
    {
        byte[] now = new byte[bytes.Length];
        RegularFile.Fill(_handle, now, Path, position);
        return bytes.SequenceEqual(now);
    }

    public void Dispose()
    {
        if (_closed)
            return;
        _closed = true;
        _whole.Dispose();
        _map?.Dispose();
        _handle.Dispose();
    }

    private static bool IsRefusal(Exception e) => RegularFile.IsFileTrouble(e) && e.HResult != OutOfMemory;

    private static void ThrowIfBeyondMemory(string path, long length, Exception refused)
    {
        long memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (length > memory)
            throw new CheckpointException(
                path,
                $"cannot be mapped ({refused.Message}), and its {length} bytes do not fit into the {memory} bytes of "
                    + "memory: copy the folder to another file system.",
                inner: refused
            );
    }
}

namespace GptOss.Checkpoint.Gguf;

/// <summary>One memory-mapped GGUF file: every tensor lies within it, and none overlaps another.</summary>
// Bound: GgufHeader.Placed has checked that every tensor lies within the file's length.
internal sealed unsafe class GgufFile : IDisposable
{
    // As much of the head's beginning and of its end as is kept, to tell later whether the file is still the same. The
    // list of tensors is at the end; between them lies the tokenizer.
    private const int KeptBytes = 32 << 10;

    private readonly MappedFile _file;
    private readonly byte[] _start;
    private readonly byte[] _end;
    private readonly long _endAt;

    private GgufFile(MappedFile file, GgufHeader header)
    {
        _file = file;
        Keys = header.Keys;
        Tensors = Array.ConvertAll(header.Tensors, entry => new Tensor(file.Path, entry, file.Data + entry.Begin));
        _start = new byte[Math.Min(KeptBytes, header.Bytes)];
        _endAt = Math.Max(_start.Length, header.Bytes - KeptBytes);
        _end = new byte[header.Bytes - _endAt];
        file.ReadStart(_start);
        file.Read(_endAt, _end);
    }

    public string Path => _file.Path;

    /// <summary>How many bytes the file has.</summary>
    public long Length => _file.Length;

    public GgufKeys Keys { get; }

    /// <summary>The tensors, ascending by position.</summary>
    public IReadOnlyList<Tensor> Tensors { get; }

    /// <summary>Whether a file begins with the four bytes of GGUF; false where it cannot be read.</summary>
    public static bool IsGguf(string path)
    {
        try
        {
            Span<byte> magic = stackalloc byte[4];
            using var handle = RegularFile.Open(path, magic.Length);
            RegularFile.Fill(handle, magic, path);
            return magic.SequenceEqual("GGUF"u8);
        }
        catch (Exception e) when (e is CheckpointException || RegularFile.IsFileTrouble(e))
        {
            return false;
        }
    }

    /// <summary>Maps a file and reads its head; no tensor's data is touched.</summary>
    /// <param name="path">The file, named so in messages.</param>
    /// <param name="missing">What a message says behind "does not exist.", where the caller knows why that is.</param>
    /// <param name="copies">Whether the file is not mapped, but read by <see cref="Fill"/>.</param>
    /// <exception cref="CheckpointException">The file is missing, not regular, or damaged.</exception>
    public static GgufFile Open(string path, string missing = "", bool copies = false)
    {
        var file = MappedFile.Open(path, minimumBytes: 1, missing, copies);
        try
        {
            return new GgufFile(file, GgufHeader.Read(new GgufReader(path, file.Length, file.Read)));
        }
        catch (CheckpointException) when (Look(file) is { } found)
        {
            file.Dispose();
            throw new CheckpointException(path, found);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A reader of this file from a position on, for the elements of an array.</summary>
    public GgufReader ReaderAt(long position) => new(Path, Length, _file.Read, position);

    /// <summary>Reads the values of a file that is copied.</summary>
    /// <exception cref="CheckpointException">It cannot be read, or its head is another one by now.</exception>
    public void Fill(CopyProgress progress) => _file.Fill(progress, _start, _end, _endAt);

    /// <summary>Whether these bytes are of this file's mapping.</summary>
    public bool Holds(byte* data) => data >= _file.Data && data < _file.Data + _file.Length;

    /// <summary>Maps bytes of this file's mapping once more.</summary>
    public ILastReading MapAgain(byte* data, long bytes) => _file.MapPart(data - _file.Data, bytes);

    /// <exception cref="CheckpointException">The file was changed while in use.</exception>
    public void ThrowIfChanged() => _file.ThrowIfChanged(_start, _end, _endAt);

    public void Dispose() => _file.Dispose();

    // What a file is that does not begin as a GGUF: a pointer of Git LFS, a web page, a text.
    private static string? Look(MappedFile file)
    {
        byte[] start = new byte[Math.Min(file.Length, FileLook.Bytes)];
        file.ReadStart(start);
        return start.AsSpan().StartsWith("GGUF"u8) ? null : FileLook.DescribeBinary(start);
    }
}

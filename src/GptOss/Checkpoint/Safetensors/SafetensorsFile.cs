namespace GptOss.Checkpoint.Safetensors;

/// <summary>
/// One memory-mapped .safetensors file: every tensor lies within it, none overlaps another, and no byte is left over.
/// </summary>
// Bound: SafetensorsHeader.Parse has checked that every tensor lies within the file's length.
internal sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MappedFile _file;
    private readonly byte[] _start;

    private SafetensorsFile(MappedFile file, byte[] start, Tensor[] tensors)
    {
        _file = file;
        _start = start;
        Tensors = tensors;
    }

    public string Path => _file.Path;

    /// <summary>How many bytes the file has.</summary>
    public long Length => _file.Length;

    /// <summary>The tensors, ascending by position.</summary>
    public IReadOnlyList<Tensor> Tensors { get; }

    /// <summary>Maps a file and reads its header; no tensor's data is touched.</summary>
    /// <param name="path">The file, named so in messages.</param>
    /// <param name="missing">What a message says behind "does not exist.", where the caller knows why that is.</param>
    /// <param name="copies">Whether the file is not mapped, but read by <see cref="Fill"/>.</param>
    /// <exception cref="CheckpointException">The file is missing, not regular, or damaged.</exception>
    public static SafetensorsFile Open(string path, string missing = "", bool copies = false)
    {
        var file = MappedFile.Open(path, SafetensorsHeader.PrefixBytes, missing, copies);
        try
        {
            Span<byte> prefix = stackalloc byte[SafetensorsHeader.PrefixBytes];
            file.ReadStart(prefix);
            byte[] start = new byte[SafetensorsHeader.LengthWithPrefix(prefix, file.Length, path)];
            file.ReadStart(start);
            TensorEntry[] entries = SafetensorsHeader.Parse(start, file.Length, path);

            var tensors = new Tensor[entries.Length];
            for (int i = 0; i < tensors.Length; i++)
                tensors[i] = new Tensor(path, entries[i], file.Data + entries[i].Begin);
            return new SafetensorsFile(file, start, tensors);
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

    /// <summary>Reads the values of a file that is copied.</summary>
    /// <exception cref="CheckpointException">It cannot be read, or its header is another one by now.</exception>
    public void Fill(CopyProgress progress) => _file.Fill(progress, _start);

    /// <summary>Whether these bytes are of this file's mapping.</summary>
    public bool Holds(byte* data) => data >= _file.Data && data < _file.Data + _file.Length;

    /// <summary>Maps bytes of this file's mapping once more.</summary>
    public ILastReading MapAgain(byte* data, long bytes) => _file.MapPart(data - _file.Data, bytes);

    /// <exception cref="CheckpointException">The file was changed while in use.</exception>
    public void ThrowIfChanged() => _file.ThrowIfChanged(_start);

    public void Dispose() => _file.Dispose();

    private static string? Look(MappedFile file)
    {
        byte[] start = new byte[Math.Min(file.Length, FileLook.Bytes)];
        file.ReadStart(start);
        return FileLook.DescribeBinary(start);
    }
}

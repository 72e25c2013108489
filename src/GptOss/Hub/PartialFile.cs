namespace GptOss.Hub;

/// <summary>The beginning of a file on disk, with the hash of what is there. Its length is what is good.</summary>
internal sealed class PartialFile : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly FileStream _stream;
    private readonly FileHash _hash;
    private readonly HubHooks _hooks;

    private PartialFile(FileStream stream, HubFile file, HubHooks hooks)
    {
        _stream = stream;
        _hash = new FileHash(file);
        _hooks = hooks;
    }

    /// <summary>Bytes that are here.</summary>
    public long Length { get; private set; }

    /// <summary>Opens or begins the file, and hashes what is there.</summary>
    /// <exception cref="IOException">Another process writes the file, or the disk refuses.</exception>
    public static async Task<PartialFile> OpenAsync(
        string path,
        HubFile file,
        HubHooks hooks,
        CancellationToken cancellation
    )
    {
        // A folder from elsewhere may have a link of that name, and where it leads is nothing of ours.
        if (new FileInfo(path).LinkTarget is not null)
            File.Delete(path);
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        var partial = new PartialFile(stream, file, hooks);
        try
        {
            // More than the whole file cannot be its beginning.
            if (stream.Length > file.Bytes)
                stream.SetLength(0);
            byte[] buffer = new byte[Math.Min(BufferBytes, stream.Length)];
            while (partial.Length < stream.Length)
            {
                int read = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false);
                partial._hash.Append(buffer.AsSpan(0, read));
                partial.Length += read;
            }
            return partial;
        }
        catch
        {
            partial.Dispose();
            throw;
        }
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hooks.BeforeWrite?.Invoke(_stream.Name, Length);
        _stream.Write(bytes);
        _hash.Append(bytes);
        Length += bytes.Length;
    }

    /// <summary>Throws away what is there.</summary>
    public void Clear()
    {
        _stream.SetLength(0);
        _stream.Position = 0;
        _hash.Reset();
        Length = 0;
    }

    /// <summary>Brings the bytes onto the disk; returns the hash of all of them.</summary>
    public string Complete()
    {
        _stream.Flush(flushToDisk: true);
        return _hash.Text();
    }

    public void Dispose()
    {
        _hash.Dispose();
        _stream.Dispose();
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace GptOss.Hub;

/// <summary>
/// The hash by which the hub names a file's content: SHA-256 of the bytes, or Git's SHA-1 of a blob, which is that of
/// <c>"blob " + length + "\0" + content</c>.
/// </summary>
internal sealed class FileHash : IDisposable
{
    private readonly HubFile _file;
    private readonly IncrementalHash _hash;

    public FileHash(HubFile file)
    {
        _file = file;
        // SHA-1 is what Git names a blob by; nothing is kept secret with it.
        _hash = IncrementalHash.CreateHash(file.IsSha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1);
        Begin();
    }

    /// <summary>The hash of the whole content of a file that has its length.</summary>
    public static async Task<string> OfFileAsync(string path, HubFile file, CancellationToken cancellation)
    {
        const int BufferBytes = 1 << 20;
        // A FIFO has no bytes either, and opening one would wait for ever.
        if (file.Bytes == 0)
        {
            using var empty = new FileHash(file);
            return empty.Text();
        }
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 0);
        await using (stream.ConfigureAwait(false))
        {
            using var hash = new FileHash(file);
            byte[] buffer = new byte[BufferBytes];
            while (await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and int read)
                hash.Append(buffer.AsSpan(0, read));
            return hash.Text();
        }
    }

    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    /// <summary>Begins with the first byte again.</summary>
    public void Reset()
    {
        _hash.GetHashAndReset();
        Begin();
    }

    /// <summary>The hash in hexadecimal digits, as the hub writes it.</summary>
    public string Text() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    public void Dispose() => _hash.Dispose();

    private void Begin()
    {
        if (!_file.IsSha256)
            _hash.AppendData(
                Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {_file.Bytes}\0"))
            );
    }
}

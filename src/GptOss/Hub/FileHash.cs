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

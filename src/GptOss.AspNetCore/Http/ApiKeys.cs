using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace GptOss.AspNetCore.Http;

/// <summary>The keys that open the server; thread-safe.</summary>
/// <remarks>
/// Only hashes are kept and compared, each in the same time whatever differs, and all of them whichever fits: an answer
/// tells by its time neither how much of a key was right nor which one.
/// </remarks>
internal sealed class ApiKeys
{
    private const int LongestKey = 4_096;
    private const string Scheme = "Bearer ";

    private static readonly TimeSpan FileAge = TimeSpan.FromSeconds(1);

    private readonly byte[][] _given;
    private readonly string? _path;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private byte[][] _filed = [];
    private (DateTime Written, long Length) _seen;
    private long _looked;

    /// <param name="keys">The keys themselves; they are not kept.</param>
    /// <param name="path">A file with more keys, one a line; null for none.</param>
    /// <param name="time">Tells when the file was looked at last.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public ApiKeys(IEnumerable<string> keys, string? path, TimeProvider time)
    {
        _given = [.. keys.Select(Hash)];
        _path = path;
        _time = time;
        if (path is not null)
            Read(new FileInfo(path));
    }

    /// <summary>Whether a request needs a key.</summary>
    public bool AreNeeded => _given.Length > 0 || _path is not null;

    /// <summary>Whether a request may come in.</summary>
    /// <param name="request">Its headers may hold the key.</param>
    /// <param name="scope">The hash of the key, which separates its holder from others; null where no key is
    /// needed.</param>
    public bool Admits(HttpRequest request, out string? scope)
    {
        scope = null;
        if (!AreNeeded)
            return true;
        string key = KeyOf(request);
        byte[] hash = Hash(key.Length <= LongestKey ? key : "");
        bool isKnown = false;
        foreach (byte[] known in (byte[][])[.. _given, .. Filed()])
            isKnown |= CryptographicOperations.FixedTimeEquals(known, hash);
        scope = Convert.ToHexStringLower(hash);
        return isKnown && key.Length is > 0 and <= LongestKey;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static string KeyOf(HttpRequest request)
    {
        string? bearer = request.Headers.Authorization;
        return bearer?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true
            ? bearer[Scheme.Length..].Trim()
            : request.Headers["x-api-key"].ToString();
    }

    private byte[][] Filed()
    {
        if (_path is null)
            return [];
        lock (_lock)
        {
            if (_time.GetElapsedTime(_looked) < FileAge)
                return _filed;
            var file = new FileInfo(_path);
            // A file that is being replaced may be missing for a moment: the keys that were read stay.
            if (file.Exists && (file.LastWriteTimeUtc, file.Length) != _seen)
            {
                try
                {
                    Read(file);
                }
                catch (Exception error) when (error is IOException or UnauthorizedAccessException)
                {
                    return _filed;
                }
            }
            _looked = _time.GetTimestamp();
            return _filed;
        }
    }

    private void Read(FileInfo file)
    {
        _filed =
        [
            .. File.ReadAllLines(file.FullName).Select(line => line.Trim()).Where(line => line.Length > 0).Select(Hash),
        ];
        _seen = (file.LastWriteTimeUtc, file.Length);
        _looked = _time.GetTimestamp();
    }
}

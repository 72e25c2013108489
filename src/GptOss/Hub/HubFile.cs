namespace GptOss.Hub;

/// <summary>A file of a repository at Hugging Face.</summary>
/// <param name="Path">Its path in the repository, with slashes.</param>
/// <param name="Bytes">Its length in bytes.</param>
/// <param name="ETag">The hash of its content: SHA-256 where Git LFS or Xet keeps it, else Git's SHA-1.</param>
internal sealed record HubFile(string Path, long Bytes, string ETag)
{
    private const int Sha1Digits = 40,
        Sha256Digits = 64;

    /// <summary>Whether the content's hash is SHA-256; else it is that of a blob of Git.</summary>
    public bool IsSha256 => ETag.Length == Sha256Digits;

    /// <summary>Whether a text is one of the two hashes, and so may be the name of a blob.</summary>
    public static bool IsETag(string text) => text.Length is Sha1Digits or Sha256Digits && IsHex(text);

    /// <summary>Whether a text is the name of a commit.</summary>
    public static bool IsCommit(string text) => text.Length == Sha1Digits && IsHex(text);

    /// <summary>
    /// Whether a path of a repository can become a path of this machine: no part of it leads elsewhere.
    /// </summary>
    public static bool IsSafePath(string path) =>
        path.Length > 0 && path.Split('/').All(Checkpoint.WeightFiles.IsPlainName);

    /// <summary>Whether a file is there, behind a link or not, and has its length.</summary>
    public static bool HasLength(string path, long bytes) =>
        Real(path) is { Exists: true } file && file.Length == bytes;

    /// <summary>Where a path leads through links; null where these form a circle.</summary>
    public static FileInfo? Real(string path)
    {
        try
        {
            return new FileInfo(Checkpoint.RegularFile.RealPath(path));
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool IsHex(string text) => text.All(c => char.IsAsciiDigit(c) || c is >= 'a' and <= 'f');
}

using System.Security.Cryptography;

namespace GptOss;

/// <summary>gpt-oss-tiny: a trained model of the gpt-oss architecture in 4.2 MB, for first runs and for tests.</summary>
/// <remarks>
/// It adds, subtracts and multiplies small numbers, calls one or two functions with required arguments, repeats facts it was
/// told, and says of everything else that it does not know. It speaks Harmony as gpt-oss does, with a vocabulary of its own.
/// </remarks>
public static class TinyGptOss
{
    private const string ModelName = "gpt-oss-tiny";

    // A failure is not kept: the next caller may find the disk with room again.
    private static readonly Lazy<string> PlacedFolder = new(Place, LazyThreadSafetyMode.PublicationOnly);

    /// <summary>The folder of the model. The first use in a process writes it where it is not there yet, or not whole.</summary>
    /// <remarks>
    /// The files travel inside this assembly and are written once per user: below the folder for local application data, or below
    /// the one for temporary files where the user has no such folder or may not write there. The path holds a hash of
    /// the content, so that several versions live side by side; any number of processes may ask at the same time.
    /// </remarks>
    /// <exception cref="IOException">The model could be written to neither place.</exception>
    public static string Folder => PlacedFolder.Value;

    private static string Place()
    {
        string data = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        // The folder for temporary files may be shared with other users, who may not write into ours, nor we into theirs.
        string temporary = Path.Join(Path.GetTempPath(), $"GptOss-{Environment.UserName}");
        return PlaceBelow(data.Length > 0 ? [Path.Join(data, "GptOss"), temporary] : [temporary]);
    }

    /// <summary>Writes the model below the first of the roots that takes it; returns the model's folder.</summary>
    internal static string PlaceBelow(IReadOnlyList<string> roots)
    {
        string[] resources = [.. typeof(TinyGptOss).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(ModelName + "/", StringComparison.Ordinal))];
        string version = Version(resources);
        var refusals = new List<Exception>();
        foreach (string root in roots)
        {
            string folder = Path.Join(root, version, ModelName);
            try
            {
                CreatePrivateFolder(folder);
                foreach (string resource in resources)
                    PlaceFile(resource, Path.Join(folder, Path.GetFileName(resource)));
                return folder;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                refusals.Add(e);
            }
        }
        throw new IOException($"The files of {ModelName} could not be written: "
            + string.Join(" ", refusals.Select(e => e.Message)), refusals[0]);
    }

    /// <summary>The first 12 hexadecimal digits of SHA-256 over the names and contents of all files.</summary>
    private static string Version(string[] resources)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string resource in resources)
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(resource));
            hash.AppendData(Content(resource));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }

    private static void CreatePrivateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Makes sure that the file has the content of the resource.</summary>
    /// <remarks>
    /// The content arrives under another name and is then moved into place, so that nobody ever sees half a file. Two processes
    /// that do this at once replace one good file by another; where the system forbids it because the file
    /// is in use, the other process has been here first.
    /// </remarks>
    private static void PlaceFile(string resource, string path)
    {
        byte[] content = Content(resource);
        if (Holds(path, content))
            return;
        string arriving = $"{path}.{Guid.NewGuid():N}";
        try
        {
            File.WriteAllBytes(arriving, content);
            File.Move(arriving, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(arriving);
            if (!Holds(path, content))
                throw;
        }
    }

    private static bool Holds(string path, ReadOnlySpan<byte> content)
    {
        var file = new FileInfo(path);
        return file.Exists && file.Length == content.Length && File.ReadAllBytes(path).AsSpan().SequenceEqual(content);
    }

    private static byte[] Content(string resource)
    {
        using Stream stream = typeof(TinyGptOss).Assembly.GetManifestResourceStream(resource)!;
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}

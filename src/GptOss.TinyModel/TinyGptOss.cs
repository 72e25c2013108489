namespace GptOss;

/// <summary>
/// gpt-oss-tiny: a trained model of the gpt-oss architecture in 4.2 MB, for first runs and for tests.
/// </summary>
/// <remarks>
/// It adds, subtracts and multiplies small numbers, calls one or two functions with required arguments, repeats facts
/// it was told, and says of everything else that it does not know. It speaks Harmony as gpt-oss does, with a vocabulary
/// of its own.
/// </remarks>
public static partial class TinyGptOss
{
    private const string ModelName = "gpt-oss-tiny";

    private static readonly Lock Placing = new();
    private static string? _folder;

    /// <summary>
    /// The folder of the model. A use writes it where it is not there yet, not whole, or not there any more.
    /// </summary>
    /// <remarks>
    /// The files travel inside this assembly and are written once per user: below the folder for local application
    /// data; where that takes nothing, below the one for temporary files, then below /dev/shm, in a folder that nobody
    /// else can write to. On Linux they are kept in the process's memory where all of these are read-only: the folder
    /// is then a name that GptOss knows and the file system does not. The path holds a hash of the content, so that
    /// several versions live side by side; any number of processes may ask at the same time.
    /// </remarks>
    /// <exception cref="IOException">The model could be written nowhere; the message names every place and its
    /// refusal.</exception>
    public static string Folder
    {
        get
        {
            lock (Placing)
            {
                // Folders for temporary files are cleaned, also while a program runs that has asked before.
                if (_folder is null || !IsThere(_folder))
                    _folder = PlaceBelow(Places());
                return _folder;
            }
        }
    }

    private static string[] Resources { get; } =
    [
        .. typeof(TinyGptOss)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(ModelName + "/", StringComparison.Ordinal)),
    ];

    // One after the other, because who a nameless user is has to be found out by writing a file.
    private static IEnumerable<PlaceForFiles> Places()
    {
        string data = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData,
            Environment.SpecialFolderOption.DoNotVerify
        );
        if (data.Length > 0)
            yield return new OwnPlace(Path.Join(data, "GptOss"));
        yield return new SharedPlace(Path.GetTempPath());
        if (!OperatingSystem.IsWindows())
            yield return new SharedPlace("/dev/shm");
        if (OperatingSystem.IsLinux())
            yield return new MemoryPlace();
    }

    /// <summary>Writes the model into the first of the places that takes it; returns the model's folder.</summary>
    internal static string PlaceBelow(IEnumerable<PlaceForFiles> places)
    {
        var refusals = new List<Exception>();
        foreach (PlaceForFiles place in places)
        {
            try
            {
                return place.Put(
                    Path.Join(Version, ModelName),
                    [.. Resources.Select(name => (Path.GetFileName(name), Content(name)))]
                );
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                refusals.Add(e);
            }
        }
        throw new IOException(
            $"The files of {ModelName} could not be written: {string.Join(" ", refusals.Select(e => e.Message))} "
                + "Set HOME, XDG_DATA_HOME or TMPDIR to a folder that takes 5 MB.",
            refusals[0]
        );
    }

    /// <summary>Whether every file still has its length; a look that costs microseconds.</summary>
    internal static bool IsThere(string folder) =>
        MemoryPlace.Holds(folder)
        || Resources.All(name =>
        {
            using Stream content = Open(name);
            var file = new FileInfo(Path.Join(folder, Path.GetFileName(name)));
            return file.Exists && file.Length == content.Length;
        });

    private static Stream Open(string resource) => typeof(TinyGptOss).Assembly.GetManifestResourceStream(resource)!;

    private static byte[] Content(string resource)
    {
        using Stream stream = Open(resource);
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}

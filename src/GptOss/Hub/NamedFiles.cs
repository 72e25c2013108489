using System.Text.RegularExpressions;
using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>Files that stores name by the hash of their content, which can be compared with it.</summary>
internal static partial class NamedFiles
{
    /// <summary>The files of a model that are named by a hash, where links lead to.</summary>
    public static IEnumerable<string> OfModel(FoundModel model)
    {
        string[] files = File.Exists(model.Path)
            ? [.. GgufSet.Of(model.Path).Files]
            : GgufSet.FilesIn(model.Path, isNested: false);
        return files.Select(RegularFile.RealPath).Where(file => Hash(file) is not null);
    }

    /// <summary>The files of a folder that are named by a hash.</summary>
    public static IEnumerable<string> In(string folder) =>
        GgufSet.FilesIn(folder, isNested: false).Where(file => Hash(file) is not null);

    /// <summary>Whether the content of a file has the hash that is its name.</summary>
    public static async Task<bool> IsIntactAsync(string path, CancellationToken cancellation)
    {
        string expected = Hash(path) ?? throw new ArgumentException("The file is not named by a hash.", nameof(path));
        var file = new HubFile(path, new FileInfo(path).Length, expected);
        return await FileHash.OfFileAsync(path, file, cancellation).ConfigureAwait(false) == expected;
    }

    // Hugging Face and Docker name a blob by the digits alone, Ollama with the kind of hash before them.
    private static string? Hash(string path) =>
        DigestName().Match(Path.GetFileName(path)) is { Success: true } match && HubFile.IsETag(match.Groups[1].Value)
            ? match.Groups[1].Value
            : null;

    [GeneratedRegex("^(?:sha256-)?([0-9a-f]{40}|[0-9a-f]{64})$", RegexOptions.CultureInvariant)]
    private static partial Regex DigestName();
}

using System.Globalization;
using System.Text.RegularExpressions;
using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>A GGUF file, or the files that one was split into.</summary>
/// <param name="Path">The file, of a split set the first.</param>
/// <param name="Files">All files of the set, in order.</param>
internal sealed partial record GgufSet(string Path, IReadOnlyList<string> Files)
{
    // A folder that is none of ours may hold millions of entries.
    private const int MostEntries = 2000;

    public long Bytes => Files.Sum(Sizes.OfFile);

    /// <summary>The set that a file is one of; of a file that belongs to no set, the file alone.</summary>
    /// <exception cref="CheckpointException">A file of the set is missing.</exception>
    public static GgufSet Of(string file)
    {
        Match part = PartName().Match(System.IO.Path.GetFileName(file));
        if (!part.Success)
            return new GgufSet(file, [file]);
        string folder = System.IO.Path.GetDirectoryName(file) ?? "";
        int count = int.Parse(part.Groups["count"].Value, CultureInfo.InvariantCulture);
        string[] names =
        [
            .. Enumerable
                .Range(1, Math.Clamp(count, 1, 1000))
                .Select(number =>
                    $"{part.Groups["name"].Value}-{number:00000}-of-{part.Groups["count"].Value}"
                    + part.Groups["end"].Value
                ),
        ];
        string[] paths = [.. names.Select(name => System.IO.Path.Join(folder, name))];
        int missing = Array.FindIndex(paths, path => !File.Exists(path));
        return missing < 0
            ? new GgufSet(paths[0], paths)
            : throw new CheckpointException(
                file,
                $"is one of {count} files, of which '{Printable.Name(names[missing])}' is missing."
            );
    }

    /// <summary>The models of this architecture in a folder, by name; a split set counts once.</summary>
    /// <param name="folder">Where to look; what cannot be read is left out.</param>
    /// <param name="isNested">Whether subfolders are looked into, too.</param>
    public static List<GgufSet> In(string folder, bool isNested)
    {
        return
        [
            .. FilesIn(folder, isNested)
                .Where(file => GgufPeek.TryRead(file) is not null)
                .GroupBy(Key, StringComparer.Ordinal)
                .Select(set => new GgufSet(set.First(), [.. set]))
                // Only the first file of a split set says what the model is.
                .Where(set => GgufPeek.TryRead(set.Path) is { IsGptOss: true }),
        ];
    }

    /// <summary>Files of a folder in the order of their names; none where it cannot be read.</summary>
    public static string[] FilesIn(string folder, bool isNested)
    {
        var options = new EnumerationOptions
        {
            IgnoreInaccessible = true,
            RecurseSubdirectories = isNested,
            MaxRecursionDepth = 4,
            AttributesToSkip = 0,
        };
        try
        {
            return Directory.Exists(folder)
                ? [.. Directory.EnumerateFiles(folder, "*", options).Take(MostEntries).Order(StringComparer.Ordinal)]
                : [];
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            return [];
        }
    }

    // What the names of all files of a set share, and no other file has.
    private static string Key(string file) =>
        PartName().Match(file) is { Success: true } part
            ? $"{part.Groups["name"].Value}-of-{part.Groups["count"].Value}"
            : file;

    [GeneratedRegex(
        @"^(?<name>.*)-(?<number>[0-9]{5})-of-(?<count>[0-9]{5})(?<end>\.(?i:gguf))$",
        RegexOptions.CultureInvariant | RegexOptions.Singleline
    )]
    private static partial Regex PartName();
}

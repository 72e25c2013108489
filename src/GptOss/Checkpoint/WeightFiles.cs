using System.Globalization;
using System.Text.RegularExpressions;

namespace GptOss.Checkpoint;

/// <summary>
/// Finds the .safetensors files of a model folder, without looking into its subfolders.
/// </summary>
internal static partial class WeightFiles
{
    public const string IndexName = "model.safetensors.index.json",
        SingleName = "model.safetensors",
        Extension = ".safetensors";

    // No common file system takes longer names, and a message could not show them.
    private const int LongestName = 255;

    private const int MostFiles = 10_000;

    /// <summary>
    /// The names of the folder's weight files in ascending order, and which tensor the index promises in which of them.
    /// </summary>
    /// <returns>No name where no weight file is found; placement is null where no index counts.</returns>
    /// <exception cref="CheckpointException">An incomplete series or a damaged index.</exception>
    public static (string[] Names, Dictionary<string, string>? Placement) Find(string folder)
    {
        string index = Path.Join(folder, IndexName);
        bool single = FilesInMemory.Exists(Path.Join(folder, SingleName));
        if (Path.Exists(index))
        {
            Dictionary<string, string> placement = ReadIndex(index);
            // A merge writes one file and leaves the index of the shards that it came from.
            if (!single || placement.ContainsValue(SingleName))
                return ([.. placement.Values.Distinct().Order(StringComparer.Ordinal)], placement);
        }
        return (single ? [SingleName] : FindSeries(folder), null);
    }

    /// <summary>
    /// A shard name is one plain name: joined to the folder it can mean nothing outside. The file itself may be a link.
    /// </summary>
    public static bool IsPlainName(string name) =>
        name is not ("" or "." or "..")
        && name.Length <= LongestName
        && !name.AsSpan().ContainsAny("/\\:")
        && !name.Any(char.IsControl);

    /// <summary>Whether the name is that of an adapter's weights.</summary>
    public static bool IsAdapter(string name) => name.StartsWith("adapter_", StringComparison.Ordinal);

    private static Dictionary<string, string> ReadIndex(string path)
    {
        var index = JsonFields.Load(path);
        JsonFields map = index.Object("weight_map");
        var placement = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string tensor in map.Names)
        {
            string file = map.Text(tensor);
            if (!IsPlainName(file))
                throw map.Wrong(tensor, "the name of a file in the model folder", JsonFields.Quoted(file));
            placement.Add(tensor, file);
        }
        return placement.Count > 0 ? placement : throw index.Wrong("weight_map", "at least one tensor", "none");
    }

    /// <summary>
    /// Files whose names are a whole series without an index: OpenAI's model--00001-of-00007 to 00007-of-00007, and the
    /// shards of others, numbered from 1, or from 0 and then up to the number behind "of" or to one less.
    /// </summary>
    private static string[] FindSeries(string folder)
    {
        var found = new SortedDictionary<int, string>();
        (string Start, int Total)? series = null;
        foreach (
            string path in Directory.EnumerateFileSystemEntries(folder, "*" + Extension).Order(StringComparer.Ordinal)
        )
        {
            string name = Path.GetFileName(path);
            Match match = SeriesName().Match(name);
            if (IsAdapter(name) || !match.Success)
                continue;
            (string Start, int Total) own = (
                match.Groups["start"].Value,
                int.Parse(match.Groups["total"].Value, CultureInfo.InvariantCulture)
            );
            series ??= own;
            if (own != series)
                throw new CheckpointException(
                    folder,
                    $"holds files of two series, '{Printable.Name(found.First().Value)}' and '{Printable.Name(name)}': "
                        + "keep the one that is meant."
                );
            if (
                !found.TryAdd(int.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture), name)
                || found.Count > MostFiles
            )
                throw new CheckpointException(
                    folder,
                    $"holds the same number of a series twice: '{Printable.Name(name)}'."
                );
        }
        if (series is not { Total: int total })
            return [];

        int first = found.ContainsKey(0) ? 0 : 1,
            last = first == 0 && !found.ContainsKey(total) ? total - 1 : total;
        int missing = Enumerable
            .Range(first, Math.Max(0, Math.Min(last, MostFiles) - first + 1))
            .FirstOrDefault(n => !found.ContainsKey(n), -1);
        if (missing >= 0 || found.Count != last - first + 1)
            throw new CheckpointException(
                folder,
                $"holds {found.Count} {(found.Count == 1 ? "file" : "files")} of the series "
                    + $"'{Printable.Name(found.First().Value)}', which has {last - first + 1}"
                    + (missing < 0 ? "." : $"; number {missing} is the first that is missing.")
                    + " Is the download complete?"
            );
        return [.. found.Values];
    }

    [GeneratedRegex(
        @"^(?<start>.*?)[-_.]?(?<number>[0-9]{1,5})[-_]of[-_](?<total>[0-9]{1,5})\.safetensors$",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex SeriesName();
}

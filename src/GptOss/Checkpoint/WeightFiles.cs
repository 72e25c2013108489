using System.Globalization;

namespace GptOss.Checkpoint;

/// <summary>
/// Finds the .safetensors files of a model folder, without looking into its subfolders or at patterns of names it does
/// not know.
/// </summary>
internal static class WeightFiles
{
    public const string IndexName = "model.safetensors.index.json";
    private const string SingleName = "model.safetensors";
    private const string SeriesStart = "model--";
    private const string SeriesMiddle = "-of-";
    private const string SeriesEnd = ".safetensors";

    // No common file system takes longer names, and a message could not show them.
    private const int LongestName = 255;

    /// <summary>
    /// The names of the folder's weight files in ascending order, and which tensor the index promises in which of them.
    /// </summary>
    /// <returns>Placement is null where no index exists.</returns>
    /// <exception cref="CheckpointException">No weight file, an incomplete series, or a damaged index.</exception>
    public static (string[] Names, Dictionary<string, string>? Placement) Find(string folder)
    {
        string index = Path.Join(folder, IndexName);
        if (Path.Exists(index))
        {
            Dictionary<string, string> placement = ReadIndex(index);
            return ([.. placement.Values.Distinct().Order(StringComparer.Ordinal)], placement);
        }
        if (FilesInMemory.Exists(Path.Join(folder, SingleName)))
            return ([SingleName], null);
        return (FindSeries(folder), null);
    }

    /// <summary>
    /// A shard name is one plain name: joined to the folder it can mean nothing outside. The file itself may be a link.
    /// </summary>
    public static bool IsPlainName(string name) =>
        name is not ("" or "." or "..") && name.Length <= LongestName && !name.AsSpan().ContainsAny("/\\:") && !name.Any(char.IsControl);

    private static Dictionary<string, string> ReadIndex(string path)
    {
        var index = ConfigJson.Load(path);
        ConfigJson map = index.Object("weight_map")
            ?? throw index.Fault("weight_map", "should be an object but is missing.");
        var placement = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string tensor in map.Names)
        {
            string file = map.Text(tensor);
            if (!IsPlainName(file))
                throw map.Fault(
                    tensor, $"should be the name of a file in the model folder but is '{Printable.Name(file)}'.");
            placement.Add(tensor, file);
        }
        return placement.Count > 0
            ? placement
            : throw index.Fault("weight_map", "should name at least one tensor but is empty.");
    }

    /// <summary>OpenAI's files: model--00001-of-00007.safetensors to model--00007-of-00007.safetensors.</summary>
    private static string[] FindSeries(string folder)
    {
        var found = new Dictionary<int, string>();
        int total = 0;
        foreach (string path in Directory.EnumerateFileSystemEntries(folder, SeriesStart + "*"))
        {
            string name = Path.GetFileName(path);
            if (!TryParseSeries(name, out int number, out int of))
                continue;
            if (total != 0 && of != total)
                throw new CheckpointException(
                    folder, $"holds files of two series, one of {total} and one of {of} files: '{name}'.");
            total = of;
            found.Add(number, name);
        }
        if (total == 0)
            throw NoWeights(folder);
        if (found.Count != total || Enumerable.Range(1, total).Any(number => !found.ContainsKey(number)))
            throw new CheckpointException(folder,
                $"should hold the files 1 to {total} of {SeriesStart}*{SeriesMiddle}{total:d5}{SeriesEnd}, "
                + $"but holds {found.Count} of them. Is the download complete?");
        return [.. found.OrderBy(pair => pair.Key).Select(pair => pair.Value)];
    }

    private static bool TryParseSeries(string name, out int number, out int total)
    {
        const int Digits = 5;
        number = total = 0;
        return name.Length == SeriesStart.Length + Digits + SeriesMiddle.Length + Digits + SeriesEnd.Length
            && name.StartsWith(SeriesStart, StringComparison.Ordinal)
            && name.EndsWith(SeriesEnd, StringComparison.Ordinal)
            && name.AsSpan(SeriesStart.Length + Digits, SeriesMiddle.Length).SequenceEqual(SeriesMiddle)
            && TryParse(name.AsSpan(SeriesStart.Length, Digits), out number)
            && TryParse(name.AsSpan(SeriesStart.Length + Digits + SeriesMiddle.Length, Digits), out total)
            && number >= 1 && total >= 1;
    }

    private static bool TryParse(ReadOnlySpan<char> digits, out int value) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static CheckpointException NoWeights(string folder)
    {
        const string Original = "original";
        string hint = Directory.Exists(Path.Join(folder, Original))
            && Directory.EnumerateFiles(Path.Join(folder, Original), "*" + SeriesEnd).Any()
                ? $" Its subfolder '{Original}' holds weights: open that folder instead."
                : " Is the download complete?";
        return new CheckpointException(folder,
            $"holds no weights: looked for {IndexName}, {SingleName} and {SeriesStart}00001{SeriesMiddle}….{hint}");
    }
}

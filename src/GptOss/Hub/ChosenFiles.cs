using System.Globalization;
using System.Text.RegularExpressions;
using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>Which files of a repository are needed: those of one model and nothing else.</summary>
/// <param name="First">Small files that say what else is needed.</param>
/// <param name="Rest">Files that are needed in any case.</param>
/// <param name="Load">The GGUF file that is loaded; null where it is the folder.</param>
internal sealed partial record ChosenFiles(IReadOnlyList<HubFile> First, IReadOnlyList<HubFile> Rest, string? Load)
{
    public const string Config = "config.json";

    private const string Generation = "generation_config.json",
        TokenizerName = "tokenizer.json",
        AdapterConfig = "adapter_config.json",
        AdapterWeights = "adapter_model.safetensors";

    // With this vocabulary the built-in tokenizer is used.
    private const int PublishedVocabulary = 201_088;

    /// <summary>Chooses by the names in the repository.</summary>
    /// <param name="repository">Its name, for messages.</param>
    /// <param name="all">All of its files.</param>
    /// <param name="wanted">The GGUF that is asked for; null where none is.</param>
    /// <exception cref="HubException">There is no model, or there are several.</exception>
    public static ChosenFiles Of(RepositoryName repository, IReadOnlyList<HubFile> all, string? wanted)
    {
        var root = all.Where(file => !file.Path.Contains('/', StringComparison.Ordinal))
            .ToDictionary(file => file.Path, StringComparer.Ordinal);
        bool hasWeights = root.Keys.Any(IsWeights);
        ChosenFiles chosen =
            wanted is not null ? Gguf(repository, all, wanted)
            : root.ContainsKey(Config) && hasWeights ? Safetensors(root)
            : root.TryGetValue(AdapterConfig, out HubFile? config)
            && root.TryGetValue(AdapterWeights, out HubFile? adapter)
                ? new ChosenFiles([], [adapter, config], null)
            : Gguf(repository, all, null);
        foreach (HubFile file in (HubFile[])[.. chosen.First, .. chosen.Rest])
            if (!HubFile.IsSafePath(file.Path))
                throw new HubException(
                    HubProblem.WrongContent,
                    $"{repository}: the file '{Printable.Name(file.Path)}' has a name that leads out of its folder."
                );
        return chosen;
    }

    /// <summary>All needed files, once the first are here: weights, then the index, then config.json.</summary>
    /// <param name="repository">Its name, for messages.</param>
    /// <param name="all">All files of the repository.</param>
    /// <param name="pathOf">Where a file of the first is now.</param>
    /// <exception cref="HubException">The index names a file that the repository does not have.</exception>
    /// <exception cref="CheckpointException">The index or the configuration is damaged.</exception>
    public IReadOnlyList<HubFile> Complete(
        RepositoryName repository,
        IReadOnlyList<HubFile> all,
        Func<HubFile, string> pathOf
    )
    {
        List<string> names = [];
        if (First.FirstOrDefault(file => file.Path == WeightFiles.IndexName) is { } index)
        {
            JsonFields map = JsonFields.Load(pathOf(index)).Object("weight_map");
            names.AddRange(map.Names.Select(map.Text).Distinct().Order(StringComparer.Ordinal));
        }
        if (
            First.FirstOrDefault(file => file.Path == Config) is { } config
            && JsonFields.Load(pathOf(config)).OptionalInt32("vocab_size", 0, int.MaxValue) != PublishedVocabulary
        )
            names.AddRange(all.Select(file => file.Path).Where(path => path == TokenizerName));
        List<HubFile> files = [.. Rest];
        foreach (string name in names)
            files.Add(
                HubFile.IsSafePath(name) && all.FirstOrDefault(file => file.Path == name) is { } file
                    ? file
                    : throw new HubException(
                        HubProblem.WrongContent,
                        $"{repository}: its {WeightFiles.IndexName} names '{Printable.Name(name)}', which is not in "
                            + "the repository."
                    )
            );
        return
        [
            .. files.Where(file => IsWeights(file.Path) || Load is not null),
            .. files.Where(file => !IsWeights(file.Path) && Load is null && !IsConfig(file)),
            .. First.Where(file => !IsConfig(file)).OrderBy(file => file.Path != Generation),
            .. First.Concat(files).Where(IsConfig),
        ];
    }

    /// <summary>Whether it is the file whose presence says that a folder is whole.</summary>
    public static bool IsConfig(HubFile file) => file.Path is Config or AdapterConfig;

    /// <summary>
    /// Whether a GGUF is the one that a text means: its path, its name, or the packing at the name's end, such as
    /// Q4_K_M.
    /// </summary>
    public static bool IsMeant(string path, string wanted)
    {
        string name = path[(path.LastIndexOf('/') + 1)..];
        return path == wanted
            || name == wanted
            || Regex.IsMatch(
                name,
                $@"(^|[-_.]){Regex.Escape(wanted)}(-[0-9]{{5}}-of-[0-9]{{5}})?\.gguf$",
                RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
            );
    }

    private static ChosenFiles Safetensors(Dictionary<string, HubFile> root)
    {
        string[] small = [Config, Generation, WeightFiles.IndexName];
        bool hasIndex = root.ContainsKey(WeightFiles.IndexName);
        return new ChosenFiles(
            [.. small.Where(root.ContainsKey).Select(name => root[name])],
            hasIndex ? []
                : root.TryGetValue(WeightFiles.SingleName, out HubFile? single) ? [single]
                :
                [
                    .. root
                        .Values.Where(file => IsWeights(file.Path))
                        .OrderBy(file => file.Path, StringComparer.Ordinal),
                ],
            null
        );
    }

    private static ChosenFiles Gguf(RepositoryName repository, IReadOnlyList<HubFile> all, string? wanted)
    {
        List<HubFile[]> sets =
        [
            .. all.Where(file => IsModel(file.Path))
                .OrderBy(file => file.Path, StringComparer.Ordinal)
                .GroupBy(file => Key(file.Path), StringComparer.Ordinal)
                .Select(set => set.ToArray()),
        ];
        if (sets.Count == 0)
            throw new HubException(
                HubProblem.NotFound,
                wanted is null
                    ? $"{repository}: it has no {WeightFiles.Extension} files with a config.json, no adapter and no "
                        + "GGUF: nothing that this engine reads."
                    : $"{repository}: it has no GGUF, and so none that is '{Printable.Name(wanted)}'. Leave the file "
                        + "out."
            );
        List<HubFile[]> meant = wanted is null
            ? sets
            : [.. sets.Where(set => set.Any(file => IsMeant(file.Path, wanted)))];
        // Beside Q4_K_M there may be UD-Q4_K_M, which only its longer name means.
        if (meant.Count > 1)
            meant = meant
                .Where(set => !set[0].Path.Contains($"UD-{wanted}", StringComparison.OrdinalIgnoreCase))
                .ToList()
                is { Count: 1 } plain
                ? plain
                : meant;
        return meant is [var one]
            ? new ChosenFiles([], one, one[0].Path)
            : throw new HubException(
                meant.Count == 0 ? HubProblem.NotFound : HubProblem.Ambiguous,
                $"{repository}: "
                    + (
                        meant.Count == 0 ? $"it has no GGUF '{Printable.Name(wanted!)}', but "
                        : wanted is null ? $"it has {sets.Count} GGUF models; name one of them: "
                        : $"'{Printable.Name(wanted)}' means {meant.Count} GGUF models; name one of them: "
                    )
                    + string.Join(", ", (meant.Count == 0 ? sets : meant).Select(Described))
                    + "."
            );
    }

    private static string Described(HubFile[] set) =>
        $"{Printable.Name(set[0].Path)} ({Sizes.Text(set.Sum(file => file.Bytes))}"
        + (set.Length == 1 ? ")" : string.Create(CultureInfo.InvariantCulture, $" in {set.Length} files)"));

    private static bool IsWeights(string path) =>
        path.EndsWith(WeightFiles.Extension, StringComparison.Ordinal) && !WeightFiles.IsAdapter(path);

    // What lies beside models: the eyes of other models, and the statistics that quantising used.
    private static bool IsModel(string path) =>
        path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)
        && !path.Contains("mmproj", StringComparison.OrdinalIgnoreCase)
        && !path.Contains("imatrix", StringComparison.OrdinalIgnoreCase);

    private static string Key(string path) => PartNumber().Replace(path, "-of-");

    [GeneratedRegex(@"-[0-9]{5}-of-(?=[0-9]{5}\.gguf$)", RegexOptions.CultureInvariant)]
    private static partial Regex PartNumber();
}

using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>LM Studio's folder: <c>PUBLISHER/REPOSITORY/*.gguf</c>, files as they were downloaded.</summary>
internal sealed class LmStudioStore(Surroundings surroundings) : FileStore
{
    public override ModelStore Kind => ModelStore.LmStudio;

    public override string Title => "LM Studio";

    public override string Prefix => "lmstudio:";

    public override IReadOnlyList<string> Roots { get; } =
    [
        Path.Join(surroundings.Home, ".lmstudio", "models"),
        Path.Join(surroundings.Home, ".cache", "lm-studio", "models"), // until 2024
    ];

    public override IEnumerable<string> Names() =>
        from root in Roots
        from publisher in Folders(root)
        from repository in Folders(Path.Join(root, publisher))
        from name in NamesIn(root, $"{publisher}/{repository}")
        select name;

    public override FoundModel? Find(string name)
    {
        if (name.Split('/') is not [var publisher, var repository, .. var file] || file.Length > 1)
            return null;
        if (!((string[])[publisher, repository, .. file]).All(WeightFiles.IsPlainName))
            return null;
        foreach (string root in Roots)
        {
            string folder = Path.Join(root, publisher, repository),
                path = file is [var one] ? Path.Join(folder, one) : folder;
            if (!Path.Exists(path))
                continue;
            ModelLook look = file.Length > 0 ? ModelLook.AtFile(path) : InFolder(folder);
            return new FoundModel($"{Prefix}{name}", look.Path, Kind, look.Format, look.Bytes, Revision: null);
        }
        return null;
    }

    public override IEnumerable<string> NamesOf(RepositoryName repository) =>
        from name in Names()
        let parts = name.Split('/')
        where
            parts[0] == repository.Owner && parts[1] == repository.Name
            || repository.IsPublished && repository.IsSameModel(parts[1])
        select name;

    private static ModelLook InFolder(string folder) =>
        GgufSet.In(folder, isNested: false) switch
        {
            [var one] => ModelLook.AtFile(one.Path),
            { Count: > 1 } several => throw FolderLook.Several(folder, [.. several.Select(set => set.Path)]),
            _ => throw FolderLook.NoConfig(folder),
        };

    // With one model the name of the repository is enough.
    private static IEnumerable<string> NamesIn(string root, string repository)
    {
        List<GgufSet> sets = GgufSet.In(Path.Join(root, repository), isNested: false);
        return sets.Count == 1 ? [repository] : sets.Select(set => $"{repository}/{Path.GetFileName(set.Path)}");
    }
}

using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>The cache that Hugging Face's tools and this library's own download share.</summary>
internal sealed class HuggingFaceStore(string hub) : FileStore
{
    private const string ConfigName = "config.json";

    public HuggingFaceStore(Surroundings surroundings)
        : this(HubLayout.HubOf(surroundings)) { }

    public override ModelStore Kind => ModelStore.HuggingFace;

    public override string Title => "Hugging Face";

    public override string Prefix => "hf:";

    public override IReadOnlyList<string> Roots => [hub];

    public override IEnumerable<string> Names() =>
        from layout in HubLayout.All(hub)
        let main = layout.Commit(RepositoryName.MainRevision) ?? Only(layout)
        from commit in layout.Commits()
        from file in FilesIn(layout.Snapshot(commit))
        select layout.Repository + (commit == main ? "" : $"@{commit}") + file;

    public override FoundModel? Find(string name)
    {
        if (!TryParse(name, out RepositoryName repository, out string revision, out string? file))
            return null;
        var layout = new HubLayout(hub, repository);
        string? commit = layout.Commit(revision) ?? (revision == RepositoryName.MainRevision ? Only(layout) : null);
        if (commit is null || !Directory.Exists(layout.Snapshot(commit)))
            return
                layout.Plans().FirstOrDefault(plan => plan.Revision == revision || plan.Commit == revision) is { } plan
                ? throw Incomplete(layout, plan)
                : null;
        ModelLook look;
        try
        {
            look = Look(layout.Snapshot(commit), file);
        }
        catch (CheckpointException) when (layout.Plans().FirstOrDefault(p => p.Commit == commit) is { } begun)
        {
            throw Incomplete(layout, begun);
        }
        return new FoundModel(NameOf(name, repository), look.Path, Kind, look.Format, look.Bytes, commit);
    }

    public override IEnumerable<string> NamesOf(RepositoryName repository) =>
        Directory.Exists(new HubLayout(hub, repository).Folder)
            ? [repository.ToString(), .. Others(repository)]
            : Others(repository);

    public override string? FetchCommand(string name) =>
        TryParse(name, out RepositoryName repository, out string revision, out string? file)
            ? DownloadPlan.CommandOf(repository, file, revision)
            : null;

    private IEnumerable<string> Others(RepositoryName repository) =>
        repository.IsPublished
            ? Names()
                .Where(name =>
                    TryParse(name, out RepositoryName other, out _, out _)
                    && other != repository
                    && repository.IsSameModel(other.Name)
                )
            : [];

    /// <summary>Reads a name in the form <c>OWNER/NAME[@REVISION][/FILE]</c>.</summary>
    private static bool TryParse(string text, out RepositoryName name, out string revision, out string? file)
    {
        revision = RepositoryName.MainRevision;
        file = null;
        if (RepositoryName.TryParse(text, out name))
            return true;
        int slash = text.IndexOf('/', StringComparison.Ordinal),
            at = text.IndexOf('@', StringComparison.Ordinal);
        int second = slash < 0 ? -1 : text.IndexOf('/', Math.Max(slash, at) + 1);
        string head = second < 0 ? text : text[..second];
        file = second < 0 ? null : text[(second + 1)..];
        if (at >= 0 && at < head.Length)
        {
            revision = head[(at + 1)..];
            head = head[..at];
        }
        return RepositoryName.TryParse(head, out name)
            && HubFile.IsSafePath(revision)
            && (file is null || HubFile.IsSafePath(file));
    }

    private static ModelLook Look(string snapshot, string? file)
    {
        if (file is not null)
            return ModelLook.AtFile(Path.Join(snapshot, file));
        if (Path.Exists(Path.Join(snapshot, ConfigName)))
        {
            List<GgufSet> beside = ModelLook.HasWeights(snapshot) ? [] : GgufSet.In(snapshot, isNested: true);
            if (beside.Count == 0)
                return ModelLook.AtFolder(snapshot);
        }
        return GgufSet.In(snapshot, isNested: true) switch
        {
            [var one] => ModelLook.AtFile(one.Path),
            { Count: > 1 } several => throw FolderLook.Several(snapshot, [.. several.Select(set => set.Path)]),
            _ => throw FolderLook.NoConfig(snapshot),
        };
    }

    // What follows the repository in the names of what a snapshot holds.
    private static string[] FilesIn(string snapshot)
    {
        bool isFolder = File.Exists(Path.Join(snapshot, ConfigName)) && ModelLook.HasWeights(snapshot);
        List<GgufSet> sets = GgufSet.In(snapshot, isNested: true);
        return
        [
            .. isFolder ? new[] { "" } : [],
            .. !isFolder && sets.Count == 1
                ? [""]
                : sets.Select(set => "/" + Path.GetRelativePath(snapshot, set.Path).Replace('\\', '/')),
        ];
    }

    private static string? Only(HubLayout layout) => layout.Commits().ToArray() is [var one] ? one : null;

    // A name that finds the model without a prefix stays without; with more than the repository it needs one.
    private string NameOf(string name, RepositoryName repository) =>
        RepositoryName.TryParse(name, out _) ? repository.Short : Prefix + name;

    private static CheckpointException Incomplete(HubLayout layout, DownloadPlan plan) =>
        new(
            layout.Folder,
            $"is not complete: {Sizes.Part(layout.Have(plan), plan.Files.Sum(file => file.Bytes))}. Run "
                + $"'{plan.Command}' to go on."
        );
}

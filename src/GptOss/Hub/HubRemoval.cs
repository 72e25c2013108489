namespace GptOss.Hub;

/// <summary>What is removed from a cache of Hugging Face, and nothing that another snapshot needs.</summary>
internal sealed class HubRemoval
{
    private static readonly EnumerationOptions Everything = new()
    {
        RecurseSubdirectories = true,
        AttributesToSkip = 0,
        IgnoreInaccessible = false,
    };

    private readonly HubLayout _layout;
    private readonly string _what;
    private readonly List<string> _files = [];
    private string? _snapshot;

    private HubRemoval(HubLayout layout, string what)
    {
        _layout = layout;
        _what = what;
    }

    /// <summary>Bytes that become free.</summary>
    public long Bytes { get; private set; }

    /// <summary>
    /// A snapshot, the refs to it, and the blobs that no other snapshot links to; null where there is none.
    /// </summary>
    /// <param name="layout">The repository in the cache.</param>
    /// <param name="revision">A branch, a tag or a commit; null for main, or the only snapshot.</param>
    public static HubRemoval? OfSnapshot(HubLayout layout, string? revision)
    {
        string? commit = layout.Commit(revision ?? RepositoryName.MainRevision)
            ?? (revision is null && layout.Commits().ToArray() is [var only] ? only : null);
        if (commit is null || !Directory.Exists(layout.Snapshot(commit)))
            return null;
        var removal = new HubRemoval(layout, $"{layout.Repository} @ {commit[..7]}")
        {
            _snapshot = layout.Snapshot(commit),
        };
        HashSet<string> others =
        [
            .. layout.Commits().Where(other => other != commit).SelectMany(other => Blobs(layout, other)),
        ];
        foreach (string blob in Blobs(layout, commit).Distinct().Where(blob => !others.Contains(blob)))
            removal.Add(blob);
        foreach (string file in GgufSet.FilesIn(removal._snapshot, isNested: true))
            if (new FileInfo(file) is { LinkTarget: null } real)
                removal.Bytes += real.Length;
        removal._files.AddRange(
            layout.AllRefs().Where(name => name.Commit == commit).Select(name => Path.Join(layout.Refs, name.Name))
        );
        return removal;
    }

    /// <summary>
    /// What downloads left that did not end: beginnings of files, plans, and blobs of plans that no snapshot links to;
    /// null where there is nothing.
    /// </summary>
    public static HubRemoval? OfPartial(HubLayout layout)
    {
        var removal = new HubRemoval(layout, $"what is not complete of {layout.Repository}");
        HashSet<string> linked = [.. layout.Commits().SelectMany(commit => Blobs(layout, commit))];
        foreach (
            string blob in layout
                .Plans()
                .SelectMany(plan => plan.Files)
                .Select(file => layout.Blob(file.ETag))
                .Distinct()
        )
            if (File.Exists(blob) && !linked.Contains(blob))
                removal.Add(blob);
        foreach (string file in GgufSet.FilesIn(layout.Blobs, isNested: false))
            if (file.EndsWith(HubLayout.Incomplete, StringComparison.Ordinal) || IsOurs(file))
                removal.Add(file);
        return removal._files.Count > 0 ? removal : null;
    }

    /// <summary>Removes all of it.</summary>
    /// <exception cref="HubException">Another process fetches one of the files; nothing was removed.</exception>
    public void Run()
    {
        List<IDisposable> locks = [];
        try
        {
            // A blob and the beginning of it have one lock, which can be taken once.
            foreach (string etag in _files.Select(file => Path.GetFileName(file).Split('.')[0]).Distinct())
            {
                string path = _layout.Lock(etag);
                if (!File.Exists(path))
                    continue;
                locks.Add(
                    FileLock.TryTake(path)
                        ?? throw new HubException(
                            HubProblem.Busy,
                            $"{_layout.Repository}: another process fetches '{etag}'. Nothing was removed: wait for "
                                + "its end, or stop it."
                        )
                );
            }
            // The snapshot first: a folder with a config.json is a whole one.
            if (_snapshot is not null)
                Directory.Delete(_snapshot, recursive: true);
            _files.ForEach(File.Delete);
            if (!_layout.Commits().Any() && GgufSet.FilesIn(_layout.Blobs, isNested: false).Length == 0)
                Directory.Delete(_layout.Folder, recursive: true);
        }
        finally
        {
            locks.ForEach(held => held.Dispose());
        }
    }

    public override string ToString() => $"{_what} ({Sizes.Text(Bytes)})";

    private void Add(string file)
    {
        _files.Add(file);
        Bytes += new FileInfo(file).Length;
    }

    private static bool IsOurs(string file) =>
        file.EndsWith(DownloadPlan.Extension, StringComparison.Ordinal)
        || file.EndsWith(HubLayout.Beside, StringComparison.Ordinal);

    // The blobs that the links of a snapshot lead to, however many and deep these are: one that was not seen here would
    // lose its blob to the removal of another snapshot.
    private static IEnumerable<string> Blobs(HubLayout layout, string commit) =>
        from file in Directory.EnumerateFiles(layout.Snapshot(commit), "*", Everything)
        let target = new FileInfo(file).LinkTarget
        where target is not null
        let blob = layout.Blob(Path.GetFileName(target))
        where File.Exists(blob)
        select blob;
}

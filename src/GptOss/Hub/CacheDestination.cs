using System.Text;

namespace GptOss.Hub;

/// <summary>
/// A cache of Hugging Face: blobs by their hash, and a snapshot of links to them. Where links cannot be made the files
/// themselves lie in the snapshot.
/// </summary>
/// <remarks>Source: huggingface_hub, file_download.py (_create_symlink).</remarks>
internal sealed class CacheDestination : IDestination
{
    private readonly HubLayout _layout;
    private readonly string _commit;
    private readonly bool _links;

    /// <summary>Makes the folders of the repository.</summary>
    /// <param name="layout">Where its files lie.</param>
    /// <param name="commit">The commit whose files are fetched.</param>
    /// <param name="mayLink">Tells for a folder whether it takes links.</param>
    public CacheDestination(HubLayout layout, string commit, Func<string, bool> mayLink)
    {
        _layout = layout;
        _commit = commit;
        bool isNew = !Directory.Exists(layout.Hub);
        Directory.CreateDirectory(layout.Blobs);
        Directory.CreateDirectory(layout.Snapshots); // the scanner of Hugging Face's tools complains without it
        if (isNew)
            Tag(layout.Hub);
        _links = mayLink(layout.Blobs);
    }

    public string Root => _layout.Folder;

    public string Partial(HubFile file) => _layout.Partial(file.ETag);

    public string Staged(HubFile file) =>
        _links || ChosenFiles.IsConfig(file) ? _layout.Blob(file.ETag) : Place(file.Path);

    public string? PathOf(HubFile file) =>
        HubFile.HasLength(_layout.Blob(file.ETag), file.Bytes) ? _layout.Blob(file.ETag)
        : HubFile.HasLength(Place(file.Path), file.Bytes) ? Place(file.Path)
        : null;

    // A blob has the name of its content, and a snapshot is of one commit: their lengths are enough.
    public Task LookAsync(IReadOnlyList<HubFile> files, CancellationToken cancellation) => Task.CompletedTask;

    public void Arrived(HubFile file) { }

    public string Lock(HubFile file) => _layout.Lock(file.ETag);

    public void Begin(DownloadPlan plan) => Replace(_layout.Plan(plan), plan.ToJson());

    public void Finish(DownloadPlan plan)
    {
        foreach (HubFile file in plan.Files)
            Put(file);
        WriteRef(plan.Revision);
        // The plan of another GGUF of this commit may have files that are still missing.
        foreach (DownloadPlan ended in _layout.Plans().Where(IsWhole).ToArray())
            File.Delete(_layout.Plan(ended));
    }

    public string Place(string? path) =>
        path is null ? _layout.Snapshot(_commit) : Path.Join(_layout.Snapshot(_commit), path);

    private bool IsWhole(DownloadPlan plan) =>
        plan.Commit == _commit && plan.Files.All(file => PathOf(file) is not null);

    private void Put(HubFile file)
    {
        string place = Place(file.Path),
            blob = _layout.Blob(file.ETag);
        if (IsInPlace(file))
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
        try
        {
            if (!_links)
                File.Move(blob, place, overwrite: true);
            else
            {
                new FileInfo(place).Delete(); // a link to another blob, or to none
                File.CreateSymbolicLink(place, Target(file));
            }
        }
        catch (IOException) when (IsInPlace(file))
        {
            // Another process that fetches the same model was faster.
        }
    }

    private bool IsInPlace(HubFile file)
    {
        string place = Place(file.Path);
        return _links && File.Exists(_layout.Blob(file.ETag))
            ? new FileInfo(place).LinkTarget == Target(file)
            : HubFile.HasLength(place, file.Bytes);
    }

    /// <summary>The blob as seen from the file's folder in the snapshot.</summary>
    private static string Target(HubFile file)
    {
        const int FoldersOfSnapshot = 2;
        int up = FoldersOfSnapshot + file.Path.Count(c => c == '/');
        return Path.Join([.. Enumerable.Repeat("..", up), "blobs", file.ETag]);
    }

    private void WriteRef(string revision)
    {
        string path = Path.Join(_layout.Refs, revision);
        if (revision == _commit || _layout.Commit(revision) == _commit)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Replace(path, Encoding.ASCII.GetBytes(_commit));
    }

    // Written among the blobs and moved: who reads refs never sees another file there, or half of this one. The name
    // is nobody else's, since two processes may do this at once.
    private void Replace(string path, byte[] content)
    {
        string beside = Path.Join(_layout.Blobs, Path.GetRandomFileName() + HubLayout.Beside);
        File.WriteAllBytes(beside, content);
        File.Move(beside, path, overwrite: true);
    }

    // Programs that make copies of disks leave out folders with this file. Source: bford.info/cachedir.
    private static void Tag(string hub) =>
        File.WriteAllText(
            Path.Join(hub, "CACHEDIR.TAG"),
            "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of models, which can be downloaded again.\n"
        );
}

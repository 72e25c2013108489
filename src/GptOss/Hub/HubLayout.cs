using System.Text;
using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>Where the files of one repository lie in a cache of Hugging Face.</summary>
/// <remarks>
/// <c>refs/REV</c> holds a commit, <c>snapshots/COMMIT/PATH</c> is a link to <c>blobs/ETAG</c>. What is not yet whole
/// is <c>blobs/ETAG.gptoss.incomplete</c>. Source: huggingface_hub, file_download.py.
/// </remarks>
/// <param name="hub">The folder of the cache.</param>
/// <param name="repository">Whose files these are.</param>
internal sealed class HubLayout(string hub, RepositoryName repository)
{
    /// <summary>What the name of a partial file of ours ends in.</summary>
    public const string Incomplete = ".gptoss.incomplete";

    /// <summary>What the name of a file ends in that is moved to its place at once.</summary>
    public const string Beside = ".gptoss.new";

    // The digits of a commit, and what an editor may have put behind them.
    private const int MostRefBytes = 255;

    private readonly string _folderName = $"{HubCache.RepositoryStart}{repository.Owner}--{repository.Name}";

    public RepositoryName Repository { get; } = repository;

    /// <summary>The folder of the whole cache, which all repositories share.</summary>
    public string Hub { get; } = hub;

    public string Folder => Path.Join(Hub, _folderName);

    public string Snapshots => Path.Join(Folder, "snapshots");

    public string Blobs => Path.Join(Folder, "blobs");

    public string Refs => Path.Join(Folder, "refs");

    public string Snapshot(string commit) => Path.Join(Snapshots, commit);

    public string Blob(string etag) => Path.Join(Blobs, etag);

    public string Partial(string etag) => Path.Join(Blobs, etag + Incomplete);

    /// <summary>Where a plan is kept: of one GGUF among several beside the plans of the others.</summary>
    public string Plan(DownloadPlan plan) =>
        Path.Join(
            Blobs,
            plan.Commit
                + (plan.File is null || plan.Files is not [var first, ..] ? "" : "." + first.ETag)
                + DownloadPlan.Extension
        );

    public string Lock(string etag) => Path.Join(Hub, ".locks", _folderName, etag + ".lock");

    /// <summary>The folder of the cache: by the variables of Hugging Face's tools.</summary>
    public static string HubOf(Surroundings surroundings) =>
        surroundings.Folder("HF_HUB_CACHE")
        ?? surroundings.Folder("HUGGINGFACE_HUB_CACHE")
        ?? Path.Join(Home(surroundings), "hub");

    /// <summary>The folder of Hugging Face's tools, which also holds the token.</summary>
    public static string Home(Surroundings surroundings) =>
        surroundings.Folder("HF_HOME") ?? Path.Join(surroundings.Cache, "huggingface");

    /// <summary>The repositories that the cache has a folder of.</summary>
    public static IEnumerable<HubLayout> All(string hub) =>
        from folder in Entries(hub)
        where folder.StartsWith(HubCache.RepositoryStart, StringComparison.Ordinal)
        let name = HubCache.Repository(folder)
        where name is not null && RepositoryName.TryParse(name, out _)
        select new HubLayout(hub, Parsed(name));

    /// <summary>The commit that a revision is here; null where this cache does not know it.</summary>
    public string? Commit(string revision)
    {
        if (Directory.Exists(Snapshot(revision)) && HubFile.IsCommit(revision))
            return revision;
        if (!HubFile.IsSafePath(revision) || !File.Exists(Path.Join(Refs, revision)))
            return null;
        try
        {
            byte[] content = RegularFile.ReadAll(Path.Join(Refs, revision), MostRefBytes);
            string commit = Encoding.ASCII.GetString(content).Trim();
            return HubFile.IsCommit(commit) ? commit : null;
        }
        catch (Exception e) when (e is CheckpointException || RegularFile.IsFileTrouble(e))
        {
            return null; // no file at all, but a pipe, or one that is far too long
        }
    }

    /// <summary>The commits whose snapshots lie here.</summary>
    public IEnumerable<string> Commits() => Entries(Snapshots).Where(HubFile.IsCommit);

    /// <summary>The names and commits of all refs, also of those with slashes.</summary>
    public IEnumerable<(string Name, string Commit)> AllRefs() =>
        from path in GgufSet.FilesIn(Refs, isNested: true)
        let name = Path.GetRelativePath(Refs, path).Replace('\\', '/')
        let commit = Commit(name)
        where commit is not null
        select (name, commit);

    /// <summary>The plans of downloads that did not come to their end.</summary>
    public IEnumerable<DownloadPlan> Plans() => PlansIn(Blobs);

    /// <summary>The plan that a partial file belongs to, and the file in it; null where there is none.</summary>
    public static (DownloadPlan Plan, HubFile File)? PlanOf(string partial)
    {
        string etag = Path.GetFileName(partial).Split('.')[0];
        foreach (DownloadPlan plan in PlansIn(Path.GetDirectoryName(Path.GetFullPath(partial))!))
            if (plan.Files.FirstOrDefault(file => file.ETag == etag) is { } file)
                return (plan, file);
        return null;
    }

    private static IEnumerable<DownloadPlan> PlansIn(string folder)
    {
        foreach (string path in GgufSet.FilesIn(folder, isNested: false))
            if (path.EndsWith(DownloadPlan.Extension, StringComparison.Ordinal) && TryRead(path) is { } plan)
                yield return plan;
    }

    /// <summary>Links of snapshots whose blob is not there.</summary>
    public IEnumerable<string> BrokenLinks() =>
        from commit in Commits()
        from file in GgufSet.FilesIn(Snapshot(commit), isNested: true)
        where new FileInfo(file).LinkTarget is not null && HubFile.Real(file) is not { Exists: true }
        select file;

    /// <summary>Bytes of a plan that are here, whole files and beginnings of files.</summary>
    public long Have(DownloadPlan plan) => plan.Files.Sum(Have);

    /// <summary>Bytes of a file that are here.</summary>
    public long Have(HubFile file) =>
        Math.Min(
            file.Bytes,
            new FileInfo(Blob(file.ETag)) is { Exists: true } whole ? whole.Length
                : new FileInfo(Partial(file.ETag)) is { Exists: true } part ? part.Length
                : 0
        );

    private static RepositoryName Parsed(string text) =>
        RepositoryName.TryParse(text, out RepositoryName name) ? name : default;

    private static DownloadPlan? TryRead(string path)
    {
        try
        {
            return DownloadPlan.Read(path);
        }
        catch (CheckpointException)
        {
            return null; // somebody else's file, or the rest of a process that was killed: a new pull writes it anew
        }
    }

    private static string[] Entries(string folder)
    {
        try
        {
            return
            [
                .. Directory
                    .EnumerateDirectories(folder)
                    .Select(path => Path.GetFileName(path))
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception e) when (RegularFile.IsFileTrouble(e))
        {
            return [];
        }
    }
}

namespace GptOss.Hub;

/// <summary>Where a download puts its files: into the cache, or plainly into a folder.</summary>
/// <remarks>
/// A verified file is staged, and all are put in place together at the end: a folder with a config.json is a whole one.
/// </remarks>
internal interface IDestination
{
    /// <summary>The folder that everything is below, made where it is missing.</summary>
    string Root { get; }

    /// <summary>Where the beginning of a file is while it is fetched.</summary>
    string Partial(HubFile file);

    /// <summary>Where a verified file waits for the others.</summary>
    string Staged(HubFile file);

    /// <summary>Where a file is now, in place or staged; null where it is not here.</summary>
    string? PathOf(HubFile file);

    /// <summary>Looks which of the files are here, once for all.</summary>
    Task LookAsync(IReadOnlyList<HubFile> files, CancellationToken cancellation);

    /// <summary>A file has been verified and staged.</summary>
    void Arrived(HubFile file);

    /// <summary>The lock of a file; null where the file itself is one.</summary>
    string? Lock(HubFile file);

    /// <summary>Keeps what is to be fetched, so that others can tell what is missing.</summary>
    void Begin(DownloadPlan plan);

    /// <summary>Puts all files in place, in their order.</summary>
    void Finish(DownloadPlan plan);

    /// <summary>Where a file is in the end; of null the folder of all.</summary>
    string Place(string? path);
}

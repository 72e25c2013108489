using System.Collections.Concurrent;

namespace GptOss.Hub;

/// <summary>Plain files in a folder of the user's choice.</summary>
/// <remarks>
/// Nothing there tells of which commit a file is, and all fine-tunes have the same lengths: what is here is read.
/// </remarks>
/// <param name="folder">The folder, which is made.</param>
internal sealed class FolderDestination(string folder) : IDestination
{
    private readonly ConcurrentDictionary<string, string> _here = new();

    public string Root => folder;

    public string Partial(HubFile file) => Place(file.Path) + HubLayout.Incomplete;

    public string Staged(HubFile file) =>
        ChosenFiles.IsConfig(file) ? Place(file.Path) + ".gptoss.whole" : Place(file.Path);

    public string? PathOf(HubFile file) => _here.GetValueOrDefault(file.Path);

    public async Task LookAsync(IReadOnlyList<HubFile> files, CancellationToken cancellation)
    {
        foreach (HubFile file in files)
            RequireWithin(file);
        foreach (HubFile file in files.Where(file => PathOf(file) is null))
        foreach (string path in (string[])[Place(file.Path), Staged(file)])
            if (
                HubFile.HasLength(path, file.Bytes)
                && await FileHash.OfFileAsync(path, file, cancellation).ConfigureAwait(false) == file.ETag
            )
                _here[file.Path] = path;
    }

    public void Arrived(HubFile file) => _here[file.Path] = Staged(file);

    public string? Lock(HubFile file) => null;

    public void Begin(DownloadPlan plan) { }

    public void Finish(DownloadPlan plan)
    {
        foreach (HubFile file in plan.Files)
            if (Staged(file) is var staged && staged != Place(file.Path) && File.Exists(staged))
                File.Move(staged, Place(file.Path), overwrite: true);
    }

    // A folder from elsewhere may have a link in the place of one of its folders, and where that leads is not ours.
    private void RequireWithin(HubFile file)
    {
        for (
            string? below = Path.GetDirectoryName(file.Path);
            !string.IsNullOrEmpty(below);
            below = Path.GetDirectoryName(below)
        )
            if (new DirectoryInfo(Place(below)) is { LinkTarget: { } target } link)
                throw new IOException(
                    $"{link.FullName} is a link to '{Printable.Target(target)}', but should be a folder: delete the "
                        + "link, or give that folder instead."
                );
    }

    public string Place(string? path) => path is null ? folder : Path.Join(folder, path);
}

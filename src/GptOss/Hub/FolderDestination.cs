namespace GptOss.Hub;

/// <summary>Plain files in a folder of the user's choice.</summary>
/// <param name="folder">The folder, which is made.</param>
internal sealed class FolderDestination(string folder) : IDestination
{
    public string Root => folder;

    public string Setting => "--to (HubOptions.Folder)";

    public string Partial(HubFile file) => Place(file.Path) + HubLayout.Incomplete;

    public string Staged(HubFile file) =>
        ChosenFiles.IsConfig(file) ? Place(file.Path) + ".gptoss.whole" : Place(file.Path);

    public string? PathOf(HubFile file) =>
        HubFile.HasLength(Place(file.Path), file.Bytes) ? Place(file.Path)
        : HubFile.HasLength(Staged(file), file.Bytes) ? Staged(file)
        : null;

    public string? Lock(HubFile file) => null;

    public void Begin(DownloadPlan plan) { }

    public void Finish(DownloadPlan plan)
    {
        foreach (HubFile file in plan.Files)
            if (Staged(file) is var staged && staged != Place(file.Path) && File.Exists(staged))
                File.Move(staged, Place(file.Path), overwrite: true);
    }

    public string Place(string? path) => path is null ? folder : Path.Join(folder, path);
}

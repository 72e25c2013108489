namespace GptOss.Hub;

/// <summary>What a download gives where the environment forbids requests: what the cache has, if it has all.</summary>
internal static class OfflineModel
{
    /// <exception cref="HubException">Something is missing; the message lists it.</exception>
    public static string Path(RepositoryName repository, HubSettings settings)
    {
        if (settings.Folder is { } folder)
            return InFolder(repository, folder);
        var layout = new HubLayout(settings.Cache, repository);
        string? file = settings.File is { } wanted ? FileOf(layout, settings.Revision, wanted) : null;
        string problem = settings.File is null
            ? "nothing of it is here"
            : $"'{Printable.Name(settings.File)}' is not here";
        try
        {
            string name = $"{repository}@{settings.Revision}{(file is null ? "" : $"/{file}")}";
            if (
                file is not null == settings.File is not null
                && new HuggingFaceStore(settings.Cache).Find(name) is { } found
            )
                return found.Path;
        }
        catch (CheckpointException e)
        {
            problem = e.Message;
        }
        throw Missing(repository, MissingFiles(layout, settings) ?? problem);
    }

    // The files that a download has begun and not ended.
    private static string? MissingFiles(HubLayout layout, HubSettings settings)
    {
        DownloadPlan? plan = layout
            .Plans()
            .FirstOrDefault(plan => plan.Revision == settings.Revision || plan.Commit == settings.Revision);
        if (plan is null)
            return null;
        string[] files =
        [
            .. from file in plan.Files
            let have = layout.Have(file)
            where have < file.Bytes
            select $"'{file.Path}' ({Sizes.Part(have, file.Bytes)})",
        ];
        return files.Length > 0
            ? $"{string.Join(", ", files)} is not complete"
            : "its download was ended before the files were put in place";
    }

    private static string InFolder(RepositoryName repository, string folder)
    {
        try
        {
            return ModelLook.At(folder).Path;
        }
        catch (CheckpointException e)
        {
            throw Missing(repository, e.Message);
        }
    }

    private static string? FileOf(HubLayout layout, string revision, string wanted)
    {
        if (layout.Commit(revision) is not { } commit)
            return null;
        string snapshot = layout.Snapshot(commit);
        GgufSet? meant = GgufSet
            .In(snapshot, isNested: true)
            .Find(set => set.Files.Any(path => ChosenFiles.IsMeant(InRepository(path), wanted)));
        return meant is null ? null : InRepository(meant.Path);

        string InRepository(string path) => System.IO.Path.GetRelativePath(snapshot, path).Replace('\\', '/');
    }

    private static HubException Missing(RepositoryName repository, string what) =>
        new(
            HubProblem.Offline,
            $"{repository}: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids requests, and {what.TrimEnd('.')}. "
                + "Unset it to download."
        );
}

using GptOss.Cli.Shell;
using GptOss.Hub;
using GptOss.Kernels.Registers;

namespace GptOss.Cli.Models;

/// <summary>What is wrong on this machine, each as a sentence with what to do.</summary>
internal static class Problems
{
    public static IEnumerable<string> OfMachineAndStores()
    {
        if (Processor.Unused.Count > 0)
            yield return $"This process does not use {string.Join(" and ", Processor.Unused)}, which the processor "
                + "has, and is many times slower: docs/performance.md says why.";
        if (OpenSslMissing() is { } missing)
            yield return missing;
        foreach (HubLayout layout in HubLayout.All(HubLayout.HubOf(Surroundings.OfProcess())))
        {
            foreach (DownloadPlan plan in layout.Plans())
                yield return $"{plan.Repository.Short} is not complete: "
                    + $"{Sizes.Part(layout.Have(plan), plan.Files.Sum(file => file.Bytes))}. '{plan.Command}' goes on.";
            foreach (string problem in OfRepository(layout))
                yield return problem;
        }
    }

    /// <summary>Reads files whose names are the hashes of their content, and compares the two.</summary>
    /// <param name="models">The models whose files are read.</param>
    /// <param name="isAll">Whether all blobs of Hugging Face's cache are read, those of other models, too.</param>
    /// <param name="cancellation">Ends the reading early.</param>
    public static async Task<List<string>> OfHashesAsync(
        IReadOnlyList<FoundModel> models,
        bool isAll,
        CancellationToken cancellation
    )
    {
        OpenSsl.Require();
        SortedSet<string> blobs = new(models.SelectMany(NamedFiles.OfModel), StringComparer.Ordinal);
        if (isAll)
            foreach (HubLayout layout in HubLayout.All(HubLayout.HubOf(Surroundings.OfProcess())))
                blobs.UnionWith(NamedFiles.In(layout.Blobs));
        List<string> problems = [];
        foreach (string blob in blobs)
        {
            Failure.WriteLine($"reading {blob}");
            if (await NamedFiles.IsIntactAsync(blob, cancellation).ConfigureAwait(false))
                continue;
            problems.Add($"{blob} does not have the content that its name says: delete it and fetch the model again.");
        }
        if (blobs.Count == 0)
            problems.Add("No file here is named by its hash, so that nothing could be compared.");
        return problems;
    }

    private static IEnumerable<string> OfRepository(HubLayout layout)
    {
        foreach (string file in layout.BrokenLinks())
            yield return $"{file} is a link to nothing. 'gptoss pull {layout.Repository.Short}' makes it whole.";
        HashSet<string> planned = [.. layout.Plans().SelectMany(plan => plan.Files).Select(file => file.ETag)];
        foreach (string file in GgufSet.FilesIn(layout.Blobs, isNested: false))
            if (
                file.EndsWith(".incomplete", StringComparison.Ordinal)
                && !planned.Contains(Path.GetFileName(file).Split('.')[0])
            )
                yield return $"{file} ({Sizes.Text(new FileInfo(file).Length)}) is what a download left that did not "
                    + "end. Delete it, or pull again.";
        foreach ((string name, string commit) in layout.AllRefs())
            if (!Directory.Exists(layout.Snapshot(commit)))
                yield return $"{Path.Join(layout.Refs, name)} names a snapshot that is not there. "
                    + $"'gptoss pull {layout.Repository.Short}' fetches it.";
    }

    private static string? OpenSslMissing()
    {
        try
        {
            OpenSsl.Require();
            return null;
        }
        catch (HubException e)
        {
            return e.Message;
        }
    }
}

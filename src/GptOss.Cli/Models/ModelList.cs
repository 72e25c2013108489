using GptOss.Hub;

namespace GptOss.Cli.Models;

/// <summary>What <c>gptoss list</c> shows: the models of all stores, and downloads that did not end.</summary>
/// <param name="Models">Whole models, store by store.</param>
/// <param name="Partial">Downloads of this tool that did not end.</param>
internal sealed record ModelList(IReadOnlyList<FoundModel> Models, IReadOnlyList<PartialModel> Partial)
{
    /// <summary>Everything that is on this machine.</summary>
    public static ModelList Here() =>
        new(
            GptOssFiles.List(),
            [
                .. from layout in HubLayout.All(HubLayout.HubOf(Surroundings.OfProcess()))
                from plan in layout.Plans()
                select PartialModel.Of(layout, plan),
            ]
        );
}

/// <summary>A download that did not end.</summary>
/// <param name="Name">The repository's shortest name.</param>
/// <param name="Revision">The commit that is fetched.</param>
/// <param name="HaveBytes">Bytes that are here.</param>
/// <param name="TotalBytes">Bytes that are needed.</param>
/// <param name="Missing">The files that are not whole.</param>
/// <param name="Command">The command that goes on.</param>
internal sealed record PartialModel(
    string Name,
    string Revision,
    long HaveBytes,
    long TotalBytes,
    IReadOnlyList<string> Missing,
    string Command
)
{
    public static PartialModel Of(HubLayout layout, DownloadPlan plan) =>
        new(
            plan.Repository.Short,
            plan.Commit,
            layout.Have(plan),
            plan.Files.Sum(file => file.Bytes),
            [.. plan.Files.Where(file => layout.Have(file) < file.Bytes).Select(file => file.Path)],
            plan.Command
        );
}

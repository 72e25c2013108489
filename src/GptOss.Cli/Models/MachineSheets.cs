using System.Globalization;
using System.Runtime.InteropServices;
using GptOss.Cli.Bench;
using GptOss.Cli.Shell;
using GptOss.Hub;
using GptOss.Kernels.Registers;
using GptOss.Model;

namespace GptOss.Cli.Models;

/// <summary>What <c>gptoss doctor</c> tells of the machine, and what that means for models.</summary>
/// <param name="bandwidth">Bytes per second that memory is read at.</param>
internal sealed class MachineSheets(double bandwidth)
{
    private static readonly long Memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    public Sheet Machine()
    {
        string hub = HubLayout.HubOf(Surroundings.OfProcess());
        return Sheet.OfPairs(
            "machine",
            ("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.RuntimeIdentifier}"),
            (".NET", Environment.Version.ToString()),
            ("processors", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
            ("registers", Lanes.Width > 1 ? $"{Lanes.Width} bits" : "no vector instructions"),
            ("memory", $"{Sizes.Text(Memory)}, {Sizes.Text(FreeMemory.Bytes())} of it available"),
            ("read bandwidth", $"{Sizes.Text((long)bandwidth)}/s"),
            ("disk", $"{Free(hub)} free where downloads go: {Printable.Path(hub)}")
        );
    }

    /// <summary>Where models may lie, and what is there.</summary>
    public static Sheet Stores(IReadOnlyList<FoundModel> all) =>
        new(
            "stores",
            [new("store"), new("models", true), new("size", true), new("folder")],
            [
                .. from store in new Finder(Surroundings.OfProcess()).Stores
                from root in store.Roots
                let models = all.Where(model => model.Store == store.Kind && IsWithin(root, model.Path)).ToArray()
                select new[]
                {
                    store.Title,
                    Directory.Exists(root) ? models.Length.ToString(CultureInfo.InvariantCulture) : "",
                    models.Length > 0 ? Sizes.Text(models.Sum(model => model.Bytes)) : "",
                    Printable.Path(root) + (Directory.Exists(root) ? "" : " (not there)"),
                },
            ]
        );

    private static bool IsWithin(string root, string path) =>
        path.StartsWith(
            Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar,
            StringComparison.Ordinal
        );

    /// <summary>How fast models can be here at most, and whether they fit.</summary>
    /// <param name="models">Models that are on this machine.</param>
    /// <param name="published">Published sizes that are reckoned where they are not here.</param>
    /// <param name="problems">Gets what a model cannot be opened for.</param>
    public Sheet Models(
        IReadOnlyList<FoundModel> models,
        IReadOnlyList<PublishedShape> published,
        List<string> problems
    )
    {
        List<string[]> rows = [];
        foreach (FoundModel model in models)
        {
            try
            {
                using var opened = ModelFolder.Open(model.Path, ModelOptions.Default, null, CancellationToken.None);
                rows.Add(Row(model.Name, model.Bytes, opened.Weights.BytesPerToken));
            }
            catch (CheckpointException e)
            {
                problems.Add(e.Message);
            }
        }
        foreach (PublishedShape shape in published)
            if (!models.Any(model => model.Name.Contains($"gpt-oss-{shape.Name}", StringComparison.OrdinalIgnoreCase)))
                rows.Add(Row($"gpt-oss-{shape.Name} (not here)", shape.WeightBytes(shape.Layers), shape.BytesPerToken));
        return new Sheet(
            "speed at most: read bandwidth / bytes per token ('gptoss bench' measures it)",
            [new("model"), new("size", true), new("per token", true), new("tok/s", true), new("memory")],
            rows
        );
    }

    private string[] Row(string name, long bytes, long perToken) =>
        [
            Printable.Path(name),
            Sizes.Text(bytes),
            Sizes.Text(perToken),
            (bandwidth / perToken).ToString(bandwidth < 10.0 * perToken ? "0.0" : "N0", CultureInfo.InvariantCulture),
            bytes <= FreeMemory.Bytes() ? "fits"
            : bytes <= Memory ? "fits when other programs end"
            : "does not fit: read from the disk at every token, and slow",
        ];

    private static string Free(string folder) => Disk.FreeBytes(folder) is { } free ? Sizes.Text(free) : "unknown";
}

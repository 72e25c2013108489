using System.Globalization;

namespace GptOss.Peers;

/// <summary>The figures of all rounds as tables in Markdown.</summary>
internal static class Report
{
    /// <summary>The engine that the ratios are against.</summary>
    private const string Peer = "LLamaSharp";

    /// <param name="folder">Files named <c>ROUND.ENGINE.json</c>, where an engine that is not the peer is a precision
    /// of GptOss.</param>
    /// <param name="version">The version of the peer's package, which its assembly does not say.</param>
    /// <exception cref="InvalidOperationException">An engine lacks a round, or a file is not what it should
    /// be.</exception>
    public static string Of(string folder, string version)
    {
        ILookup<string, Figures> runs = Directory
            .GetFiles(folder, "*.json")
            .Select(file => (File: file, Parts: Path.GetFileName(file).Split('.')))
            .OrderBy(run => int.Parse(run.Parts[0], CultureInfo.InvariantCulture))
            .ToLookup(run => run.Parts[1], run => Figures.FromFile(run.File));
        Figures[] peer = [.. runs[Peer]];
        if (peer.Length == 0 || runs.Any(engine => engine.Count() != peer.Length))
            throw new InvalidOperationException(
                $"{Path.GetFileName(folder)} does not hold the same rounds of {Peer} and every other engine."
            );

        IGrouping<string, Figures>[] engines =
        [
            .. runs.OrderBy(engine => engine.Key != Peer).ThenBy(engine => engine.Key, StringComparer.Ordinal),
        ];
        var lines = new List<string>
        {
            "| engine | prefill | ratio | decode | ratio | 16 answers | ratio "
                + "| read bandwidth | reached by decode | load |",
            "|---|---|---|---|---|---|---|---|---|---|",
        };
        foreach (IGrouping<string, Figures> engine in engines)
            lines.Add(
                $"| {Name(engine.Key, version)} | {Speed(engine, run => run.PrefillTokPerS)} | "
                    + $"{Ratio(engine, peer, run => run.PrefillTokPerS)} "
                    + $"| {Speed(engine, run => run.DecodeTokPerS)} | {Ratio(engine, peer, run => run.DecodeTokPerS)} "
                    + $"| {Speed(engine, run => run.ManyTokPerS)} | {Ratio(engine, peer, run => run.ManyTokPerS)} "
                    + $"| {Figures.Median(engine.Select(run => run.ReadBandwidthGbPerS)):F1} GB/s "
                    + $"| {Figures.Median(engine.Select(run => run.ShareOfBandwidth())):P0} "
                    + $"| {Figures.Median(engine.Select(run => run.LoadS)):F1} s |"
            );

        lines.AddRange(["", "| round | engine | prefill | decode | read bandwidth |", "|---|---|---|---|---|"]);
        for (int round = 0; round < peer.Length; round++)
            foreach (IGrouping<string, Figures> engine in engines)
            {
                Figures run = engine.ElementAt(round);
                lines.Add(
                    $"| {round + 1} | {Name(engine.Key, version)} | {run.PrefillTokPerS:F1} tok/s | "
                        + $"{run.DecodeTokPerS:F1} tok/s | {run.ReadBandwidthGbPerS:F1} GB/s |"
                );
            }

        return string.Join('\n', lines) + "\n";
    }

    private static string Name(string engine, string version) =>
        engine == Peer ? $"{Peer} {version}" : $"GptOss, `{engine}`";

    private static string Speed(IEnumerable<Figures> runs, Func<Figures, double> figure) =>
        $"{Figures.Median(runs.Select(figure)):F1} tok/s";

    /// <summary>
    /// Each round against the peer's run of the same round, since the machine changes from one to the next.
    /// </summary>
    private static string Ratio(IEnumerable<Figures> runs, Figures[] peer, Func<Figures, double> figure)
    {
        double[] ratios = [.. runs.Zip(peer, (run, beside) => figure(run) / figure(beside))];
        return ratios.All(ratio => ratio == 1)
            ? "1"
            : $"{Figures.Median(ratios):F2} × ({ratios.Min():F2} to {ratios.Max():F2})";
    }
}

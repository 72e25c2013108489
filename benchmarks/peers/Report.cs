namespace GptOss.Peers;

/// <summary>The figures of all rounds as tables in Markdown.</summary>
internal static class Report
{
    /// <param name="folder">Files named <c>ROUND.ENGINE.json</c>, where an engine that is not the peer is a precision
    /// of GptOss, and further words that say how it was built.</param>
    /// <param name="version">The version of the peer's package, which its assembly does not say.</param>
    /// <exception cref="InvalidOperationException">An engine lacks a round, or a file is not what it should
    /// be.</exception>
    public static string Of(string folder, string version)
    {
        Runs runs = Runs.FromFolder(folder);
        return string.Join('\n', [.. Bars(runs), .. Engines(runs, version), .. Rounds(runs, version)]) + "\n";
    }

    private static IEnumerable<string> Bars(Runs runs)
    {
        string[] rows = [.. Bar.All.Select(bar => bar.Row(runs)).OfType<string>()];
        return rows.Length == 0
            ? []
            : ["| ratio | must | aim | measured | reached |", "|---|---|---|---|---|", .. rows, ""];
    }

    private static IEnumerable<string> Engines(Runs runs, string version)
    {
        yield return "| engine | prefill | ratio | decode | ratio | answers at once | ratio "
            + "| read bandwidth | reached by decode | load |";
        yield return "|---|---|---|---|---|---|---|---|---|---|";
        foreach (string name in runs.Engines)
        {
            Figures[] engine = runs.Of(name)!;
            yield return $"| {Runs.Name(name, version)} | {SpeedAndRatio(runs, engine, run => run.PrefillTokPerS)} "
                + $"| {SpeedAndRatio(runs, engine, run => run.DecodeTokPerS)} "
                + $"| {SpeedAndRatio(runs, engine, run => run.ManyTokPerS)} "
                + $"| {Figures.Median(engine.Select(run => run.ReadBandwidthGbPerS)):F1} GB/s "
                + $"| {Figures.Median(engine.Select(run => run.ShareOfBandwidth())):P0} "
                + $"| {Figures.Median(engine.Select(run => run.LoadS)):F1} s |";
        }
    }

    private static IEnumerable<string> Rounds(Runs runs, string version)
    {
        yield return "";
        yield return "| round | engine | prefill | decode | read bandwidth |";
        yield return "|---|---|---|---|---|";
        for (int round = 0; round < runs.Rounds; round++)
            foreach (string name in runs.Engines)
            {
                Figures run = runs.Of(name)![round];
                yield return $"| {round + 1} | {Runs.Name(name, version)} | {run.PrefillTokPerS:F1} tok/s | "
                    + $"{run.DecodeTokPerS:F1} tok/s | {run.ReadBandwidthGbPerS:F1} GB/s |";
            }
    }

    /// <summary>
    /// The median speed, and each round against the peer's run of the same round, since the machine changes from one to
    /// the next; a dash where it was not measured.
    /// </summary>
    private static string SpeedAndRatio(Runs runs, Figures[] engine, Func<Figures, double?> figure)
    {
        double[] speeds = [.. engine.Select(figure).OfType<double>()];
        if (speeds.Length == 0)
            return "– | –";
        string speed = $"{Figures.Median(speeds):F1} tok/s";
        if (runs.Of(Runs.Peer) is not { } peer)
            return $"{speed} | –";
        double[] ratios = [.. speeds.Zip(peer, (run, beside) => run / figure(beside)!.Value)];
        return ratios.All(ratio => ratio == 1)
            ? $"{speed} | 1"
            : $"{speed} | {Figures.Median(ratios):F2} × ({ratios.Min():F2} to {ratios.Max():F2})";
    }
}

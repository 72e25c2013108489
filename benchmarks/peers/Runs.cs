using System.Globalization;

namespace GptOss.Peers;

/// <summary>The figures of every engine in every round.</summary>
internal sealed class Runs
{
    /// <summary>The engine that the ratios are against.</summary>
    public const string Peer = "LLamaSharp";

    private readonly Dictionary<string, Figures[]> _byEngine;

    private Runs(Dictionary<string, Figures[]> byEngine) => _byEngine = byEngine;

    /// <summary>The peer first, then the others by name.</summary>
    public IEnumerable<string> Engines =>
        _byEngine.Keys.OrderBy(engine => engine != Peer).ThenBy(engine => engine, StringComparer.Ordinal);

    public int Rounds => _byEngine.Values.First().Length;

    /// <summary>An engine's figures by rounds; null where it was left out.</summary>
    public Figures[]? Of(string engine) => _byEngine.GetValueOrDefault(engine);

    /// <summary>Reads files named <c>ROUND.ENGINE.json</c> of one folder.</summary>
    /// <exception cref="InvalidOperationException">An engine lacks a round, or a file is not what it should
    /// be.</exception>
    public static Runs FromFolder(string folder)
    {
        var byEngine = Directory
            .GetFiles(folder, "*.json")
            .Select(file => (File: file, Parts: Path.GetFileName(file).Split('.')))
            .OrderBy(run => int.Parse(run.Parts[0], CultureInfo.InvariantCulture))
            .GroupBy(run => run.Parts[1], run => Figures.FromFile(run.File))
            .ToDictionary(engine => engine.Key, engine => engine.ToArray());
        return byEngine.Count > 0 && byEngine.Values.All(runs => runs.Length == byEngine.Values.First().Length)
            ? new Runs(byEngine)
            : throw new InvalidOperationException(
                $"{Path.GetFileName(folder)} does not hold the same rounds of every engine."
            );
    }

    /// <summary>An engine's name as the tables print it: <c>fast-net10-256</c> has three words.</summary>
    public static string Name(string engine, string version)
    {
        if (engine == Peer)
            return $"{Peer} {version}";
        string[] words = engine.Split('-');
        return $"GptOss, `{words[0]}`, .NET {(words.Contains("net10") ? 10 : 11)}"
            + (words.Contains("256") ? ", 256 bits" : "")
            + (words.Contains("aot") ? ", ahead of time" : "");
    }
}

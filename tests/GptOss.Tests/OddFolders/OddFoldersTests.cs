using System.Diagnostics;
using System.Globalization;
using GptOss.Tests.Cli;

namespace GptOss.Tests.OddFolders;

/// <summary>
/// The table of odd and damaged folders, each through <c>gptoss run --raw hi --model DIR --max-tokens 1</c>: in one
/// process that takes a command line after the other, and by <c>./build.sh long</c> in a process for each.
/// </summary>
[Promise(1), Promise(2), Promise(7), Promise(24)]
public sealed class OddFoldersTests : IDisposable
{
    private static readonly TimeSpan Slowest = TimeSpan.FromSeconds(5);

    private const long MostBytesBeyondTiny = 400L << 20;

    private readonly TemporaryFolder _place = new();
    private readonly Dictionary<string, string> _controls = [];
    private int _made;

    public void Dispose()
    {
        _place.Dispose();
    }

    [Fact]
    [Trait("speed", "slow")]
    public void Every_folder_of_the_table_is_refused_with_its_words_or_answers_as_its_base()
    {
        using var tool = new LoopedTool(_place.Path);
        var verdicts = new List<(OddCase Case, OddVerdict Verdict, string Why)>();
        TimeSpan slowest = TimeSpan.Zero;
        int opened = 0;
        foreach (OddCase one in OddCase.Groups.Values.SelectMany(group => group))
        {
            OddFolder folder = Make(one);
            using var outside = new OpenedFiles(folder.Outside);
            long start = Stopwatch.GetTimestamp();
            (ToolRun?, string?) run = tool.Run(Arguments(folder));
            TimeSpan time = Stopwatch.GetElapsedTime(start);
            (OddVerdict verdict, string why) = OddJudge.Of(
                one,
                folder,
                run,
                () => Logits(tool, folder),
                Control(tool, one.Base)
            );
            folder.Close();
            slowest = time > slowest && verdicts.Count > 0 ? time : slowest; // the first compiles all code
            int count = outside.Count();
            opened += count;
            verdicts.Add((one, verdict, count == 0 ? why : $"{count} openings outside; {why}"));
            Delete(folder.Place);
        }
        int sound = verdicts.Count(one => one.Case.Loads),
            same = verdicts.Count(one => one.Case.Loads && one.Verdict == OddVerdict.Clean);
        Figure.Tell(
            $"{sound} of them valid variants: {same} load with the logits of their base; {opened} files opened outside"
        );
        Report(verdicts, slowest, "");
        Assert.InRange(verdicts.Count, 500, 2000);
        Assert.InRange(sound, 46, verdicts.Count);
    }

    [Fact]
    public void An_opening_of_a_file_outside_is_counted()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells who opens a file.");
        string file = Path.Join(_place.Path, "bait");
        File.WriteAllText(file, "x");
        using var outside = new OpenedFiles(_place.Path);
        Assert.Equal(0, outside.Count());
        File.OpenRead(file).Dispose();
        Assert.Equal(1, outside.Count());
        Assert.Equal(0, outside.Count());
    }

    [Fact]
    [Trait("kind", "long"), Trait("speed", "slow")]
    public void Every_folder_of_the_table_has_the_same_verdict_in_a_process_of_its_own()
    {
        // In the suite a few, so that this test works when the long ones are run.
        OddCase[] cases =
        [
            .. OddCase.Groups.Values.SelectMany(group => group).Where((_, i) => Long.IsLong || i % 97 == 0),
        ];
        var verdicts = new List<(OddCase Case, OddVerdict Verdict, string Why)>();
        TimeSpan slowest = TimeSpan.Zero;
        long sound =
                OwnProcess
                    .Run(Arguments(Make(new OddCase("the control", OddBase.HuggingFace, _ => { }))), _place.Path)
                    .Peak,
            most = 0;
        Parallel.ForEach(cases, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, one =>
        {
            OddFolder folder = Make(one);
            (ToolRun? run, string? failure, long peak, TimeSpan time) = OwnProcess.Run(Arguments(folder), _place.Path);
            (OddVerdict verdict, string why) = OddJudge.Of(one, folder, (run, failure), () => "", "");
            folder.Close();
            lock (verdicts)
            {
                verdicts.Add((one, verdict, why));
                most = Math.Max(most, peak);
                slowest = time > slowest ? time : slowest;
            }
            Delete(folder.Place);
        });
        Report(verdicts, slowest, "in a process each: ");
        Figure.Tell(
            $"peak memory {most >> 20} MB at the most, {(most - sound) >> 20} MB beyond that of a sound folder"
        );
        if (OperatingSystem.IsLinux())
            Assert.InRange(most, 1, sound + MostBytesBeyondTiny);
    }

    private static void Report(
        List<(OddCase Case, OddVerdict Verdict, string Why)> verdicts,
        TimeSpan slowest,
        string how
    )
    {
        int Count(OddVerdict verdict) => verdicts.Count(one => one.Verdict == verdict);
        string figures =
            $"{how}{verdicts.Count} cases: {Count(OddVerdict.Clean)} clean, {Count(OddVerdict.Unhelpful)} unhelpful, "
            + $"{Count(OddVerdict.Crash)} crash, {Count(OddVerdict.Hang)} hang, "
            + $"{Count(OddVerdict.WronglyAccepted)} wrongly accepted, {Count(OddVerdict.WronglyRefused)} wrongly "
            + string.Create(CultureInfo.InvariantCulture, $"refused; slowest {slowest.TotalSeconds:f1} s");
        Figure.Tell(figures);
        Assert.True(
            verdicts.All(one => one.Verdict == OddVerdict.Clean && one.Why.Length == 0),
            figures
                + string.Concat(
                    verdicts
                        .Where(one => one.Why.Length > 0)
                        .Select(one => $"\n{one.Verdict} {one.Case.Name}: {one.Why}")
                )
        );
        Assert.True(slowest < Slowest, figures);
        Assert.Equal(verdicts.Count, verdicts.Select(one => one.Case.Name).Distinct().Count());
    }

    private OddFolder Make(OddCase one)
    {
        string place = Path.Join(_place.Path, $"{Interlocked.Increment(ref _made)}");
        Directory.CreateDirectory(place);
        var folder = new OddFolder(place, one.Base);
        one.Make(folder);
        return folder;
    }

    private static string[] Arguments(OddFolder folder) =>
        [
            "run",
            "--raw",
            "hi",
            "--model",
            folder.Model,
            "--max-tokens",
            "1",
            .. folder.Adapter is null ? (string[])[] : ["--adapter", folder.Adapter],
        ];

    private string Control(LoopedTool tool, OddBase sound)
    {
        if (!_controls.TryGetValue(sound.Name, out string? control))
            _controls[sound.Name] = control = Logits(tool, Make(new OddCase("the control", sound, _ => { })));
        return control;
    }

    private static string Logits(LoopedTool tool, OddFolder folder)
    {
        (ToolRun? run, string? failure) = tool.Run([
            "debug",
            "logits",
            folder.Model,
            "--tokens",
            "5,6,7,5",
            .. folder.Adapter is null ? (string[])[] : ["--adapter", folder.Adapter],
        ]);
        return run is { ExitCode: 0 } ? run.Output : failure ?? run!.Error;
    }

    // A case may have taken the right to delete.
    private static void Delete(string folder)
    {
        Allow(folder);
        Directory.Delete(folder, recursive: true);
    }

    private static void Allow(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (string inner in Directory.GetDirectories(folder))
            Allow(inner);
    }
}

using System.Diagnostics;
using GptOss.Cli.Shell;
using GptOss.Tests.Model;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Generation;

/// <summary>
/// Processes that are killed while they save, a few in the suite and 1,000 by <c>./build.sh long</c>.
/// </summary>
[Promise(20)]
public sealed class KilledSaveTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LoadedModel _model = LoadedModel.Random(new TinyShape(), seed: 1);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static int Kills => Long.IsLong ? 1000 : 20;

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact, Trait("speed", "slow"), Trait("kind", "long")]
    public async Task The_file_is_the_old_or_the_new_one_whenever_the_process_is_killed()
    {
        string file = Path.Combine(_folder.Path, "prefix");
        byte[][] whole = [];
        foreach (int[] prompt in SavingChild.Prompts)
        {
            await _model.Model.SavePrefixAsync(prompt, file, null, Stop);
            whole = [.. whole, File.ReadAllBytes(file)];
        }
        int[] found = new int[whole.Length];
        int left = 0;
        for (int seed = 0; seed < Kills; seed++)
        {
            await KillWhileSaving(file, new Random(seed));
            byte[] content = File.ReadAllBytes(file);
            int which = Array.FindIndex(whole, bytes => bytes.AsSpan().SequenceEqual(content));
            Assert.True(which >= 0, $"seed {seed}: the file is neither the old nor the new one");
            found[which]++;
            left += Directory.GetFiles(_folder.Path).Length - 1;
            Assert.Equal(
                SavingChild.Prompts[which].Length - 1,
                await _model.Model.LoadPrefixAsync(file, $"{seed}", Stop)
            );
        }
        Figure.Tell(
            $"{Kills} kills: {found[0]} and {found[1]} times the one and the other file; a part lay beside it {left} times"
        );
        await _model.Model.SavePrefixAsync(SavingChild.Prompts[0], file, null, Stop);
        Assert.Equal([file], Directory.GetFiles(_folder.Path));
    }

    private async Task KillWhileSaving(string file, Random random)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Failure).Assembly.Location, "--help"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        start.Environment[SavingChild.File] = file;
        start.Environment[SavingChild.Folder] = _model.Folder;
        using Process process = Process.Start(start)!;
        try
        {
            Assert.Equal("saving", await process.StandardOutput.ReadLineAsync(Stop));
            var wait = Stopwatch.StartNew();
            double milliseconds = 20 * random.NextDouble();
            SpinWait.SpinUntil(() => wait.Elapsed.TotalMilliseconds >= milliseconds);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(Stop);
        }
    }
}

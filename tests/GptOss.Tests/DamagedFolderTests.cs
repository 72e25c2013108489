using System.Diagnostics;

namespace GptOss.Tests;

/// <summary>No model folder crashes, hangs or escapes with an error that is not ours.</summary>
[Promise(1)]
[Promise(24)]
public sealed class DamagedFolderTests
{
    private static readonly TimeSpan Slowest = TimeSpan.FromSeconds(5);

    [Fact]
    [Trait("kind", "fuzz")]
    public async Task A_damaged_folder_loads_or_says_which_file_is_at_fault()
    {
        var folders = new DamagedFolder();
        var verdicts = new SortedDictionary<string, int>();
        var slowest = TimeSpan.Zero;
        foreach (int seed in FuzzBudget.Seeds(320))
        {
            using var folder = new TemporaryFolder();
            string damage = folders.Write(folder.Path, seed);
            long start = Stopwatch.GetTimestamp();
            string verdict = await Try(folder.Path, $"seed {seed}, {damage}")
                .WaitAsync(2 * Slowest, TestContext.Current.CancellationToken);
            TimeSpan time = Stopwatch.GetElapsedTime(start);
            verdicts[verdict] = verdicts.GetValueOrDefault(verdict) + 1;
            if (time > slowest)
                slowest = time;
            Assert.True(time < Slowest, $"seed {seed}, {damage}: {time}");
        }

        string summary = string.Join(", ", verdicts.Select(verdict => $"{verdict.Value} {verdict.Key}"));
        FuzzBudget.Tell(
            $"folders: {verdicts.Values.Sum():N0} cases: {summary}; slowest {slowest.TotalMilliseconds:f0} ms"
        );
        // Damage that is never noticed, or a folder that is never sound, would prove nothing.
        Assert.InRange(verdicts["refused"], 100, verdicts.Values.Sum());
        Assert.InRange(verdicts["answered"], 20, verdicts.Values.Sum());
    }

    private static async Task<string> Try(string folder, string what)
    {
        try
        {
            await using GptOssModel model = await GptOssModel.LoadAsync(folder, new ModelOptions { Threads = 1 });
            await foreach (int token in model.Generate([0, 1], SamplingOptions.Greedy))
            {
                Assert.InRange(token, 0, model.VocabularySize - 1);
                return "answered";
            }
            return "answered";
        }
        catch (GptOssException error)
        {
            Assert.InRange(error.Message.Length, 1, 500);
            Assert.False(error.Message.Any(char.IsControl), $"{what}: {error.Message}");
            if (error is not ContextLengthException)
                Assert.Contains(folder, error.Message);
            if (error is CheckpointException refusal)
                Assert.StartsWith(folder, refusal.FilePath);
            return error is CheckpointException ? "refused"
                : error is NumericFaultException ? "stopped"
                : "too short";
        }
        catch (Exception error)
        {
            Assert.Fail($"{what}: {error}");
            throw;
        }
    }
}

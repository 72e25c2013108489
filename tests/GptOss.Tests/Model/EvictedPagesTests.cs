using System.Globalization;
using System.Runtime.InteropServices;
using GptOss.Tests.Oracles;
using Microsoft.Win32.SafeHandles;

namespace GptOss.Tests.Model;

/// <summary>Weights that the system takes out of memory again and again come back as they were.</summary>
public sealed partial class EvictedPagesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, Promise(23)]
    [InlineData(Precision.Checkpoint)]
    [InlineData(Precision.Fast)]
    public async Task An_answer_is_the_same_when_no_weight_stays_in_memory(Precision precision)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The pages of a mapping are given away by Linux's madvise.");
        using var folder = new TemporaryFolder();
        TinyCheckpoint.Write(folder.Path, new TinyShape(), seed: 3);
        string file = Directory.GetFiles(folder.Path, "*.safetensors").Single();
        var options = new ModelOptions { Threads = 2, Precision = precision };
        await using GptOssModel model = await GptOssModel.LoadAsync(folder.Path, options, cancellationToken: Stop);
        int[] expected = await Answer(model);

        int evictions = 0;
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var evicting = Task.Run(
            () =>
            {
                while (!done.IsCancellationRequested)
                    evictions += Evict(file);
            },
            Stop
        );
        int[] actual = await Answer(model);
        await done.CancelAsync();
        await evicting;

        Figure.Tell(
            $"{precision}: {evictions:N0} times every weight was taken away, {expected.Length} tokens identical"
        );
        Assert.Equal(expected, actual);
        Assert.InRange(evictions, 1, int.MaxValue);
    }

    private static async Task<int[]> Answer(GptOssModel model) =>
        await model.Generate([1, 2, 3], SamplingOptions.Greedy, 200, [], Stop).ToArrayAsync(Stop);

    /// <summary>Takes the mapped pages of a file from this process, and the file out of the page cache.</summary>
    private static int Evict(string file)
    {
        const int DontNeedPages = 4, // MADV_DONTNEED
            DontNeedFile = 4; // POSIX_FADV_DONTNEED
        int mappings = 0;
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            if (!line.EndsWith(file, StringComparison.Ordinal))
                continue;
            string[] ends = line[..line.IndexOf(' ', StringComparison.Ordinal)].Split('-');
            nint start = nint.Parse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                end = nint.Parse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            Assert.Equal(0, Advise(start, (nuint)(end - start), DontNeedPages));
            mappings++;
        }
        using SafeFileHandle handle = File.OpenHandle(file);
        Assert.Equal(0, AdviseFile(handle, 0, 0, DontNeedFile));
        return mappings > 0 ? 1 : 0;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint bytes, int advice);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int AdviseFile(SafeFileHandle file, long offset, long length, int advice);
}

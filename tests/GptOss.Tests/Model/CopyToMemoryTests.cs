using System.Diagnostics;
using GptOss.Model;
using GptOss.Tests.Checkpoint.Gguf;
using GptOss.Tests.Oracles;

namespace GptOss.Tests.Model;

/// <summary>A model whose weights were read into memory, and what may become of its files meanwhile.</summary>
public sealed class CopyToMemoryTests : IDisposable
{
    private static readonly ModelOptions Copied = new() { CopyToMemory = true, Threads = 2 };

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>What can happen to a file, by a name; each is given the path of the weights.</summary>
    private static Dictionary<string, Action<string>> Faults { get; } =
        new()
        {
            ["cut to nothing"] = path => Cut(path, 0),
            ["cut by half"] = path => Cut(path, new FileInfo(path).Length / 2),
            ["cut by a byte"] = path => Cut(path, new FileInfo(path).Length - 1),
            ["longer"] = path => File.AppendAllText(path, "more"),
            ["zeros"] = path => Overwrite(path, 0, (int)new FileInfo(path).Length, 0),
            ["ones in the head"] = path => Overwrite(path, 0, 64, 0xFF),
            ["ones at the end"] = path => Overwrite(path, new FileInfo(path).Length - 4096, 4096, 0xFF),
            ["deleted"] = File.Delete,
            ["renamed"] = path => File.Move(path, path + ".old"),
            ["another one in its place"] = path =>
            {
                File.WriteAllText(path + ".new", "another");
                File.Move(path + ".new", path, overwrite: true);
            },
            ["the folder gone"] = path => Directory.Delete(Path.GetDirectoryName(path)!, recursive: true),
            ["cut and grown"] = path =>
            {
                long length = new FileInfo(path).Length;
                Cut(path, 0);
                Cut(path, length);
            },
        };

    public static TheoryData<string, string, Precision> Cases
    {
        get
        {
            TheoryData<string, string, Precision> cases = [];
            foreach (string fault in Faults.Keys)
            {
                cases.Add(fault, "safetensors", Precision.Checkpoint);
                cases.Add(fault, "safetensors", Precision.Fast);
                cases.Add(fault, "gguf", Precision.Checkpoint);
                cases.Add(fault, "gguf", Precision.Fast);
            }
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    [Promise(8)]
    public async Task Nothing_that_becomes_of_the_files_changes_an_answer(
        string fault,
        string form,
        Precision precision
    )
    {
        (string model, string weights) = Write(form);
        await using GptOssModel copied = await Load(model, Copied with { Precision = precision });
        int[] before = await Answer(copied);

        Faults[fault](weights);

        Assert.Equal(before, await Answer(copied));
    }

    /// <summary>
    /// A file that was cut below what a request reads ends the process with a signal, which no program of .NET can
    /// take. Of what else happens the answer may be wrong that was under way, and the next request is an error with the
    /// name of the file, or the answer as before where the mapped file is still there.
    /// </summary>
    [Theory, InlineData("safetensors"), InlineData("gguf"), Trait("speed", "slow")]
    [Promise(8)]
    public async Task Of_what_may_become_of_a_mapped_file_only_a_cut_ends_the_process(string form)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "What a system does with a mapping of a cut file is its own.");
        string[] undisturbed = (await Disturbed(form, _ => { })).Second;
        var ended = new List<string>();
        foreach ((string name, Action<string> fault) in Faults)
        {
            (bool lives, string[] second) = await Disturbed(form, fault);
            if (!lives)
                ended.Add(name);
            else if (second is [var error] && error.StartsWith("error ", StringComparison.Ordinal))
                Assert.Contains(_folder.Path, error);
            else
                Assert.True(undisturbed.SequenceEqual(second), $"{name}: another answer");
        }
        Figure.Tell(
            $"{form}, mapped: {Faults.Count - ended.Count} of {Faults.Count} faults as hoped, "
                + $"the process ended when its file was {string.Join(" or ", ended)}; copied: {Faults.Count} of "
                + $"{Faults.Count}"
        );
        // A file that grows again at once is cut for a moment, which a request may meet or not.
        Assert.Equal(["cut by half", "cut to nothing"], ended.Except(["cut and grown"]).Order());
    }

    /// <summary>Whether the process lives, and its second answer, where something happens during the first.</summary>
    private async Task<(bool Lives, string[] Second)> Disturbed(string form, Action<string> fault)
    {
        (string model, string weights) = Write(form);
        using Process process = AnsweringChild.Start(model);
        try
        {
            await process.StandardInput.WriteLineAsync();
            for (int i = 0; i < 20; i++)
                Assert.NotNull(await process.StandardOutput.ReadLineAsync(Stop));
            fault(weights);
            if (await Answer(process) is null)
                return (false, []);
            await process.StandardInput.WriteLineAsync();
            string[] second = await Answer(process) ?? [];
            await process.WaitForExitAsync(Stop).WaitAsync(TimeSpan.FromSeconds(30), Stop);
            return (process.ExitCode == 0, second);
        }
        finally
        {
            process.Kill();
            Directory.Delete(_folder.Path, recursive: true);
            Directory.CreateDirectory(_folder.Path);
        }

        // The lines up to the end of an answer; null where the process ends before.
        static async Task<string[]?> Answer(Process process)
        {
            var lines = new List<string>();
            while (await process.StandardOutput.ReadLineAsync(Stop) is { } line)
            {
                if (line == "end")
                    return [.. lines];
                lines.Add(line);
            }
            return null;
        }
    }

    [Theory, InlineData("safetensors"), InlineData("gguf")]
    public async Task A_copy_answers_as_the_mapped_files_do(string form)
    {
        (string model, _) = Write(form);
        await using GptOssModel mapped = await Load(model, Copied with { CopyToMemory = false });
        await using GptOssModel copied = await Load(model, Copied);

        Assert.Equal(await Answer(mapped), await Answer(copied));
        Assert.Equal(mapped.Fingerprint, copied.Fingerprint);
    }

    [Fact]
    public void No_byte_is_mapped_and_all_of_the_files_are_counted_as_memory()
    {
        (string path, string weights) = Write("safetensors");
        using var folder = ModelFolder.Open(path, Copied, null, Stop);

        Assert.Equal(new WeightBytes(0, new FileInfo(weights).Length), folder.WeightBytes);
        if (OperatingSystem.IsLinux())
            Assert.DoesNotContain(weights, File.ReadAllText("/proc/self/maps"));
    }

    [Fact]
    public async Task Progress_is_told_in_order_and_a_cancellation_ends_the_reading()
    {
        (string model, _) = Write("safetensors");
        var told = new Told();
        await using (await GptOssModel.LoadAsync(model, Copied with { Precision = Precision.Fast }, told, Stop)) { }

        Assert.Contains(told.All, each => each.Stage == "Copying the weights");
        Assert.Equal(told.All.Select(each => each.Fraction).Order(), told.All.Select(each => each.Fraction));

        using var cancel = new CancellationTokenSource();
        told.Heard = each =>
        {
            if (each.Stage == "Opening the files")
                cancel.Cancel();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            GptOssModel.LoadAsync(model, Copied, told, cancel.Token)
        );
    }

    public void Dispose() => _folder.Dispose();

    private (string Model, string Weights) Write(string form)
    {
        string folder = Directory.CreateDirectory(Path.Join(_folder.Path, "model")).FullName;
        if (form == "gguf")
        {
            string file = Path.Join(folder, "model.gguf");
            File.Copy(GgufVectors.PathOf("A-q8_0.gguf"), file);
            return (file, file);
        }
        TinyCheckpoint.Write(folder, new TinyShape(), seed: 5);
        return (folder, Directory.GetFiles(folder, "*.safetensors").Single());
    }

    private static Task<GptOssModel> Load(string path, ModelOptions options) =>
        GptOssModel.LoadAsync(path, options, cancellationToken: Stop);

    private static async Task<int[]> Answer(GptOssModel model) =>
        await model.Generate([1, 2, 3], new SamplingOptions { Temperature = 0 }, 12, [], Stop).ToArrayAsync(Stop);

    private static void Cut(string path, long length)
    {
        using FileStream file = Writing(path);
        file.SetLength(length);
    }

    private static void Overwrite(string path, long at, int count, byte value)
    {
        using FileStream file = Writing(path);
        file.Position = at;
        file.Write(Enumerable.Repeat(value, count).ToArray());
    }

    private static FileStream Writing(string path) => new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);

    private sealed class Told : IProgress<LoadProgress>
    {
        public List<LoadProgress> All { get; } = [];

        public Action<LoadProgress>? Heard { get; set; }

        public void Report(LoadProgress value)
        {
            All.Add(value);
            Heard?.Invoke(value);
        }
    }
}

using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using System.Text;

namespace GptOss.Tests.Fuzzing;

/// <summary>Runs the files of an input's corpus, then its seeds; what is unexpected becomes a file.</summary>
/// <param name="input">What is read.</param>
/// <param name="corpus">The folder of inputs that once were found; it need not exist.</param>
/// <param name="findings">The folder for those that are found now.</param>
internal sealed class FuzzRun(FuzzInput input, string corpus, string findings)
{
    private const int MostFindings = 20,
        LongestMessage = 500;

    private readonly HashSet<string> _kinds = [];
    private int _cases,
        _read;
    private TimeSpan _slowest;
    private long _mostBytes;

    /// <summary>What went wrong, by file and seed.</summary>
    public List<string> Unexpected { get; } = [];

    /// <summary>A run over the repository's corpus; what <c>./build.sh fuzz</c> finds is put there.</summary>
    public static FuzzRun InRepository(FuzzInput input)
    {
        string corpus = Repository.Vector("fuzz", input.Name);
        return new FuzzRun(
            input,
            corpus,
            FuzzBudget.Share is null ? Path.Combine(Repository.Root, "artifacts", "fuzz", input.Name) : corpus
        );
    }

    /// <summary>Runs everything, tells the figures, and fails where anything was unexpected.</summary>
    public static void Check(FuzzInput input)
    {
        FuzzRun run = InRepository(input);
        run.Go(input.Cases, FuzzBudget.Share);
        FuzzBudget.Tell(run.Figures());
        Assert.True(run.Unexpected.Count == 0, string.Join("\n\n", run.Unexpected));
        // A damage that is always noticed, or never, shows nothing.
        Assert.True(run._read > 0 || !input.CanBeRead, $"{input.Name}: nothing was read");
        Assert.True(run._read < run._cases || !input.CanBeRefused, $"{input.Name}: nothing was refused");
    }

    /// <summary>Runs the corpus, then a number of seeds, or those that fit in a time where there is one.</summary>
    public void Go(int cases, TimeSpan? time)
    {
        long start = Environment.TickCount64;
        if (Directory.Exists(corpus))
            foreach (string file in Directory.EnumerateFiles(corpus).Order(StringComparer.Ordinal))
                if (Try(File.ReadAllBytes(file)) is { } trouble)
                    Unexpected.Add($"{file}: {trouble}");
        Directory.CreateDirectory(findings);
        // What ends the process leaves its seed behind. A mapped file outlives the process and costs no call.
        string current = Path.Combine(findings, "current-seed");
        using (var mapped = MemoryMappedFile.CreateFromFile(current, FileMode.Create, null, capacity: 16))
        using (MemoryMappedViewAccessor place = mapped.CreateViewAccessor())
            Draw(cases, time - TimeSpan.FromMilliseconds(Environment.TickCount64 - start), place);
        File.Delete(current);
        if (!Directory.EnumerateFileSystemEntries(findings).Any())
            Directory.Delete(findings);
    }

    private void Draw(int cases, TimeSpan? time, MemoryMappedViewAccessor place)
    {
        foreach (int seed in FuzzBudget.Seeds(cases, time))
        {
            byte[] number = Encoding.ASCII.GetBytes($"{seed, -16}");
            place.WriteArray(0, number, 0, number.Length);
            byte[] bytes = input.Draw(new Random(seed));
            if (Try(bytes) is { } trouble && Unexpected.Count < MostFindings)
                Keep(bytes, seed, trouble);
        }
    }

    /// <summary>One line of what was done.</summary>
    public string Figures() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{input.Name, -20} {_cases, 9:N0} cases: {_cases - _read, 9:N0} refused, {_read, 9:N0} accepted; slowest "
                + $"{_slowest.TotalMilliseconds, 6:f1} ms, most {_mostBytes / 1024.0 / 1024, 6:f1} MB; "
                + $"{Unexpected.Count} unexpected"
        );

    // The first of each kind is enough: a kind is the error and the place that it came from.
    private void Keep(byte[] bytes, int seed, string trouble)
    {
        string[] lines = trouble.Split('\n');
        string kind =
            lines[0].Split(' ', ':')[0]
            + lines.FirstOrDefault(line => line.TrimStart().StartsWith("at ", StringComparison.Ordinal));
        if (!_kinds.Add(kind))
            return;
        string file = Path.Combine(findings, Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8)));
        File.WriteAllBytes(file, bytes);
        Unexpected.Add($"{input.Name}, seed {seed}, kept as {file}: {trouble}");
    }

    // What is wrong with how the input was read; null where nothing is.
    private string? Try(byte[] bytes)
    {
        (bool isRead, string? trouble, TimeSpan time, long allocated) = Once(bytes);
        // What is done once in a process, and a pause of the machine, are no work of the case.
        if (trouble is null && (time > input.MostTime || allocated > input.MostBytes(bytes.Length)))
        {
            (isRead, trouble, TimeSpan again, long allocatedAgain) = Once(bytes);
            time = time < again ? time : again;
            allocated = Math.Min(allocated, allocatedAgain);
        }
        _cases++;
        _read += isRead ? 1 : 0;
        _slowest = time > _slowest ? time : _slowest;
        _mostBytes = Math.Max(_mostBytes, allocated);
        return trouble
            ?? (
                time > input.MostTime ? $"took {time.TotalSeconds:f1} s"
                : allocated > input.MostBytes(bytes.Length)
                    ? $"allocated {allocated:N0} bytes, and may {input.MostBytes(bytes.Length):N0}"
                : null
            );
    }

    private (bool IsRead, string? Trouble, TimeSpan Time, long Allocated) Once(byte[] bytes)
    {
        bool isRead = false;
        string? trouble = null;
        long before = GC.GetAllocatedBytesForCurrentThread();
        TimeSpan start = input.Now;
        try
        {
            isRead = input.Reads(bytes);
        }
        catch (GptOssException error)
        {
            if (error.Message.Length is 0 or > LongestMessage || error.Message.Any(char.IsControl))
                trouble = $"a message of {error.Message.Length} characters, or with control characters: {error}";
        }
        catch (Exception error)
        {
            trouble = error.ToString();
        }
        return (isRead, trouble, input.Now - start, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}

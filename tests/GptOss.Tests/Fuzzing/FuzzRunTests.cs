using System.Text;

namespace GptOss.Tests.Fuzzing;

/// <summary>What the run of an input notices, and what it leaves behind.</summary>
public sealed class FuzzRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Corpus => Path.Combine(_folder.Path, "corpus");

    private string Findings => Path.Combine(_folder.Path, "findings");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_unexpected_is_kept_as_a_file_and_told_with_its_seed()
    {
        FuzzRun run = Run(seed => seed == 3 ? throw new InvalidOperationException("so it is") : true, 10);

        string file = Assert.Single(Directory.GetFiles(Findings));
        Assert.Equal("3", File.ReadAllText(file));
        string told = Assert.Single(run.Unexpected);
        Assert.Contains("seed 3,", told, StringComparison.Ordinal);
        Assert.Contains(file, told, StringComparison.Ordinal);
        Assert.Contains("so it is", told, StringComparison.Ordinal);
        Assert.Contains("10 cases", run.Figures(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_kind_of_trouble_is_kept_once()
    {
        Run(seed => seed % 2 == 0 ? throw new InvalidOperationException($"of {seed}") : true, 50);
        Assert.Single(Directory.GetFiles(Findings));
    }

    [Fact]
    public void A_file_of_the_corpus_is_read_before_all_seeds()
    {
        Directory.CreateDirectory(Corpus);
        File.WriteAllText(Path.Combine(Corpus, "found"), "77");
        FuzzRun run = Run(seed => seed == 77 ? throw new InvalidOperationException("again") : true, 0);
        Assert.StartsWith(Path.Combine(Corpus, "found"), Assert.Single(run.Unexpected), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Findings));
    }

    [Theory]
    [InlineData(500, 0)]
    [InlineData(501, 1)]
    [InlineData(0, 1)]
    public void A_refusal_has_at_most_500_letters(int letters, int unexpected)
    {
        FuzzRun run = Run(_ => throw new SchemaException(new string('x', letters)), 1);
        Assert.Equal(unexpected, run.Unexpected.Count);
        Assert.Contains(" 1 refused", run.Figures(), StringComparison.Ordinal);
    }

    [Fact]
    public void Much_memory_for_a_short_input_is_noticed() =>
        Assert.Contains(
            "allocated",
            Assert.Single(Run(_ => GC.AllocateUninitializedArray<byte>(2 << 20).Length > 0, 1).Unexpected),
            StringComparison.Ordinal
        );

    [Fact]
    public void Much_time_is_noticed() =>
        Assert.Contains("took", Assert.Single(Run(Spins, 1).Unexpected), StringComparison.Ordinal);

    [Fact]
    public void A_time_ends_the_seeds()
    {
        long start = Environment.TickCount64;
        FuzzRun run = new(new Numbers(_ => true), Corpus, Findings);
        run.Go(0, TimeSpan.FromMilliseconds(300));
        Assert.InRange(Environment.TickCount64 - start, 290, 5000);
        Assert.DoesNotContain(" 0 cases", run.Figures(), StringComparison.Ordinal);
    }

    private FuzzRun Run(Func<int, bool> reads, int cases)
    {
        var run = new FuzzRun(new Numbers(reads), Corpus, Findings);
        run.Go(cases, time: null);
        return run;
    }

    private static bool Spins(int seed)
    {
        TimeSpan start = ThreadClock.Now;
        while (ThreadClock.Now - start < TimeSpan.FromMilliseconds(60)) { }
        return true;
    }

    // An input whose case is the number of its seed.
    private sealed class Numbers(Func<int, bool> reads) : FuzzInput
    {
        private int _next;

        public override string Name => "numbers";

        public override TimeSpan MostTime => TimeSpan.FromMilliseconds(50);

        public override byte[] Draw(Random random) => Encoding.ASCII.GetBytes($"{_next++}");

        public override bool Reads(byte[] input) => reads(int.Parse(Encoding.ASCII.GetString(input)));
    }
}

using GptOss.Peers;

namespace GptOss.Tests.Peers;

/// <summary>The tables of <c>benchmarks/run-peers.sh</c>, from figures that are written here.</summary>
public sealed class ReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_bar_is_held_against_the_median_of_the_rounds_own_ratios()
    {
        // The ratios of prefill are 3.5, 4 and 5; those of decode 1.03, 1.03 and 2.
        Write(1, "LLamaSharp", prefill: 100, decode: 100);
        Write(1, "fast", prefill: 350, decode: 103);
        Write(2, "LLamaSharp", prefill: 50, decode: 10);
        Write(2, "fast", prefill: 250, decode: 20);
        Write(3, "LLamaSharp", prefill: 200, decode: 100);
        Write(3, "fast", prefill: 800, decode: 103);

        string report = Report.Of(_folder.Path, "1.2");

        Assert.Contains(
            "| prefill of 256, `fast`, .NET 11, against LLamaSharp | 3.7 × | 4.8 × | 4.00 × (3.50 to 5.00) | yes |",
            report
        );
        Assert.Contains(
            "| decode, `fast`, against LLamaSharp | 1.04 × | 1.12 × | 1.03 × (1.03 to 2.00) | no |",
            report
        );
        Assert.Contains("| LLamaSharp 1.2 | 100.0 tok/s | 1 | 100.0 tok/s | 1 |", report);
    }

    [Fact]
    public void A_time_per_token_must_be_the_bar_or_less()
    {
        // A token of the long prompt takes 100 / 125 of one of the short, a token of the shortest 10 / 50 of a decoded.
        Write(
            1,
            "fast",
            prefill: 100,
            decode: 10,
            prefills: """{"tokens":16,"tok_per_s":50},{"tokens":2048,"tok_per_s":125}"""
        );

        string report = Report.Of(_folder.Path, "1.2");

        Assert.Contains("2,048, against 256 | 0.72 × | 0.62 × | 0.80 × (0.80 to 0.80) | no |", report);
        Assert.Contains("16, against decode | 0.27 × | 0.18 × | 0.20 × (0.20 to 0.20) | yes |", report);
    }

    [Fact]
    public void What_was_not_measured_has_no_bar()
    {
        Write(1, "checkpoint", prefill: 100, decode: 10);
        Write(1, "fast-net10-256", prefill: 100, decode: 10);

        string report = Report.Of(_folder.Path, "1.2");

        // It reads 20 GB/s, and a decoded token 1.8 GB.
        Assert.Equal(
            "| decode, `checkpoint`, share of the read bandwidth | 0.85 × | 0.92 × | 0.90 × (0.90 to 0.90) | yes |",
            Assert.Single(report.Split('\n'), line => line.Contains("| yes |") || line.Contains("| no |"))
        );
        Assert.Contains("| GptOss, `fast`, .NET 10, 256 bits | 100.0 tok/s | – | 10.0 tok/s | – | – | – |", report);
    }

    [Fact]
    public void An_engine_that_lacks_a_round_is_refused()
    {
        Write(1, "LLamaSharp", prefill: 100, decode: 100);
        Write(1, "fast", prefill: 100, decode: 100);
        Write(2, "fast", prefill: 100, decode: 100);

        Assert.Throws<InvalidOperationException>(() => Report.Of(_folder.Path, "1.2"));
    }

    private void Write(int round, string engine, double prefill, double decode, string prefills = "") =>
        File.WriteAllText(
            Path.Combine(_folder.Path, $"{round}.{engine}.json"),
            $$"""
            {"load_s":1,"prefill_tok_per_s":{{prefill}},"decode_tok_per_s":{{decode}},"read_bandwidth_gb_per_s":20,
            "bytes_per_token":1800000000,"prefills":[{{prefills}}]}
            """
        );
}

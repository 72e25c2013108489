using System.Globalization;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Bench.Corpora;

/// <summary>A <see cref="ConstraintsResult"/> as tables for a person.</summary>
internal static class CorpusSheets
{
    public static IEnumerable<Sheet> Of(ConstraintsResult result)
    {
        yield return Sheet.OfPairs(
            "o200k_harmony",
            ("tokens", Amount.Count(result.VocabularyTokens)),
            ("made ready, once", $"{Amount.Measure(result.VocabularyMs)} ms")
        );
        foreach (CorpusFigures corpus in result.Corpora)
        {
            yield return Counts(corpus);
            yield return Times(corpus);
        }
    }

    private static Sheet Counts(CorpusFigures c) =>
        Sheet.OfPairs(
            Printable.Line(c.Corpus),
            [
                ("schemas", Amount.Count(c.Schemas)),
                (
                    "refused",
                    Amount.Count(c.Refused) + (c.RefusedAsExpected > 0 ? $", {c.RefusedAsExpected} as expected" : "")
                ),
                .. c.RefusedBy.Select(refusals =>
                    ($"… by {Printable.Line(refusals.Keyword ?? "no single keyword")}", Amount.Count(refusals.Count))
                ),
                ("verdicts", Amount.Count(c.Verdicts)),
                ("wrong", Amount.Count(c.Wrong.Count)),
                .. c.Wrong.Select(wrong => ("…", Printable.Line(wrong))),
                ("tokens forced", c.ForcedShare.ToString("P1", CultureInfo.InvariantCulture)),
            ]
        );

    private static Sheet Times(CorpusFigures c) =>
        new(
            $"{Printable.Line(c.Corpus)}, one thread",
            [
                new("what"),
                new("count", IsNumber: true),
                new("average", IsNumber: true),
                new("p50", IsNumber: true),
                new("p99", IsNumber: true),
                new("p99.9", IsNumber: true),
                new("longest", IsNumber: true),
            ],
            [
                Row("mask, µs", c.MasksUs, Amount.Measure),
                Row("… first visit", c.FirstVisitsUs, Amount.Measure),
                Row("… visited", c.VisitedUs, Amount.Measure),
                Row("compile, ms", c.CompileMs, Amount.Measure),
                Row("kept, KiB", c.KeptBytes, bytes => Amount.Count((long)bytes >> 10)),
            ]
        );

    private static string[] Row(string name, Spread s, Func<double, string> measure) =>
        [name, Amount.Count(s.Count), measure(s.Mean), measure(s.P50), measure(s.P99), measure(s.P999), measure(s.Max)];
}

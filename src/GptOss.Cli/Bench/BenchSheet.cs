using System.Globalization;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Bench;

/// <summary>A <see cref="BenchResult"/> as a table for a person.</summary>
internal static class BenchSheet
{
    public static Sheet Of(BenchResult r) =>
        Sheet.OfPairs(
            $"{Printable.Line(r.Model)}, {r.Layers} layers, {r.Precision}, {r.Threads} threads, "
                + $"{(r.SimdBits > 0 ? $"{r.SimdBits} bits" : "scalar")}, .NET {Environment.Version}, "
                + $"median of {r.Repetitions}",
            [
                (
                    $"prefill of {r.PromptTokens}",
                    $"{Amount.Measure(r.PrefillTokPerS)} tok/s, {Amount.Measure(r.PrefillGmacPerS)} G MAC/s"
                ),
                (
                    $"decode of {r.DecodeTokens}",
                    $"{Amount.Measure(r.DecodeTokPerS)} tok/s, {Amount.Measure(r.AchievedGbPerS)} GB/s"
                ),
                .. r.Prefills.Select(p => ($"prefill of {p.Tokens}", $"{Amount.Measure(p.TokPerS)} tok/s")),
                .. AtContext(r.DecodeAtContext),
                .. OfStreams(r.DecodeOfStreams),
                .. OfEdit(r.Edit),
                .. OfSchemas(r.Schemas),
                .. (r.Cancels ?? []).Select(OfCancels),
                ("read bandwidth", $"{Amount.Measure(r.ReadBandwidthGbPerS)} GB/s"),
                ("… reached by decode", r.ShareOfBandwidth.ToString("P0", CultureInfo.InvariantCulture)),
                ("bytes per token", Amount.Bytes(r.BytesPerToken)),
                ("load", $"{Amount.Measure(r.LoadS)} s"),
                ("peak memory", Amount.Bytes(r.PeakMemoryBytes)),
            ]
        );

    private static (string, string)[] OfStreams(StreamFigures? s) =>
        s is null
            ? []
            :
            [
                (
                    $"decode of {s.Streams} streams",
                    $"{Amount.Measure(s.TotalTokPerS)} tok/s, {Amount.Measure(s.TokPerSOfEach)} each, "
                        + $"{Amount.Measure(s.Gain)} × one alone"
                ),
            ];

    private static (string, string)[] AtContext(ContextFigures? c) =>
        c is null
            ? []
            :
            [
                (
                    $"decode behind {c.Tokens}",
                    $"{Amount.Measure(c.DecodeTokPerS)} tok/s ({Amount.Measure(c.ShortDecodeTokPerS)} behind "
                        + $"{LongContext.Short})"
                ),
                (
                    "… keys and values added",
                    $"{Amount.Bytes(c.KeyValueBytesAdded)}, {Amount.Measure(1000 * c.SecondsAdded)} ms, "
                        + $"{Amount.Measure(c.KeyValueGbPerS)} GB/s"
                ),
            ];

    private static (string, string)[] OfEdit(EditFigures? e) =>
        e is null
            ? []
            :
            [
                (
                    $"edit of {e.PromptTokens} tokens",
                    $"{Amount.Measure(e.PlainTokPerS)} tok/s, {Amount.Measure(e.LookupTokPerS)} with lookup, "
                        + $"{Amount.Measure(e.Gain)} ×"
                ),
                ("… guessed", $"{e.GuessedTokens:0} tokens for {e.AnswerTokens}, right {Percent(e.Acceptance)}"),
                ("… cost of lookup without copies", Percent(e.CostWithoutCopies)),
            ];

    private static (string, string)[] OfSchemas(SchemaFigures? s) =>
        s is null
            ? []
            :
            [
                (
                    "answer held to a schema",
                    $"{Amount.Measure(s.SchemaTokPerS)} tok/s, {Amount.Measure(s.PlainTokPerS)} without, "
                        + $"{Amount.Measure(s.Ratio)} ×"
                ),
                ($"… {s.Streams} at once, a schema each", $"{Amount.Measure(s.RatioOfStreams)} ×"),
                ("… a mask that is not kept", $"{Amount.Measure(s.MeanMaskUs)} µs"),
            ];

    private static (string, string) OfCancels(CancelFigures c) =>
        (
            $"cancel behind {c.ContextTokens}, {(c.Rows == 1 ? "decode" : "prefill")}"
                + (c.StreamsBeside > 0 ? $", {c.StreamsBeside} beside" : ""),
            $"{Amount.Measure(c.MedianMs)} ms, worst {Amount.Measure(c.WorstMs)} ms"
        );

    private static string Percent(double share) => share.ToString("P1", CultureInfo.InvariantCulture);
}

using System.Globalization;
using GptOss.Cli.Shell;

namespace GptOss.Cli.Bench;

/// <summary>A <see cref="BenchResult"/> as a table for a person.</summary>
internal static class BenchSheet
{
    public static Sheet Of(BenchResult r) =>
        Sheet.OfPairs(
            $"{Printable.Line(r.Model)}, {r.Layers} layers, {r.Precision}, {r.Threads} threads, "
                + $"{(r.SimdBits > 0 ? $"{r.SimdBits} bits" : "scalar")}, median of {r.Repetitions}",
            [
                (
                    $"prefill of {r.PromptTokens}",
                    $"{Amount.Measure(r.PrefillTokPerS)} tok/s, {Amount.Measure(r.PrefillGmacPerS)} G MAC/s"
                ),
                (
                    $"decode of {r.DecodeTokens}",
                    $"{Amount.Measure(r.DecodeTokPerS)} tok/s, {Amount.Measure(r.AchievedGbPerS)} GB/s"
                ),
                .. AtContext(r.DecodeAtContext),
                .. OfStreams(r.DecodeOfStreams),
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
}

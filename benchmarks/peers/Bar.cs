using System.Globalization;

namespace GptOss.Peers;

/// <summary>
/// A ratio that must be reached: one figure of one engine over a figure of another in the same round.
/// </summary>
/// <param name="What">The ratio in words.</param>
/// <param name="Must">The bar, which the median of the rounds has to reach.</param>
/// <param name="Aim">What is hoped for beyond the bar.</param>
/// <param name="Above">The engine and the figure that the ratio is of.</param>
/// <param name="Below">The engine and the figure that it is compared with.</param>
/// <param name="IsLeast">Whether the ratio has to be the bar or more; else the bar or less.</param>
internal sealed record Bar(
    string What,
    double Must,
    double Aim,
    (string Engine, Func<Figures, double> Figure) Above,
    (string Engine, Func<Figures, double> Figure) Below,
    bool IsLeast = true
)
{
    private const string Fast = "fast",
        Net10 = "fast-net10",
        Checkpoint = "checkpoint";

    // Two runs of one engine differ by some 3 %.
    private const double AsFast = 0.97;

    /// <summary>The bars of the engine; a change that lowers one says why.</summary>
    public static IReadOnlyList<Bar> All { get; } =
    [
        new("prefill of 256, `fast`, .NET 11, against LLamaSharp", 3.7, 4.8, Prefill(Fast), Prefill(Runs.Peer)),
        new("prefill of 256, `fast`, .NET 10, against LLamaSharp", 2.6, 3.2, Prefill(Net10), Prefill(Runs.Peer)),
        new("time per token of a prefill of 2,048, against 256", 0.72, 0.62, Prefill(Fast), Prefill(Fast, 2048), false),
        new("prefill of 256, `checkpoint`, against LLamaSharp", 1.35, 1.8, Prefill(Checkpoint), Prefill(Runs.Peer)),
        new("decode, `fast`, share of the read bandwidth", 0.88, 0.94, Decoded(Fast), Readable(Fast)),
        new("decode, `checkpoint`, share of the read bandwidth", 0.85, 0.92, Decoded(Checkpoint), Readable(Checkpoint)),
        new("decode, `fast`, against LLamaSharp", 1.04, 1.12, Decode(Fast), Decode(Runs.Peer)),
        new("time per token of a prefill of 16, against decode", 0.27, 0.18, Decode(Fast), Prefill(Fast, 16), false),
        new("prefill of 256 at 256 bits, .NET 10, against 512", 0.6, 0.8, Prefill($"{Net10}-256"), Prefill(Net10)),
        new("prefill of 256, ahead of time, .NET 11, against JIT", AsFast, 1, Prefill($"{Fast}-aot"), Prefill(Fast)),
        new("decode, ahead of time, .NET 11, against JIT", AsFast, 1, Decode($"{Fast}-aot"), Decode(Fast)),
        new("prefill of 256, ahead of time, .NET 10, against JIT", AsFast, 1, Prefill($"{Net10}-aot"), Prefill(Net10)),
        new("decode, ahead of time, .NET 10, against JIT", AsFast, 1, Decode($"{Net10}-aot"), Decode(Net10)),
    ];

    /// <summary>A line of the table; null where an engine or a length was not measured.</summary>
    public string? Row(Runs runs)
    {
        if (runs.Of(Above.Engine) is not { } above || runs.Of(Below.Engine) is not { } below)
            return null;
        double[] ratios = [.. above.Zip(below, (a, b) => Above.Figure(a) / Below.Figure(b))];
        if (ratios.Any(double.IsNaN))
            return null;
        double median = Figures.Median(ratios);
        bool isReached = IsLeast ? median >= Must : median <= Must;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {What} | {Must} × | {Aim} × | {median:F2} × ({ratios.Min():F2} to {ratios.Max():F2}) "
                + $"| {(isReached ? "yes" : "no")} |"
        );
    }

    private static (string, Func<Figures, double>) Prefill(string engine) => (engine, run => run.PrefillTokPerS);

    private static (string, Func<Figures, double>) Prefill(string engine, int tokens) =>
        (engine, run => run.Prefills.FirstOrDefault(p => p.Tokens == tokens)?.TokPerS ?? double.NaN);

    private static (string, Func<Figures, double>) Decode(string engine) => (engine, run => run.DecodeTokPerS);

    private static (string, Func<Figures, double>) Decoded(string engine) =>
        (engine, run => run.BytesPerToken * run.DecodeTokPerS / 1e9);

    private static (string, Func<Figures, double>) Readable(string engine) => (engine, run => run.ReadBandwidthGbPerS);
}

namespace GptOss.Cli.Bench.Corpora;

/// <summary>How many figures were taken, and how they spread; all 0 where there is none.</summary>
internal sealed record Spread
{
    public int Count { get; private init; }
    public double Mean { get; private init; }
    public double P50 { get; private init; }
    public double P99 { get; private init; }

    /// <summary>What one figure in a thousand exceeds.</summary>
    public double P999 { get; private init; }
    public double Max { get; private init; }

    /// <summary>Sorts the figures where they are.</summary>
    public static Spread Of(List<double> figures)
    {
        if (figures.Count == 0)
            return new Spread();
        figures.Sort();
        return new Spread
        {
            Count = figures.Count,
            Mean = figures.Average(),
            P50 = Quantile(0.5),
            P99 = Quantile(0.99),
            P999 = Quantile(0.999),
            Max = figures[^1],
        };

        // The smallest figure that at least this share does not exceed.
        double Quantile(double share) => figures[(int)Math.Ceiling(share * figures.Count) - 1];
    }
}

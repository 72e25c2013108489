using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace GptOss.Benchmarks;

/// <summary>
/// Bytes that one value takes in memory, for <see cref="RateColumn"/>. The class has the parameters Inputs, Outputs and
/// perhaps Tokens, or for attention HeadDim and Positions.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ValueBytesAttribute(double bytesPerValue) : Attribute
{
    public double BytesPerValue { get; } = bytesPerValue;
}

/// <summary>Work over the mean time, in 10⁹ a second.</summary>
internal sealed class RateColumn(string name, string legend, Func<BenchmarkCase, double?> work) : IColumn
{
    /// <summary>GB of weights: with several tokens each weight counts once.</summary>
    public static RateColumn GigabytesPerSecond { get; } =
        new("GB/s", "10⁹ bytes of weights read a second", benchmark =>
            Values(benchmark)
            * (
                Attribute.GetCustomAttribute(benchmark.Descriptor.Type, typeof(ValueBytesAttribute))
                as ValueBytesAttribute
            )?.BytesPerValue
        );

    /// <summary>Multiply-adds of a class with the parameter Tokens; the plain read has none.</summary>
    public static RateColumn GigaMacPerSecond { get; } =
        new("G MAC/s", "10⁹ multiply-adds a second", benchmark =>
            benchmark.Descriptor.Baseline ? null : Values(benchmark) * Number(benchmark, "Tokens")
        );

    public string Id => nameof(RateColumn) + name;
    public string ColumnName => name;
    public bool AlwaysShow => true;
    public ColumnCategory Category => ColumnCategory.Custom;
    public int PriorityInCategory => 0;
    public bool IsNumeric => true;
    public UnitType UnitType => UnitType.Dimensionless;
    public string Legend => legend;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
        summary[benchmarkCase]?.ResultStatistics?.Mean is { } nanoseconds && work(benchmarkCase) is { } done
            ? (done / nanoseconds).ToString("F1")
            : "-";

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) =>
        GetValue(summary, benchmarkCase);

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    private static double? Values(BenchmarkCase benchmark) =>
        Number(benchmark, "Inputs") * Number(benchmark, "Outputs")
        ?? Number(benchmark, "HeadDim") * Number(benchmark, "Positions");

    private static double? Number(BenchmarkCase benchmark, string parameter) =>
        benchmark.Parameters.Items.FirstOrDefault(item => item.Name == parameter)?.Value as int?;
}

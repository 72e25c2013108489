using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace GptOss.Benchmarks;

/// <summary>Work of one call, for <see cref="RateColumn"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class RowBytesAttribute(double bytesPerValue) : Attribute
{
    public double BytesPerValue { get; } = bytesPerValue;
}

/// <summary>GB of weights a second: values × rows × bytes a value over the mean time. With several tokens each weight counts once.</summary>
internal sealed class RateColumn : IColumn
{
    public string Id => nameof(RateColumn);
    public string ColumnName => "GB/s";
    public bool AlwaysShow => true;
    public ColumnCategory Category => ColumnCategory.Custom;
    public int PriorityInCategory => 0;
    public bool IsNumeric => true;
    public UnitType UnitType => UnitType.Dimensionless;
    public string Legend => "10⁹ bytes of weights read a second";

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        double? nanoseconds = summary[benchmarkCase]?.ResultStatistics?.Mean;
        var perValue = (RowBytesAttribute?)Attribute.GetCustomAttribute(
            benchmarkCase.Descriptor.Type, typeof(RowBytesAttribute));
        if (nanoseconds is null || perValue is null) return "-";
        double values = (int)benchmarkCase.Parameters["Values"] * (double)(int)benchmarkCase.Parameters["Rows"];
        return (values * perValue.BytesPerValue / nanoseconds.Value).ToString("F1");
    }

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) =>
        GetValue(summary, benchmarkCase);

    public bool IsAvailable(Summary summary) => true;
    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;
}

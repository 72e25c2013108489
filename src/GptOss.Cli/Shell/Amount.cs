using System.Globalization;

namespace GptOss.Cli.Shell;

/// <summary>Numbers as a person reads them, the same in every country.</summary>
internal static class Amount
{
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Bytes in full and rounded, such as <c>13,761,264,768 (12.82 GiB)</c>.</summary>
    public static string Bytes(long bytes) => $"{Count(bytes)} ({Size(bytes)})";

    /// <summary>Bytes rounded to a unit, such as <c>12.82 GiB</c>.</summary>
    public static string Size(long bytes)
    {
        (double unit, string name) =
            bytes >= 1L << 30 ? (1L << 30, "GiB")
            : bytes >= 1L << 20 ? (1L << 20, "MiB")
            : (1L << 10, "KiB");
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / unit:0.00} {name}");
    }

    /// <summary>Three or more significant digits, without an exponent.</summary>
    public static string Measure(double value) =>
        value.ToString(
            Math.Abs(value) >= 100 ? "N0"
                : Math.Abs(value) >= 10 ? "0.0"
                : "0.000",
            CultureInfo.InvariantCulture
        );
}

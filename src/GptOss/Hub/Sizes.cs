using System.Globalization;
using GptOss.Checkpoint;

namespace GptOss.Hub;

/// <summary>Bytes as the hub and disks count them, by thousands, such as 13.8 GB.</summary>
internal static class Sizes
{
    public static string Text(long bytes) =>
        bytes < 1000
            ? $"{bytes} {(bytes == 1 ? "byte" : "bytes")}"
            : string.Create(CultureInfo.InvariantCulture, $"{Figure(bytes, bytes)} {Unit(bytes)}");

    /// <summary>A part of a whole, in the unit of the whole: 3.1 of 4.8 GB.</summary>
    public static string Part(long done, long total) =>
        total < 1000 ? $"{done} of {Text(total)}" : $"{Figure(done, total)} of {Text(total)}";

    /// <summary>Bytes of a file, behind links and in the memory of this process, too.</summary>
    public static long OfFile(string path) =>
        new FileInfo(FilesInMemory.Opened(path) ?? RegularFile.RealPath(path)).Length;

    private static string Figure(long bytes, long scale) =>
        (
            bytes
            / (
                scale < 1_000_000 ? 1e3
                : scale < 1_000_000_000 ? 1e6
                : 1e9
            )
        ).ToString("0.0", CultureInfo.InvariantCulture);

    private static string Unit(long bytes) =>
        bytes < 1_000_000 ? "kB"
        : bytes < 1_000_000_000 ? "MB"
        : "GB";
}

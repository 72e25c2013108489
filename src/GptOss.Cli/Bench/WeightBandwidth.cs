using System.Diagnostics;
using System.Runtime.InteropServices;
using GptOss.Threading;

namespace GptOss.Cli.Bench;

/// <summary>
/// Measures how fast a team of threads reads weights when it computes nothing: decoding, which reads every weight that
/// a token needs once, cannot be faster.
/// </summary>
// Bound: Measure cuts pieces that end with their region; MemoryRead gets them as spans.
internal static unsafe class WeightBandwidth
{
    /// <summary>More bytes than any cache holds, and read in less than a second.</summary>
    private const long BytesRead = 4L << 30;

    private const int PieceBytes = 4 << 20;

    /// <summary>
    /// The best pass counts: the limit is what the machine can do, and other programs can only slow a pass down.
    /// </summary>
    private const int Passes = 3;

    /// <summary>Bytes per second over the given regions, or the first 4 GB of them.</summary>
    public static double Measure(IReadOnlyList<(nint Data, long Bytes)> regions, int threads)
    {
        var pieces = new List<(nint Data, int Bytes)>();
        long total = 0;
        foreach ((nint data, long bytes) in regions)
            for (long at = 0; at < bytes && total < BytesRead; at += PieceBytes)
            {
                int count = (int)Math.Min(PieceBytes, bytes - at);
                pieces.Add((data + (nint)at, count));
                total += count;
            }

        using var team = new WorkerTeam(threads);
        fixed ((nint Data, int Bytes)* first = CollectionsMarshal.AsSpan(pieces))
        {
            double best = 0;
            for (int pass = 0; pass < Passes; pass++)
            {
                long started = Stopwatch.GetTimestamp();
                team.ForItems(pieces.Count, 1, &ReadPieces, first);
                best = Math.Max(best, total / Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
            return best;
        }
    }

    private static void ReadPieces(void* state, int worker, int first, int end)
    {
        var pieces = ((nint Data, int Bytes)*)state;
        for (int i = first; i < end; i++)
            MemoryRead.Fold(new ReadOnlySpan<byte>((void*)pieces[i].Data, pieces[i].Bytes));
    }
}

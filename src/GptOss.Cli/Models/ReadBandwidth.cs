using System.Runtime.InteropServices;
using GptOss.Cli.Bench;
using GptOss.Model;

namespace GptOss.Cli.Models;

/// <summary>How fast this machine reads memory, which limits how fast a model speaks.</summary>
// Bound: the bytes that Measure allocates are the bytes of the one region that it hands on.
internal static unsafe class ReadBandwidth
{
    // More than the caches of nearly all processors hold, and read in a tenth of a second.
    private const long Most = 1L << 29;

    /// <summary>Bytes per second that all processors read together.</summary>
    public static double Measure()
    {
        long bytes = Math.Min(Most, FreeMemory.Bytes() / 4);
        void* memory = NativeMemory.Alloc((nuint)bytes);
        try
        {
            // A page that nobody wrote to is the one page of zeros, which a cache holds.
            NativeMemory.Fill(memory, (nuint)bytes, 1);
            return WeightBandwidth.Measure([((nint)memory, bytes)], Environment.ProcessorCount);
        }
        finally
        {
            NativeMemory.Free(memory);
        }
    }
}

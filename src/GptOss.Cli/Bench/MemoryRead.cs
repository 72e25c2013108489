using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Cli.Bench;

/// <summary>
/// Reads memory as fast as one core can and computes nothing with it. Decoding is limited by the reading of weights, so
/// the speed measured here is the one that decoding is compared with.
/// </summary>
/// <remarks>
/// The loop does not prefetch: the processor's own prefetching was faster than every distance that was tried. On one
/// thread of Zen 4 <c>benchmarks -- quick</c> showed 31 to 34 GB/s, and with a prefetch of 12 KB ahead 22 to 23 GB/s.
/// </remarks>
// Bound: whole steps of four vectors within the span.
internal static class MemoryRead
{
    /// <summary>
    /// The exclusive or of all 8-byte words of the memory, in whole steps of four vectors. The result depends on every
    /// word, so the compiler cannot leave out a read.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong Fold(ReadOnlySpan<byte> memory)
    {
        ref readonly byte m = ref MemoryMarshal.GetReference(memory);
        Vector<byte> a = default,
            b = default,
            c = default,
            d = default;
        nuint width = (nuint)Vector<byte>.Count;
        for (nuint at = 0; at + 4 * width <= (nuint)memory.Length; at += 4 * width)
        {
            a ^= Vector.LoadUnsafe(in m, at);
            b ^= Vector.LoadUnsafe(in m, at + width);
            c ^= Vector.LoadUnsafe(in m, at + 2 * width);
            d ^= Vector.LoadUnsafe(in m, at + 3 * width);
        }
        Vector<ulong> all = Vector.AsVectorUInt64(a ^ b ^ c ^ d);
        ulong folded = 0;
        for (int i = 0; i < Vector<ulong>.Count; i++)
            folded ^= all[i];
        return folded;
    }
}

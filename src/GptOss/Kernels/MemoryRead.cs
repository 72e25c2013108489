using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels;

/// <summary>
/// Reads memory as fast as a core can and does nothing else: what every decoding speed is compared with.
/// </summary>
/// <remarks>
/// Without asking ahead: the processor's own prefetching did better than any distance that was tried (on one thread of
/// Zen 4
/// <c>benchmarks -- quick</c> showed 31 to 34 GB/s, with 12 KB ahead 22 to 23).
/// </remarks>
internal static class MemoryRead
{
    private const int StepBytes = 128;

    /// <summary>
    /// The exclusive or of the whole steps of 128 bytes, folded into one number, so that no read can be left out.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong Fold(ReadOnlySpan<byte> memory)
    {
        ref readonly byte m = ref MemoryMarshal.GetReference(memory);
        Vector256<byte> a = default,
            b = default,
            c = default,
            d = default;
        for (nuint at = 0; at + StepBytes <= (nuint)memory.Length; at += StepBytes)
        {
            a ^= Vector256.LoadUnsafe(in m, at);
            b ^= Vector256.LoadUnsafe(in m, at + 32);
            c ^= Vector256.LoadUnsafe(in m, at + 64);
            d ^= Vector256.LoadUnsafe(in m, at + 96);
        }
        Vector256<ulong> all = (a ^ b ^ c ^ d).AsUInt64();
        return all[0] ^ all[1] ^ all[2] ^ all[3];
    }
}

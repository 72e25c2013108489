using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Tells the processor that a loop will soon read an address, so that the cache line is already there when the loop
/// arrives. A prefetch never faults, not even past the end of mapped memory. On processors other than x86 it does
/// nothing.
/// </summary>
/// <remarks>
/// The first-level cache can wait for few lines from memory at a time, and while it waits, loads that the second level
/// could serve wait too. So a loop with little arithmetic per byte prefetches into the second level, far ahead: the
/// distance is the latency of memory times its speed. A loop with much arithmetic per byte prefetches into the first
/// level, near ahead, because the first level is small.
/// </remarks>
// Bound: none is needed: a prefetch reads nothing that a program sees, and faults at no address.
internal static unsafe class Prefetch
{
    /// <summary>
    /// Distance ahead of the loop for <see cref="ReadFar"/>. Measured with bf16 weights on one thread: 4 KB gave
    /// 22 GB/s, 8 KB 27, 12 and 16 KB 28 (<c>benchmarks -- quick</c>, Zen 4).
    /// </summary>
    public const int FarBytes = 12 * 1024;

    /// <summary>
    /// Distance ahead of the loop for <see cref="Read"/>: 4 KB was the best of 1, 4, 8, 12 and 16 KB.
    /// </summary>
    public const int NearBytes = 4 * 1024;

    /// <summary>Prefetches a line into the second-level cache only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadFar<T>(ref readonly T origin, nuint index)
        where T : unmanaged
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(Unsafe.AsPointer(ref Unsafe.Add(ref Unsafe.AsRef(in origin), index)));
    }

    /// <summary>Prefetches the line of an address into the second-level cache only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadFar(byte* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(address);
    }

    /// <summary>Prefetches a line into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Read<T>(ref readonly T origin, nuint index)
        where T : unmanaged
    {
        // The address is only a hint, so it does no harm if the garbage collector moves the object meanwhile.
        if (Sse.IsSupported)
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref Unsafe.AsRef(in origin), index)));
    }
}

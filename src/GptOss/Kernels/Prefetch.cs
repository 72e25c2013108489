using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>
/// Asks for a cache line before it is needed. Never faults, also past the end of a mapping; elsewhere than on x86 it
/// does nothing.
/// </summary>
/// <remarks>
/// The requests to memory of the nearest cache are few, and while they are taken, loads that the second level could
/// serve wait behind them. So what few instructions meet goes into the second level, and from as far ahead as the
/// memory's latency times its speed; what much arithmetic meets goes into the nearest, which has no room for much.
/// </remarks>
internal static unsafe class Prefetch
{
    /// <summary>
    /// How far ahead of a loop in address order <see cref="ReadFar"/> asks: 4 KB gave bf16 rows 22 GB/s on one thread,
    /// 8 KB 27, 12 and 16 KB 28 (<c>benchmarks -- quick</c>, Zen 4).
    /// </summary>
    public const int FarBytes = 12 * 1024;

    /// <summary>The same of <see cref="Read"/>: 4 KB was best of 1, 4, 8, 12 and 16.</summary>
    public const int NearBytes = 4 * 1024;

    /// <summary>Into the second-level cache only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadFar<T>(ref readonly T origin, nuint index)
        where T : unmanaged
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(Unsafe.AsPointer(ref Unsafe.Add(ref Unsafe.AsRef(in origin), index)));
    }

    /// <summary>Into the nearest cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Read<T>(ref readonly T origin, nuint index)
        where T : unmanaged
    {
        // The address is only a hint, so it does not matter should the collector move what it points into.
        if (Sse.IsSupported)
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref Unsafe.AsRef(in origin), index)));
    }
}

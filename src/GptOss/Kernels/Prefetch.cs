using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>Asks for a cache line before it is needed. Never faults, also past the end of a mapping; elsewhere than on x86 it does nothing.</summary>
internal static unsafe class Prefetch
{
    /// <summary>
    /// Into the second-level cache only: the requests to memory of the first level are few, and while they are taken, loads that
    /// the second level could serve wait behind them. Better where few instructions meet a line, or it is needed much later.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadFar<T>(ref readonly T origin, nuint index) where T : unmanaged
    {
        if (Sse.IsSupported) Sse.Prefetch1(Unsafe.AsPointer(ref Unsafe.Add(ref Unsafe.AsRef(in origin), index)));
    }

    /// <summary>Into the nearest cache, for what a running loop needs soon.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Read<T>(ref readonly T origin, nuint index) where T : unmanaged
    {
        // The address is only a hint, so it does not matter should the collector move what it points into.
        if (Sse.IsSupported) Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref Unsafe.AsRef(in origin), index)));
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace GptOss.Kernels;

/// <summary>Asks for a cache line before it is needed. Never faults, also past the end of a mapping; elsewhere than on x86 it does nothing.</summary>
internal static unsafe class Prefetch
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Read<T>(ref readonly T origin, nuint index) where T : unmanaged
    {
        // The address is only a hint, so it does not matter should the collector move what it points into.
        if (Sse.IsSupported) Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref Unsafe.AsRef(in origin), index)));
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GptOss.Kernels.Registers;

/// <summary>
/// Chooses the register width of float kernels, and loads and stores rows whose end does not fill sixteen lanes. It is
/// the only place that lists the widths.
/// </summary>
// Bound: four bytes at the offset, which the lanes keep within what a kernel has checked.
internal static class Lanes
{
    /// <summary>Number of lanes, at every register width.</summary>
    public const int Count = 16;

    /// <summary>Bits of the widest registers: 512, 256, 128, or 1 without vector instructions.</summary>
    public static int Width =>
        Vector512.IsHardwareAccelerated ? 512
        : Vector256.IsHardwareAccelerated ? 256
        : Vector128.IsHardwareAccelerated ? 128
        : 1;

    /// <summary>Runs a kernel at the widest registers of this process; the JIT compiles one branch only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TKernel>(in TKernel kernel)
        where TKernel : struct, ILaneKernel, allows ref struct
    {
        if (Vector512.IsHardwareAccelerated)
            kernel.Run<Lanes512>();
        else if (Vector256.IsHardwareAccelerated)
            kernel.Run<Lanes256>();
        else if (Vector128.IsHardwareAccelerated)
            kernel.Run<Lanes128>();
        else
            kernel.Run<Lanes1>();
    }

    /// <summary>
    /// Reads four bytes as one number. Inside Vector.Create the JIT turns the load and the broadcast into one
    /// instruction.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Dword(ref readonly byte source, nuint offset) =>
        Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref Unsafe.AsRef(in source), offset));

    /// <summary>Loads the first <paramref name="count"/> lanes; the others are zero.</summary>
    public static T LoadPartial<T>(ReadOnlySpan<float> source, int count)
        where T : struct, ILanes<T>
    {
        Span<float> padded = stackalloc float[Count];
        padded.Clear();
        source[..count].CopyTo(padded);
        return T.Load(in padded[0], 0);
    }

    /// <summary>Stores the first <paramref name="destination"/>.Length lanes.</summary>
    public static void StorePartial<T>(T lanes, Span<float> destination)
        where T : struct, ILanes<T>
    {
        Span<float> padded = stackalloc float[Count];
        T.Store(lanes, ref padded[0], 0);
        padded[..destination.Length].CopyTo(destination);
    }
}

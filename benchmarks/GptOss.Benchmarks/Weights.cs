using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using GptOss.Kernels;

namespace GptOss.Benchmarks;

/// <summary>Memory filled from a fixed seed; like a mapped file it does not move and begins with a cache line.</summary>
internal sealed unsafe class Weights<T> where T : unmanaged
{
    private readonly int _count;

    /// <param name="count">Values.</param>
    /// <param name="value">Makes a value of 64 random bits.</param>
    public Weights(int count, Func<ulong, T> value)
    {
        _count = count;
        Pointer = (T*)NativeMemory.AlignedAlloc((nuint)count * (nuint)sizeof(T), 64);   // for as long as the process lives
        ulong state = 0x9E37_79B9_7F4A_7C15;
        for (int i = 0; i < count; i++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            Pointer[i] = value(state);
        }
    }

    public T* Pointer { get; }

    public ReadOnlySpan<T> Span => new(Pointer, _count);

    public Span<T> Writable => new(Pointer, _count);
}

internal static class WeightRows
{
    public static Rows Rows(this Weights<float> values, int width) => new(values.Writable, width);
}

/// <summary>What the machine can read: the limit of every kernel that meets each weight once.</summary>
internal static unsafe class PlainRead
{
    /// <summary>Adds up whole 256-byte groups; the prefetch distance is that of the kernels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static ulong Sum(byte* from, nint bytes)
    {
        Vector512<ulong> a = default, b = default, c = default, d = default;
        for (byte* p = from, end = from + bytes / 256 * 256; p < end; p += 256)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(p + 4096);
                Sse.Prefetch0(p + 4160);
                Sse.Prefetch0(p + 4224);
                Sse.Prefetch0(p + 4288);
            }
            a += Vector512.Load((ulong*)p);
            b += Vector512.Load((ulong*)(p + 64));
            c += Vector512.Load((ulong*)(p + 128));
            d += Vector512.Load((ulong*)(p + 192));
        }
        return Vector512.Sum(a + b + c + d);
    }
}

using System.Runtime.InteropServices;
using GptOss.Kernels;

namespace GptOss.Benchmarks;

/// <summary>
/// Memory filled from a fixed seed; like a mapped file it does not move and begins with a cache line.
/// </summary>
internal sealed unsafe class Weights<T>
    where T : unmanaged
{
    private readonly int _count;

    /// <param name="count">Values.</param>
    /// <param name="value">Makes a value of 64 random bits.</param>
    public Weights(int count, Func<ulong, T> value)
    {
        _count = count;
        // For as long as the process lives
        Pointer = (T*)NativeMemory.AlignedAlloc((nuint)count * (nuint)sizeof(T), 64);
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

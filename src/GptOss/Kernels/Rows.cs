using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GptOss.Kernels;

/// <summary>
/// Activations of some tokens, [tokens, width], one row after the other in a span of floats. The memory is borrowed, as
/// a rule from a workspace.
/// </summary>
/// <remarks>Row t holds the activations of token t. A ref struct cannot outlive the buffer it borrows.</remarks>
internal readonly ref struct Rows(Span<float> values, int width)
{
    public Span<float> Values { get; } = values;
    public int Width { get; } = width;
    public int Count => Values.Length / Width;

    /// <summary>
    /// The address of the first float, for other threads: the memory must not move, as a workspace's does not.
    /// </summary>
    // Bound: the length of Values, which whoever takes the address keeps.
    public unsafe float* Pointer => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Values));

    public Span<float> this[int row] => Values.Slice(row * Width, Width);
}

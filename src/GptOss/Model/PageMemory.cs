using System.Runtime.InteropServices;

namespace GptOss.Model;

/// <summary>Takes the memory of pages from the system, outside the managed heap, and gives it back.</summary>
internal unsafe class PageMemory
{
    public static PageMemory OfSystem { get; } = new();

    /// <summary>
    /// Takes the given number of bytes, whose content is undefined, at a multiple of a cache line of 64 bytes.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public virtual nint Allocate(long bytes) => (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);

    public virtual void Free(nint address) => NativeMemory.AlignedFree((void*)address);
}

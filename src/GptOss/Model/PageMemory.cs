using System.Runtime.InteropServices;

namespace GptOss.Model;

/// <summary>Takes the memory of pages from the system, outside the managed heap, and gives it back.</summary>
// Bound: reads and writes nothing; the address of Free is one that Allocate gave.
internal unsafe partial class PageMemory
{
    public static PageMemory OfSystem { get; } = new();

    /// <summary>
    /// Takes the given number of bytes, whose content is undefined, at a multiple of a cache line of 64 bytes.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public virtual nint Allocate(long bytes) => (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);

    public virtual void Free(nint address) => NativeMemory.AlignedFree((void*)address);

    /// <summary>
    /// Lets the system have what was freed. The C library of most Linux systems keeps freed memory of this size once
    /// some was freed before: of 600 MiB in pieces of 3 MiB of which every second one is freed, all 600.
    /// </summary>
    public virtual void GiveBack()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = TrimHeap(0);
        }
        catch (TypeLoadException)
        {
            // Another C library, such as musl, which has no such function and keeps less.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimHeap(nuint keptBytes);
}

using System.Runtime.InteropServices;

namespace GptOss.Model;

/// <summary>Takes the memory of pages from the system, outside the managed heap, and gives it back.</summary>
// Bound: writes one address into the 64 bytes that Allocate takes before those it gives; the address of Free is one
// that Allocate gave.
internal unsafe partial class PageMemory
{
    private const int Line = 64;

    public static PageMemory OfSystem { get; } = new();

    /// <summary>
    /// Takes the given number of bytes, whose content is undefined, at a multiple of a cache line of 64 bytes.
    /// </summary>
    /// <remarks>
    /// Aligned here and not by the C library: that of most Linux systems, asked for an alignment, looks for more than a
    /// piece has, and so never finds one again that was freed. A pool that frees and takes pages of one size would grow
    /// beyond its budget.
    /// </remarks>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public virtual nint Allocate(long bytes)
    {
        var taken = (nint)NativeMemory.Alloc(checked((nuint)bytes + Line));
        nint address = (taken & -Line) + Line; // malloc aligns to at least 8, so that an address fits before it
        ((nint*)address)[-1] = taken;
        return address;
    }

    public virtual void Free(nint address) => NativeMemory.Free((void*)((nint*)address)[-1]);

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

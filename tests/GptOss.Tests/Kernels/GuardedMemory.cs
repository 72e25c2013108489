using System.Runtime.InteropServices;

namespace GptOss.Tests.Kernels;

/// <summary>
/// A copy of some values that ends exactly where a page without access begins: one byte read past it ends the process.
/// The page before those of the values has no access either, so that values that fill whole pages are fenced on both
/// sides.
/// </summary>
internal sealed unsafe class GuardedMemory<T> : IDisposable
    where T : unmanaged
{
    private readonly byte* _start;
    private readonly nuint _bytes;
    private readonly T* _values;
    private readonly int _count;

    public GuardedMemory(ReadOnlySpan<T> values)
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Environment.Is64BitProcess,
            "pages are guarded by Linux's mmap and mprotect"
        );
        nuint page = (nuint)Environment.SystemPageSize,
            used = (nuint)values.Length * (nuint)sizeof(T);
        nuint pages = (used + page - 1) / page * page;
        _bytes = page + pages + page;
        // Read, write; private, anonymous
        _start = (byte*)Native.Map(null, _bytes, protection: 3, flags: 0x22, file: -1, offset: 0);
        Assert.NotEqual(-1, (nint)_start);
        Assert.Equal(0, Native.Protect(_start, page, protection: 0));
        Assert.Equal(0, Native.Protect(_start + page + pages, page, protection: 0));
        _values = (T*)(_start + page + pages - used);
        _count = values.Length;
        values.CopyTo(new Span<T>(_values, _count));
    }

    public Span<T> Span => new(_values, _count);

    public void Dispose() => _ = Native.Unmap(_start, _bytes);
}

internal static unsafe partial class Native
{
    [LibraryImport("libc", EntryPoint = "mmap")]
    internal static partial void* Map(void* address, nuint bytes, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    internal static partial int Protect(void* address, nuint bytes, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    internal static partial int Unmap(void* address, nuint bytes);
}

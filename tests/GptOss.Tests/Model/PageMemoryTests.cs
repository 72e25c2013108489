using GptOss.Model;

namespace GptOss.Tests.Model;

/// <summary>Memory of pages as the system gives it.</summary>
[Promise(19)]
public sealed class PageMemoryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(100_000)]
    [InlineData(1_000_000)]
    public unsafe void A_piece_begins_at_a_cache_line_and_is_as_large_as_it_was_asked_for(int bytes)
    {
        nint[] pieces = [.. Enumerable.Range(0, 20).Select(_ => PageMemory.OfSystem.Allocate(bytes))];
        for (int i = 0; i < pieces.Length; i++)
            new Span<byte>((void*)pieces[i], bytes).Fill((byte)i);
        for (int i = 0; i < pieces.Length; i++)
        {
            Assert.Equal(0, pieces[i] % 64);
            Assert.False(new Span<byte>((void*)pieces[i], bytes).ContainsAnyExcept((byte)i));
            PageMemory.OfSystem.Free(pieces[i]);
        }
    }

    /// <summary>Otherwise a pool that frees pages and takes others grows beyond its budget.</summary>
    [Fact]
    public void Pieces_that_were_freed_are_found_again_by_others_of_their_size()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The allocators of other systems are of another kind.");
        const int Bytes = 100_000; // a size that the C library of Linux takes from its heap
        nint[] pieces = [.. Enumerable.Range(0, 100).Select(_ => PageMemory.OfSystem.Allocate(Bytes))];
        HashSet<nint> freed = [.. pieces.Where((_, i) => i % 2 == 0)];
        foreach (nint piece in freed)
            PageMemory.OfSystem.Free(piece);
        nint[] next = [.. freed.Select(_ => PageMemory.OfSystem.Allocate(Bytes))];
        // Another test's thread may have taken some of the memory meanwhile.
        int found = next.Count(freed.Contains);
        foreach (nint piece in pieces.Except(freed).Concat(next))
            PageMemory.OfSystem.Free(piece);
        Assert.InRange(found, 40, 50);
    }
}

using GptOss.Model;

namespace GptOss.Tests.Model;

/// <summary>The system's memory, which counts what is taken and fails when it is told to.</summary>
internal sealed class CountingMemory : PageMemory
{
    private int _taken;

    /// <summary>Number of allocations that were not given back.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>Whether the next allocation fails.</summary>
    public bool Fails { get; set; }

    /// <summary>Allocations until one fails; negative for never.</summary>
    public int FailsAfter { get; set; } = -1;

    /// <summary>How many allocations fail one after the other, where one does.</summary>
    public int FailsTimes { get; init; } = 1;

    public override nint Allocate(long bytes)
    {
        int left = FailsAfter--;
        if (Fails || (left <= 0 && left > -FailsTimes))
            throw new InsufficientMemoryException(); // an OutOfMemoryException that code may throw
        nint address = base.Allocate(bytes);
        Interlocked.Increment(ref _taken);
        return address;
    }

    public override void Free(nint address)
    {
        base.Free(address);
        Interlocked.Decrement(ref _taken);
    }

    public override void GiveBack() { } // would look through the memory of the whole process
}

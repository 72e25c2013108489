using System.Runtime.InteropServices;

namespace GptOss.Model;

/// <summary>Weights that are no part of a file: memory outside the managed heap, in cache lines.</summary>
internal sealed unsafe class WeightMemory : IDisposable
{
    private readonly List<(nint Data, long Bytes)> _regions = [];

    public IReadOnlyList<(nint Data, long Bytes)> Regions => _regions;

    public byte* Allocate(long bytes)
    {
        var data = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        _regions.Add(((nint)data, bytes));
        return data;
    }

    public void Dispose()
    {
        foreach ((nint data, _) in _regions) NativeMemory.AlignedFree((void*)data);
        _regions.Clear();
    }
}

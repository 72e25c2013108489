using System.Runtime.InteropServices;
using GptOss.Checkpoint;

namespace GptOss.Model;

/// <summary>
/// Memory for weights that no file holds, such as int8 copies: outside the managed heap, aligned to cache lines of 64
/// bytes.
/// </summary>
// Bound: reads nothing; ReadLast refuses what is no whole region of Allocate.
internal sealed unsafe class WeightMemory : IWeightStore, IDisposable
{
    private readonly List<(nint Data, long Bytes)> _regions = [];

    public IReadOnlyList<(nint Data, long Bytes)> Regions => _regions;

    public byte* Allocate(long bytes)
    {
        var data = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        _regions.Add(((nint)data, bytes));
        return data;
    }

    /// <summary>
    /// Gives the memory of one call of <see cref="Allocate"/> back, as a whole, when the reading is disposed.
    /// </summary>
    public ILastReading ReadLast(byte* data, long bytes)
    {
        int region = _regions.IndexOf(((nint)data, bytes));
        return region >= 0
            ? new LastReading(this, data, bytes)
            : throw new ArgumentException("The bytes are no memory that was allocated here as a whole.", nameof(data));
    }

    public void Dispose()
    {
        foreach ((nint data, _) in _regions)
            NativeMemory.AlignedFree((void*)data);
        _regions.Clear();
    }

    private sealed class LastReading(WeightMemory memory, byte* data, long bytes) : ILastReading
    {
        public byte* Data => data;

        public void Dispose()
        {
            if (memory._regions.Remove(((nint)data, bytes)))
                NativeMemory.AlignedFree(data);
        }
    }
}

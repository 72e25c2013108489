using System.IO.MemoryMappedFiles;

namespace GptOss.Checkpoint;

/// <summary>A mapping of one part of a file: when it is disposed, the pages of that part leave the process.</summary>
// Bound: the view that .NET has mapped, which refuses an offset and a length beyond the file.
internal sealed unsafe class MappedPart : ILastReading
{
    private readonly MemoryMappedViewAccessor _view;
    private byte* _data;

    public MappedPart(MemoryMappedViewAccessor view)
    {
        _view = view;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _data);
        _data += _view.PointerOffset;
    }

    public byte* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(_data is null, this);
            return _data;
        }
    }

    public void Dispose()
    {
        if (_data is null)
            return;
        _data = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
    }
}

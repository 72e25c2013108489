using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GptOss.Checkpoint;

/// <summary>The content of a file, read into private memory where the file system cannot map.</summary>
internal sealed unsafe class MemoryCopy : ILastReading
{
    private const int Alignment = 4096,
        PieceBytes = 64 << 20;

    private byte* _data;

    /// <exception cref="CheckpointException">The file ended before its length.</exception>
    /// <exception cref="OutOfMemoryException">The file is larger than the memory that is left.</exception>
    public MemoryCopy(SafeFileHandle file, long length, string path)
    {
        _data = (byte*)NativeMemory.AlignedAlloc((nuint)length, Alignment);
        try
        {
            for (long at = 0; at < length; )
            {
                int read = RandomAccess.Read(
                    file,
                    new Span<byte>(_data + at, (int)Math.Min(PieceBytes, length - at)),
                    at
                );
                if (read == 0)
                    throw new CheckpointException(
                        path,
                        $"ended after {at} of {length} bytes: it was changed while being read."
                    );
                at += read;
            }
        }
        catch
        {
            Dispose();
            throw;
        }
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
        NativeMemory.AlignedFree(_data);
        _data = null;
    }

    /// <summary>
    /// A last reading of bytes of this copy: closing it frees nothing, since the copy is freed as a whole.
    /// </summary>
    internal sealed class CopiedPart(byte* data) : ILastReading
    {
        private byte* _bytes = data;

        public byte* Data
        {
            get
            {
                ObjectDisposedException.ThrowIf(_bytes is null, this);
                return _bytes;
            }
        }

        public void Dispose() => _bytes = null;
    }
}

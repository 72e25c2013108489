using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GptOss.Checkpoint;

/// <summary>
/// The content of a file in private memory: where the file system cannot map, or where nothing that becomes of the file
/// may matter. Until <see cref="Fill"/> its bytes are undefined, and no memory is taken for them.
/// </summary>
// Bound: Fill writes at most the length that was allocated; Holds is asked by MappedFile.ThrowIfChanged for bytes that
// were read from the same length.
internal sealed unsafe class MemoryCopy : ILastReading
{
    private const int Alignment = 4096,
        PieceBytes = 64 << 20;

    private readonly long _length;
    private byte* _data;

    /// <exception cref="OutOfMemoryException">The system has no room for the length.</exception>
    public MemoryCopy(long length)
    {
        _length = length;
        _data = (byte*)NativeMemory.AlignedAlloc((nuint)length, Alignment);
    }

    /// <summary>Reads the file from its beginning to the length that it had.</summary>
    /// <exception cref="CheckpointException">The file ended before its length.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public void Fill(SafeFileHandle file, string path, CopyProgress progress)
    {
        for (long at = 0; at < _length; )
        {
            int read = RandomAccess.Read(file, new Span<byte>(Data + at, (int)Math.Min(PieceBytes, _length - at)), at);
            if (read == 0)
                throw new CheckpointException(
                    path,
                    $"ended after {at} of {_length} bytes: it was changed while being read."
                );
            at += read;
            progress.Add(read);
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

    /// <summary>Whether these bytes lie at a position of the content.</summary>
    public bool Holds(ReadOnlySpan<byte> bytes, long position) =>
        new ReadOnlySpan<byte>(Data + position, bytes.Length).SequenceEqual(bytes);

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

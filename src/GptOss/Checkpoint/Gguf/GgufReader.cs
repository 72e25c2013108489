using System.Buffers.Binary;

namespace GptOss.Checkpoint.Gguf;

/// <summary>Copies bytes of a file from a position on into memory.</summary>
/// <param name="position">Distance of the first byte from the beginning of the file.</param>
/// <param name="destination">Receives the bytes; the file has at least as many from there on.</param>
internal delegate void ReadAt(long position, Span<byte> destination);

/// <summary>
/// Walks through the head of a GGUF file. Every length is compared with what is left of the file before it is used, so
/// that no claim of the file makes this allocate memory or read past the end.
/// </summary>
/// <remarks>The head is read and not taken through a mapping: a file that is cut meanwhile is an error and no crash.
/// </remarks>
/// <param name="path">The file, named so in messages.</param>
/// <param name="length">How many bytes the file has.</param>
/// <param name="read">Copies bytes of the file.</param>
/// <param name="start">Where the walk begins.</param>
internal sealed class GgufReader(string path, long length, ReadAt read, long start = 0)
{
    /// <summary>The longest head that is read; a real one has 13 MB, nearly all of it the tokenizer.</summary>
    public const long MostHeadBytes = 256L << 20;

    /// <summary>The longest string of a key.</summary>
    public const long MostStringBytes = 64L << 20;

    private const int BufferBytes = 64 << 10;

    private readonly byte[] _buffer = new byte[(int)Math.Min(BufferBytes, length)];
    private long _bufferStart = start;
    private int _buffered;

    /// <summary>The file, as messages name it.</summary>
    public string Path => path;

    /// <summary>How many bytes the file has.</summary>
    public long Length => length;

    /// <summary>Distance of the next byte from the beginning of the file.</summary>
    public long Position { get; private set; } = start;

    /// <summary>How many bytes of the file are left.</summary>
    public long Left => length - Position;

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    /// <summary>The length of a string, whose bytes come next: at most what is left of the file.</summary>
    /// <param name="what">What the string is, for a message.</param>
    /// <param name="most">The most bytes that such a string may have.</param>
    public long StringLength(string what, long most)
    {
        ulong bytes = UInt64();
        if (bytes > (ulong)Left)
            throw Wrong($"{what} claims a length of {bytes} bytes, but the file ends {Left} bytes further on.");
        if (bytes > (ulong)most)
            throw Wrong($"{what} has a length of {bytes} bytes, but should have at most {most}.");
        return (long)bytes;
    }

    /// <summary>The bytes that come next, at most some thousands. They are valid until the next call.</summary>
    public ReadOnlySpan<byte> Take(int bytes)
    {
        int at = (int)(Position - _bufferStart);
        if (at < 0 || at + bytes > _buffered)
        {
            Require(bytes);
            _bufferStart = Position;
            _buffered = (int)Math.Min(_buffer.Length, Left);
            read(Position, _buffer.AsSpan(0, _buffered));
            at = 0;
        }
        Position += bytes;
        return _buffer.AsSpan(at, bytes);
    }

    /// <summary>Copies the bytes that come next, however many they are.</summary>
    public void Copy(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int bytes = Math.Min(destination.Length, _buffer.Length);
            Take(bytes).CopyTo(destination);
            destination = destination[bytes..];
        }
    }

    /// <summary>Passes over bytes of the file.</summary>
    public void Skip(long bytes)
    {
        Require(bytes);
        Position += bytes;
        if (Position - _bufferStart > _buffered)
            (_bufferStart, _buffered) = (Position, 0);
    }

    /// <summary>Passes over strings, each of them checked; a tokenizer has some hundred thousand.</summary>
    /// <param name="count">How many strings come next.</param>
    /// <param name="key">The key whose array they are.</param>
    public void SkipStrings(long count, string key)
    {
        while (count > 0)
        {
            int at = (int)(Position - _bufferStart),
                used = 0;
            ReadOnlySpan<byte> rest = at < _buffered ? _buffer.AsSpan(at, _buffered - at) : default;
            while (count > 0 && rest.Length - used >= sizeof(ulong))
            {
                ulong bytes = BinaryPrimitives.ReadUInt64LittleEndian(rest[used..]);
                if (bytes > (ulong)(rest.Length - used - sizeof(ulong)))
                    break;
                used += sizeof(ulong) + (int)bytes;
                count--;
            }
            Position += used;
            if (count-- > 0) // the next one ends behind the buffer
                Skip(StringLength($"a string in the array of '{Printable.Name(key)}'", MostStringBytes));
        }
    }

    /// <summary>Throws if the file ends before the end of a number of things that it claims to hold.</summary>
    /// <param name="claim">The number and what it counts, such as <c>3 tensors</c>.</param>
    /// <param name="count">How many there are; a negative number was read as a huge one.</param>
    /// <param name="each">The fewest bytes that each of them takes.</param>
    public void RequireRoom(string claim, ulong count, int each)
    {
        if (count > (ulong)Left / (uint)each)
            throw Wrong(
                $"claims {claim}, which take at least {each} bytes each, but the file ends {Left} bytes further on. "
                    + "Download it again."
            );
    }

    /// <summary>The error for a file that is not as it should be.</summary>
    /// <param name="reason">What was expected and what was found.</param>
    /// <param name="key">The key at fault, where it is one.</param>
    /// <param name="tensor">The tensor at fault, where it is one.</param>
    public CheckpointException Wrong(string reason, string? key = null, string? tensor = null) =>
        new(path, reason, tensor, key);

    private void Require(long bytes)
    {
        if (bytes > Left)
            throw Wrong($"ends after {length} bytes, in the middle of its head: it is cut off. Download it again.");
        if (Position + bytes > MostHeadBytes)
            throw Wrong($"its head should have at most {MostHeadBytes} bytes, but has more.");
    }
}

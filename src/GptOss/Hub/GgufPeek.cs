using System.Buffers.Binary;
using System.Text;
using GptOss.Checkpoint;
using Microsoft.Win32.SafeHandles;

namespace GptOss.Hub;

/// <summary>What the beginning of a GGUF file says of itself, read without the rest of its head.</summary>
/// <param name="Architecture">The value of general.architecture; null where the first keys do not tell.</param>
/// <param name="Type">The value of general.type, "model" where there is none.</param>
internal sealed record GgufPeek(string? Architecture, string Type)
{
    // The general keys come first in every writer's files; the vocabulary behind them has megabytes.
    private const int Window = 1 << 16;

    private const int StringType = 8,
        ArrayType = 9;

    /// <summary>Bytes of a value by the number of its type; 0 for what has no fixed size.</summary>
    private static ReadOnlySpan<byte> ValueBytes => [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

    /// <summary>Whether the file is gpt-oss, as llama.cpp or as the first Ollama spell it.</summary>
    public bool IsGptOss => Architecture is "gpt-oss" or "gptoss" && Type == "model";

    /// <summary>The beginning of a file; null where it is no GGUF.</summary>
    /// <exception cref="CheckpointException">The file is missing, not regular, or not readable.</exception>
    public static GgufPeek? Read(string path)
    {
        using SafeFileHandle handle = RegularFile.Open(path, minimumBytes: 1);
        byte[] start = new byte[Math.Min(RandomAccess.GetLength(handle), Window)];
        RegularFile.Fill(handle, start, path);
        return Of(start);
    }

    /// <summary>The beginning of a file; null where it is no GGUF or cannot be read.</summary>
    public static GgufPeek? TryRead(string path)
    {
        try
        {
            return Read(path);
        }
        catch (CheckpointException)
        {
            return null;
        }
    }

    /// <summary>What bytes from the beginning of a file say; null where they begin no GGUF.</summary>
    public static GgufPeek? Of(ReadOnlySpan<byte> start)
    {
        const int Head = 24;
        if (!start.StartsWith("GGUF"u8))
            return null;
        string? architecture = null;
        string type = "model";
        var rest = new Rest(start.Length > Head ? start[Head..] : default);
        while (rest.TryText(out string? key) && rest.TryNumber(4, out ulong kind))
        {
            if (kind == StringType)
            {
                if (!rest.TryText(out string? value))
                    break;
                architecture = key == "general.architecture" ? value : architecture;
                type = key == "general.type" ? value : type;
            }
            else if (kind >= (ulong)ValueBytes.Length || kind == ArrayType || !rest.TrySkip(ValueBytes[(int)kind]))
                break;
        }
        return new GgufPeek(architecture, type);
    }

    /// <summary>What is left of the window; asking for more ends the reading.</summary>
    private ref struct Rest(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _bytes = bytes;

        public bool TrySkip(int count)
        {
            if (count > _bytes.Length)
                return false;
            _bytes = _bytes[count..];
            return true;
        }

        public bool TryNumber(int bytes, out ulong value)
        {
            value = 0;
            if (_bytes.Length < bytes)
                return false;
            value =
                bytes == 4
                    ? BinaryPrimitives.ReadUInt32LittleEndian(_bytes)
                    : BinaryPrimitives.ReadUInt64LittleEndian(_bytes);
            _bytes = _bytes[bytes..];
            return true;
        }

        public bool TryText(out string text)
        {
            text = "";
            if (!TryNumber(8, out ulong length) || length > (ulong)_bytes.Length)
                return false;
            text = Encoding.UTF8.GetString(_bytes[..(int)length]);
            _bytes = _bytes[(int)length..];
            return true;
        }
    }
}

using System.Buffers.Binary;
using System.Text.Json;

namespace GptOss.Tests.Oracles;

/// <summary>
/// Writes the safetensors format: 8 bytes of header length, a JSON header padded with blanks to 8, the tensors' bytes.
/// </summary>
internal static class SafetensorsWriter
{
    public static void Write(string path, IReadOnlyList<KeyValuePair<string, TinyTensor>> tensors)
    {
        var header = new Dictionary<string, object>
        {
            ["__metadata__"] = new Dictionary<string, string> { ["format"] = "pt" },
        };
        long at = 0;
        foreach ((string name, TinyTensor tensor) in tensors)
        {
            long end = at + tensor.Data.Length;
            header[name] = new
            {
                dtype = tensor.DType,
                shape = tensor.Shape,
                data_offsets = new[] { at, end },
            };
            at = end;
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        int padding = -json.Length & 7;
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)(json.Length + padding));

        using FileStream file = File.Create(path);
        file.Write(length);
        file.Write(json);
        file.Write("       "u8[..padding]);
        foreach ((_, TinyTensor tensor) in tensors)
            file.Write(tensor.Data);
    }
}

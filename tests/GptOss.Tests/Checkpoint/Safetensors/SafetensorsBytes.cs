using System.Buffers.Binary;
using System.Text;

namespace GptOss.Tests.Checkpoint.Safetensors;

/// <summary>Writes safetensors files for the tests of this room, sound ones and unsound ones.</summary>
internal static class SafetensorsBytes
{
    /// <summary>A small sound file: F32 [2, 3], BF16 [5], U8 [4]; data byte i is i.</summary>
    public static byte[] Sample { get; } =
        Sound(("a.weight", "F32", [2, 3], 24), ("b", "BF16", [5], 10), ("c", "U8", [4], 4));

    /// <summary>Length, header and <paramref name="dataBytes"/> bytes that count up.</summary>
    public static byte[] WithHeader(string json, int dataBytes)
    {
        byte[] header = Encoding.UTF8.GetBytes(json);
        byte[] file = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        for (int i = 0; i < dataBytes; i++)
            file[8 + header.Length + i] = (byte)i;
        return file;
    }

    /// <summary>The tensors in this order, without a gap.</summary>
    public static byte[] Sound(params (string Name, string DType, int[] Shape, int Bytes)[] tensors)
    {
        var entries = new List<string> { "\"__metadata__\":{\"format\":\"pt\"}" };
        int at = 0;
        foreach ((string name, string dtype, int[] shape, int bytes) in tensors)
        {
            entries.Add(
                $"\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":[{string.Join(',', shape)}],"
                    + $"\"data_offsets\":[{at},{at += bytes}]}}"
            );
        }
        return WithHeader($"{{{string.Join(',', entries)}}}", at);
    }

    /// <summary>A file with one U8 tensor of four bytes of each name.</summary>
    public static byte[] Named(params string[] names) => Sound([.. names.Select(name => (name, "U8", new[] { 4 }, 4))]);
}

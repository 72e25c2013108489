using System.Buffers.Binary;
using System.Text;

namespace GptOss.Tests.Checkpoint.Gguf;

/// <summary>A GGUF file taken apart, so that one field of it can be written wrongly.</summary>
/// <remarks>It reads sound files only, and shares no code with the library.</remarks>
internal sealed class GgufParts
{
    public const uint U8 = 0,
        U16 = 2,
        U32 = 4,
        I32 = 5,
        F32 = 6,
        Bool = 7,
        String = 8,
        Array = 9,
        U64 = 10,
        F64 = 12;

    private GgufParts() { }

    public byte[] Magic { get; set; } = "GGUF"u8.ToArray();

    public uint Version { get; set; }

    public bool BigEndian { get; set; }

    public int Alignment { get; init; } = 32;

    /// <summary>The number of tensors that the file claims; null for the true one.</summary>
    public ulong? TensorCount { get; set; }

    /// <summary>The number of keys that the file claims; null for the true one.</summary>
    public ulong? KeyCount { get; set; }

    public List<GgufKey> Keys { get; } = [];

    public List<GgufTensor> Tensors { get; } = [];

    /// <summary>The bytes of one more key.</summary>
    public byte[]? RawKey { get; set; }

    public byte[] Data { get; set; } = [];

    /// <summary>Takes a file apart.</summary>
    public static GgufParts Read(string path)
    {
        var file = new GgufParts();
        using var reader = new BinaryReader(new MemoryStream(File.ReadAllBytes(path)));
        Assert.Equal("GGUF"u8.ToArray(), reader.ReadBytes(4));
        file.Version = reader.ReadUInt32();
        ulong tensors = reader.ReadUInt64(),
            keys = reader.ReadUInt64();
        for (ulong i = 0; i < keys; i++)
        {
            string name = Text(reader);
            uint type = reader.ReadUInt32();
            long at = reader.BaseStream.Position;
            Skip(reader, type);
            long bytes = reader.BaseStream.Position - at;
            reader.BaseStream.Position = at;
            file.Keys.Add(new GgufKey(name, type, reader.ReadBytes((int)bytes)));
        }
        for (ulong i = 0; i < tensors; i++)
        {
            string name = Text(reader);
            ulong[] sizes = [.. Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadUInt64())];
            file.Tensors.Add(new GgufTensor(name, [.. sizes], reader.ReadUInt32(), reader.ReadUInt64()));
        }
        reader.BaseStream.Position = (reader.BaseStream.Position + 31) / 32 * 32;
        file.Data = reader.ReadBytes((int)(reader.BaseStream.Length - reader.BaseStream.Position));
        return file;
    }

    public GgufKey Key(string name) => Keys.Single(key => key.Name == name);

    public GgufTensor Tensor(string name) => Tensors.Single(tensor => tensor.Name == name);

    /// <summary>The whole file.</summary>
    public byte[] Bytes()
    {
        var head = new List<byte>(Magic);
        Put(head, Version, 4);
        Put(head, TensorCount ?? (ulong)Tensors.Count, 8);
        Put(head, KeyCount ?? (ulong)Keys.Count + (RawKey is null ? 0u : 1), 8);
        foreach (GgufKey key in Keys)
            head.AddRange([.. String8(key.Name), .. Number(key.Type, 4), .. key.Value]);
        head.AddRange(RawKey ?? []);
        foreach (GgufTensor tensor in Tensors)
        {
            head.AddRange([.. String8(tensor.Name), .. Number((uint)tensor.Sizes.Count, 4)]);
            tensor.Sizes.ForEach(size => head.AddRange(Number(size, 8)));
            head.AddRange([.. Number(tensor.Type, 4), .. Number(tensor.Offset, 8)]);
        }
        while (head.Count % Alignment != 0)
            head.Add(0);
        return [.. head, .. Data];
    }

    /// <summary>A string as the file has it: its length, then its bytes.</summary>
    public static byte[] String8(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return [.. Number((ulong)bytes.Length, 8), .. bytes];
    }

    /// <summary>A number of some bytes, the lowest first.</summary>
    public static byte[] Number(ulong value, int bytes)
    {
        byte[] eight = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(eight, value);
        return eight[..bytes];
    }

    private void Put(List<byte> head, ulong value, int bytes)
    {
        byte[] number = Number(value, bytes);
        if (BigEndian)
            System.Array.Reverse(number);
        head.AddRange(number);
    }

    private static string Text(BinaryReader reader) =>
        Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadUInt64()));

    private static void Skip(BinaryReader reader, uint type)
    {
        switch (type)
        {
            case String:
                Text(reader);
                break;
            case Array:
                uint inner = reader.ReadUInt32();
                for (ulong left = reader.ReadUInt64(); left > 0; left--)
                    Skip(reader, inner);
                break;
            default:
                reader.ReadBytes(
                    type switch
                    {
                        U8 or 1 or Bool => 1,
                        U16 or 3 => 2,
                        U32 or I32 or F32 => 4,
                        _ => 8,
                    }
                );
                break;
        }
    }
}

/// <summary>A key of a file, its value as bytes.</summary>
internal sealed record GgufKey(string Name, uint Type, byte[] Value)
{
    public uint Type { get; set; } = Type;

    public byte[] Value { get; set; } = Value;
}

/// <summary>A tensor of a file, the innermost size first.</summary>
internal sealed record GgufTensor(string Name, List<ulong> Sizes, uint Type, ulong Offset)
{
    public string Name { get; set; } = Name;

    public uint Type { get; set; } = Type;

    public ulong Offset { get; set; } = Offset;
}

using System.Text;

namespace GptOss.Peers;

/// <summary>How a GGUF file stores a tensor's values; the numbers are the format's own.</summary>
internal enum GgufType
{
    Float32 = 0,

    /// <summary>Blocks of 32: a float16 scale, then 32 signed bytes.</summary>
    Q8Block = 8,

    /// <summary>Blocks of 32: an exponent byte, then 16 bytes of codes.</summary>
    Mxfp4 = 39,
}

/// <param name="Name">The name by which llama.cpp looks for it.</param>
/// <param name="Type">Of its values.</param>
/// <param name="Dimensions">The fastest-running first, as the format has them.</param>
internal sealed record GgufTensor(string Name, GgufType Type, params long[] Dimensions)
{
    public long Values => Dimensions.Aggregate(1L, (product, dimension) => product * dimension);

    public long Bytes =>
        Type switch
        {
            GgufType.Float32 => Values * 4,
            GgufType.Q8Block => Values / 32 * 34,
            _ => Values / 32 * 17,
        };
}

/// <summary>What stands before the tensors' bytes in a GGUF file, version 3.</summary>
internal sealed class GgufHeader
{
    /// <summary>Of the first tensor and of each, in bytes.</summary>
    public const int Alignment = 32;

    private enum Kind
    {
        UInt32 = 4,
        Int32 = 5,
        Float32 = 6,
        String = 8,
        Array = 9,
    }

    private readonly List<Action<BinaryWriter>> _fields = [];

    public void Add(string key, int value) => Add(key, Kind.UInt32, writer => writer.Write((uint)value));

    public void Add(string key, float value) => Add(key, Kind.Float32, writer => writer.Write(value));

    public void Add(string key, string value) => Add(key, Kind.String, writer => Write(writer, value));

    public void Add(string key, IReadOnlyCollection<string> values) => Add(key, Kind.Array, writer =>
        {
            writer.Write((int)Kind.String);
            writer.Write((long)values.Count);
            foreach (string value in values)
                Write(writer, value);
        });

    public void Add(string key, IReadOnlyCollection<int> values) => Add(key, Kind.Array, writer =>
        {
            writer.Write((int)Kind.Int32);
            writer.Write((long)values.Count);
            foreach (int value in values)
                writer.Write(value);
        });

    /// <summary>The whole header, padded to where the first tensor begins.</summary>
    public byte[] ToBytes(IReadOnlyList<GgufTensor> tensors)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((long)tensors.Count);
        writer.Write((long)_fields.Count);
        foreach (Action<BinaryWriter> field in _fields)
            field(writer);
        long offset = 0;
        foreach (GgufTensor tensor in tensors)
        {
            Write(writer, tensor.Name);
            writer.Write(tensor.Dimensions.Length);
            foreach (long dimension in tensor.Dimensions)
                writer.Write(dimension);
            writer.Write((int)tensor.Type);
            writer.Write(offset);
            offset += Aligned(tensor.Bytes);
        }
        writer.Write(new byte[Aligned(bytes.Length) - bytes.Length]);
        return bytes.ToArray();
    }

    /// <summary>The next multiple of <see cref="Alignment"/>.</summary>
    public static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private void Add(string key, Kind kind, Action<BinaryWriter> value) =>
        _fields.Add(writer =>
        {
            Write(writer, key);
            writer.Write((int)kind);
            value(writer);
        });

    private static void Write(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((long)bytes.Length);
        writer.Write(bytes);
    }
}

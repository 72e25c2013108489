using System.Buffers.Binary;
using System.Text.Json;

namespace GptOss.Cli.Convert;

/// <summary>
/// Writes tensors as safetensors files of limited size, and the index that says which tensor lies in which.
/// </summary>
/// <param name="folder">An empty folder that takes the files.</param>
/// <param name="mostBytes">The most bytes of tensors in one file; a larger tensor has a file of its own.</param>
internal sealed class ShardWriter(string folder, long mostBytes)
{
    /// <summary>Five gigabytes, what other tools make, too.</summary>
    public const long UsualBytes = 5_000_000_000;

    private const int BufferBytes = 1 << 20;

    /// <summary>Writes all tensors; returns the names of the files.</summary>
    /// <param name="tensors">The tensors in the order in which they are written.</param>
    /// <param name="written">Told after each tensor how many bytes of tensors are written.</param>
    /// <param name="stop">Ends the writing early.</param>
    public string[] Write(IReadOnlyList<OutputTensor> tensors, Action<long> written, CancellationToken stop)
    {
        List<List<OutputTensor>> shards = Cut(tensors);
        string[] names =
        [
            .. shards.Select(
                (_, i) => shards.Count == 1 ? "model.safetensors" : $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors"
            ),
        ];
        long done = 0;
        for (int i = 0; i < names.Length; i++)
            done = WriteFile(names[i], shards[i], done, written, stop);
        if (names.Length > 1)
            WriteIndex(shards, names, done);
        return names;
    }

    private List<List<OutputTensor>> Cut(IReadOnlyList<OutputTensor> tensors)
    {
        List<List<OutputTensor>> shards =
        [
            [],
        ];
        long size = 0;
        foreach (OutputTensor tensor in tensors)
        {
            if (size > 0 && size + tensor.Bytes > mostBytes)
            {
                shards.Add([]);
                size = 0;
            }
            shards[^1].Add(tensor);
            size += tensor.Bytes;
        }
        return shards;
    }

    private long WriteFile(
        string name,
        List<OutputTensor> tensors,
        long done,
        Action<long> written,
        CancellationToken stop
    )
    {
        using var file = new FileStream(
            Path.Join(folder, name),
            FileMode.CreateNew,
            FileAccess.Write,
            FileShare.None,
            BufferBytes
        );
        file.Write(Header(tensors));
        foreach (OutputTensor tensor in tensors)
        {
            long begin = file.Position;
            tensor.Write(file, stop);
            if (file.Position - begin != tensor.Bytes)
                throw new InvalidOperationException(
                    $"{tensor.Name} has {file.Position - begin} bytes, and should have {tensor.Bytes}."
                );
            written(done += tensor.Bytes);
        }
        file.Flush(flushToDisk: true);
        return done;
    }

    // Eight bytes of length, then JSON, padded with blanks so that the tensors begin at a multiple of eight.
    private static byte[] Header(List<OutputTensor> tensors)
    {
        using var json = new MemoryStream();
        json.Write(new byte[8]);
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            writer.WriteString("format", "pt");
            writer.WriteEndObject();
            long at = 0;
            foreach (OutputTensor tensor in tensors)
            {
                writer.WriteStartObject(tensor.Name);
                writer.WriteString("dtype", tensor.DType);
                WriteNumbers(writer, "shape", tensor.Shape);
                WriteNumbers(writer, "data_offsets", [at, at += tensor.Bytes]);
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        while (json.Length % 8 != 0)
            json.WriteByte((byte)' ');
        byte[] header = json.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - 8);
        return header;
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string name, long[] numbers)
    {
        writer.WriteStartArray(name);
        foreach (long number in numbers)
            writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }

    private void WriteIndex(List<List<OutputTensor>> shards, string[] names, long bytes)
    {
        using FileStream file = File.Create(Path.Join(folder, "model.safetensors.index.json"));
        using var writer = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true });
        writer.WriteStartObject();
        writer.WriteStartObject("metadata");
        writer.WriteNumber("total_size", bytes);
        writer.WriteEndObject();
        writer.WriteStartObject("weight_map");
        for (int i = 0; i < names.Length; i++)
            foreach (OutputTensor tensor in shards[i])
                writer.WriteString(tensor.Name, names[i]);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}

using System.Buffers.Binary;
using GptOss.Checkpoint;
using GptOss.Checkpoint.Safetensors;
using GptOss.Tests.Checkpoint.Safetensors;

namespace GptOss.Tests.Fuzzing.Inputs;

/// <summary>A safetensors file: its length, its JSON, and the bytes behind it.</summary>
internal sealed class HeaderInput : FuzzInput
{
    private static readonly byte[][] Sound =
    [
        SafetensorsBytes.Sample,
        SafetensorsBytes.Named("a", "model.layers.0.self_attn.sinks", "é"),
        SafetensorsBytes.WithHeader(
            """   {"a":["F4",[8],[0,4]],"b":{"dtype":"I64","shape":[],"data_offsets":[4,12]}} """,
            12
        ),
    ];

    public override string Name => "safetensors-header";

    public override int Cases => 20_000;

    public override byte[] Draw(Random random)
    {
        byte[] file = Any(Sound, random);
        for (int damages = Damages(random); damages > 0; damages--)
            file =
                random.Next(4) == 0
                    ? ByteDamage.Damage(file, random)
                    : WithJson(file, json => JsonDamage.Damage(json, random, JsonOf(Any(Sound, random))));
        return file;
    }

    /// <summary>Every rule of the format holds for what is accepted: no hole, no overlap, nothing left over.</summary>
    public override bool Reads(byte[] input)
    {
        TensorEntry[] tensors = SafetensorsHeader.Parse(input, input.Length, "folder/x.safetensors");
        long end = 8 + BinaryPrimitives.ReadInt64LittleEndian(input);
        foreach (TensorEntry tensor in tensors)
        {
            Assert.Equal(end, tensor.Begin);
            Assert.Equal(tensor.Count * tensor.DType.Bits(), tensor.ByteLength * 8);
            Assert.Equal(tensor.Count, tensor.Shape.Aggregate(1L, (product, length) => product * length));
            end += tensor.ByteLength;
        }
        Assert.Equal(input.Length, end);
        Assert.Equal(tensors.Length, tensors.Select(tensor => tensor.Name).Distinct().Count());
        return true;
    }

    /// <summary>The file with other JSON and the length that this has.</summary>
    internal static byte[] WithJson(byte[] file, Func<byte[], byte[]> change)
    {
        if (HeadOf(file) is not int head)
            return file;
        byte[] json = change(file[8..head]),
            start = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(start, json.Length);
        return [.. start, .. json, .. file[head..]];
    }

    private static byte[] JsonOf(byte[] file) => HeadOf(file) is int head ? file[8..head] : [];

    // Where the JSON of a file ends; null where a damage has left no such place.
    private static int? HeadOf(byte[] file) =>
        file.Length >= 8
        && BinaryPrimitives.ReadInt64LittleEndian(file) is >= 0 and var length
        && length <= file.Length - 8
            ? 8 + (int)length
            : null;
}

using GptOss.Checkpoint;
using GptOss.Checkpoint.Gguf;
using GptOss.Tests.Checkpoint.Gguf;

namespace GptOss.Tests.Fuzzing.Inputs;

/// <summary>The head of a GGUF file.</summary>
internal sealed class GgufInput : FuzzInput
{
    private static readonly byte[] Sound = File.ReadAllBytes(GgufVectors.PathOf("A-bare.gguf"));
    private static readonly int HeadBytes = (int)Read(Sound).Bytes;

    // The tensors' bytes are never looked at: the input has the head, and claims what the file had.
    private static readonly long DataBytes = Sound.Length - HeadBytes;

    public override string Name => "gguf-head";

    public override int Cases => 4000;

    public override byte[] Draw(Random random)
    {
        if (random.Next(4) == 0)
            return Invented(random);
        byte[] head = Sound[..HeadBytes];
        for (int damages = Damages(random); damages > 0; damages--)
            head = ByteDamage.Damage(head, random);
        return head;
    }

    /// <summary>Every tensor of an accepted head lies within the file, and has as many values as its shape.</summary>
    public override bool Reads(byte[] input)
    {
        GgufHeader header = Read(input);
        Assert.InRange(header.Bytes, 24, input.Length + DataBytes);
        long end = header.Bytes;
        foreach (TensorEntry tensor in header.Tensors)
        {
            Assert.InRange(tensor.Begin, end, input.Length + DataBytes);
            end = tensor.Begin + tensor.ByteLength;
            Assert.InRange(end, tensor.Begin, input.Length + DataBytes);
            Assert.Equal(tensor.Count, tensor.Shape.Aggregate(1L, (product, length) => product * length));
        }
        return true;
    }

    // A beginning that goes the further the more of it is sound, and numbers that could be types and lengths.
    private static byte[] Invented(Random random)
    {
        byte[] bytes = new byte[random.Next(24, 2000)];
        random.NextBytes(bytes);
        byte[] start =
        [
            .. "GGUF"u8,
            .. GgufParts.Number(3, 4),
            .. GgufParts.Number((ulong)random.Next(20), 8),
            .. GgufParts.Number((ulong)random.Next(20), 8),
        ];
        start.AsSpan(0, random.Next(4) == 0 ? random.Next(start.Length) : start.Length).CopyTo(bytes);
        if (random.Next(2) == 0)
            for (int at = 24; at + 12 < bytes.Length; at += random.Next(12, 40))
                GgufParts.Number((ulong)random.Next(1, 14), 8).CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    private static GgufHeader Read(byte[] bytes) =>
        GgufHeader.Read(
            new GgufReader("folder/x.gguf", bytes.Length + (HeadBytes == 0 ? 0 : DataBytes), (position, destination) =>
            {
                // Behind the head there are zeros.
                destination.Clear();
                if (position < bytes.Length)
                    bytes
                        .AsSpan((int)position, (int)Math.Min(destination.Length, bytes.Length - position))
                        .CopyTo(destination);
            })
        );
}
